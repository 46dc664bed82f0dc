"""The runner's command on the command line: ``bottool runner start``.

Parses and calls; everything heavy is imported inside, so that ``bottool --help`` stays fast.
"""

import logging
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool.cli.options import server_options
from bottool.cli.state import State
from bottool.errors import SettingsError
from bottool.hookspecs import hookimpl
from bottool_runner.cache_command import cache

if TYPE_CHECKING:  # importing it costs more than `bottool --help` may
    from bottool_runner.home import Home, Identity
    from bottool_runner.registration import Wanted
    from bottool_runner.settings import RunnerSettings

LOG_NAME = "runner.log"
LOG_BYTES = 4_000_000


@hookimpl
def bottool_register_commands(cli: click.Group) -> None:
    group = cli.commands.get("runner")
    if not isinstance(group, click.Group):
        group = click.Group("runner", help="See the machines that run bots, and be one.")
        cli.add_command(group)
    group.add_command(start)
    group.add_command(cache)


@click.command()
@server_options
@click.option("--code", default="", help="One-time code from the page of the runners, instead of login and key.")
@click.option("--machine-id", default="", metavar="NAME", help="What automations call this machine.")
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Folder with what must not be lost.")
@click.option("--slots", type=click.IntRange(1, 1000), default=1, show_default=True, help="Tasks at the same time.")
@click.option("--once", is_flag=True, help="End after one task.")
@click.option("--max-tasks", type=click.IntRange(1), help="End after so many tasks.")
@click.option(
    "--output-limit",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    metavar="MB",
    help="Keep at most so much of one bot's output.",
)
@click.option("--cache-limit", type=click.FloatRange(0.1), metavar="GB", help="Let the cache take at most so much.")
@click.option(
    "--disk-floor",
    type=click.IntRange(0),
    default=500,
    show_default=True,
    metavar="MB",
    help="Take no task with less free disk than this.",
)
@click.pass_obj
def start(  # noqa: PLR0913 - one for each option
    state: State,
    *,
    code: str,
    machine_id: str,
    home: Path | None,
    slots: int,
    once: bool,
    max_tasks: int | None,
    output_limit: int,
    cache_limit: float | None,
    disk_floor: int,
) -> None:
    """Be a runner: take tasks from the server and run their bots on this machine.

    The first start registers the machine, with a code or with the workspace's login and key; later ones need neither.
    Ctrl-C ends the runner; bots that run go on, and the next start takes care of them.
    """
    from bottool.settings import cache_folder, data_folder
    from bottool_runner.home import Home
    from bottool_runner.registration import Wanted
    from bottool_runner.settings import RunnerSettings

    known = state.client_settings()
    wanted = Wanted(server=known.server, machine_id=machine_id, login=known.login, key=known.key, code=code)
    settings = RunnerSettings(
        server=known.server,
        cache=cache_folder(),
        slots=slots,
        max_tasks=1 if once else max_tasks,
        output_limit_bytes=output_limit * 1024 * 1024,
        cache_limit_bytes=None if cache_limit is None else int(cache_limit * 1_000_000_000),
        disk_floor_bytes=disk_floor * 1_000_000,
    )
    place = Home((home or data_folder() / "runner").absolute())
    place.open()
    speak(place.folder)
    try:
        work(settings, place, wanted)
    finally:
        place.close()


def work(settings: "RunnerSettings", home: "Home", wanted: "Wanted") -> None:
    """Register where that is needed, and work until told to end.

    :raises Unauthorized: when the server takes neither the token nor the credentials.
    """
    from bottool.errors import Unauthorized
    from bottool_runner.registration import known_or_registered, registered_again

    identity = known_or_registered(home, wanted)
    try:
        supervise(replace(settings, server=identity.server), home, identity)
    except Unauthorized as error:
        if not wanted.has_credentials or wanted.code:
            raise SettingsError(
                f"the server no longer knows this machine: {error}",
                "register it anew: bottool runner start --code CODE",
            ) from error
        identity = registered_again(home, wanted)
        supervise(replace(settings, server=identity.server), home, identity)


def supervise(settings: "RunnerSettings", home: "Home", identity: "Identity") -> None:
    from bottool_runner.supervisor import Supervisor, end_on_signals

    supervisor = Supervisor(settings, home, identity)
    end_on_signals(supervisor.end_please)
    ended = supervisor.run()
    logging.getLogger("bottool.runner").info("ended after %s task(s)", ended)


def speak(home: Path) -> None:
    """Lines with a UTC time on standard error, and in ``runner.log``, of which the last few megabytes are kept."""
    from logging.handlers import RotatingFileHandler

    form = logging.Formatter("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    form.converter = time.gmtime
    log = logging.getLogger("bottool.runner")
    file = RotatingFileHandler(home / LOG_NAME, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    log.handlers[:] = [logging.StreamHandler(sys.stderr), file]
    for handler in log.handlers:
        handler.setFormatter(form)
    log.setLevel(logging.INFO)
    log.propagate = False
