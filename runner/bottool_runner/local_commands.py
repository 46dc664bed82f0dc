"""``bottool runner status | logs | pause | resume | drain | stop``: for the runner of this machine, by way of its home.

None of them needs the server. Parses and calls; everything heavy is imported inside.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bottool.cli.options import json_option

if TYPE_CHECKING:
    from bottool_runner.control import Wish

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="The runner's folder, with what must not be lost.",
)


def limit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """How much of the machine a runner may use; ``starting.limits_of`` reads them."""
    for option in (
        click.option(
            "--disk-floor",
            type=click.IntRange(0),
            default=500,
            show_default=True,
            metavar="MB",
            help="Take no task with less free disk than this.",
        ),
        click.option(
            "--cache-limit", type=click.FloatRange(0.1), metavar="GB", help="Let the cache take at most so much."
        ),
        click.option(
            "--output-limit",
            type=click.IntRange(1),
            default=100,
            show_default=True,
            metavar="MB",
            help="Keep at most so much of one bot's output.",
        ),
    ):
        function = option(function)
    return function


reason_option = click.option("--reason", default="", metavar="TEXT", help="Why, for people who look at the runner.")


@click.command()
@home_option
@json_option
def status(home: Path | None, as_json: bool) -> None:
    """Say what the runner of this machine does. Exit status 1 when none works."""
    from bottool.cli import present
    from bottool_runner.places import home_folder
    from bottool_runner.status import read
    from bottool_runner.words import fields_of

    found = read(home_folder(home))
    if as_json:
        present.as_json(found)
    else:
        present.fields(fields_of(found))
    if found.mode == "ended":
        click.get_current_context().exit(1)


@click.command()
@home_option
@click.option("--lines", type=click.IntRange(0), default=50, show_default=True, help="Begin with the last so many.")
@click.option("--follow", is_flag=True, help="Go on with what is written, until Ctrl-C.")
def logs(home: Path | None, lines: int, follow: bool) -> None:
    """Print the log of the runner of this machine, also of one that has ended."""
    from bottool_runner.places import home_folder
    from bottool_runner.reading import followed, last_lines

    folder = home_folder(home)
    for line in last_lines(folder, lines):
        click.echo(line)
    if follow:
        for line in followed(folder):
            click.echo(line)


@click.command()
@home_option
@reason_option
def pause(home: Path | None, reason: str) -> None:
    """Take no new tasks until 'resume', also after a restart. Bots that run go on."""
    from bottool_runner.control import Wish

    _wish(home, Wish.PAUSE, reason)


@click.command()
@home_option
def resume(home: Path | None) -> None:
    """Take tasks again, after 'pause' or 'drain'."""
    from bottool_runner.control import Wish

    _wish(home, Wish.WORK, "")


@click.command()
@home_option
@reason_option
def drain(home: Path | None, reason: str) -> None:
    """Take no new tasks, and end when those in hand have ended."""
    from bottool_runner.control import Wish

    _wish(home, Wish.DRAIN, reason)


@click.command()
@home_option
def stop(home: Path | None) -> None:
    """End the runner now. Bots that run go on, and the next start takes care of them."""
    from bottool_runner.control import Wish

    _wish(home, Wish.STOP, "")


def _wish(home: Path | None, wish: "Wish", reason: str) -> None:
    from bottool.cli import present
    from bottool_runner.asking import wished
    from bottool_runner.places import home_folder

    present.done(wished(home_folder(home), wish, reason))


COMMANDS: tuple[click.Command, ...] = (status, logs, pause, resume, drain, stop)
