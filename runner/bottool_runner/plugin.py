"""The runner's commands on the command line: ``bottool runner start`` and ``once``; the others are put in from here.

Parses and calls; everything heavy is imported inside, so that ``bottool --help`` stays fast.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bottool.cli.options import server_options
from bottool.cli.state import State
from bottool.hookspecs import hookimpl
from bottool_runner import local_commands, service_commands
from bottool_runner.cache_command import cache
from bottool_runner.local_commands import home_option, limit_options


@hookimpl
def bottool_register_commands(cli: click.Group) -> None:
    group = cli.commands.get("runner")
    if not isinstance(group, click.Group):
        group = click.Group("runner", help="See the machines that run bots, and be one.")
        cli.add_command(group)
    for command in (start, once, cache, *local_commands.COMMANDS, *service_commands.COMMANDS):
        group.add_command(command)


Function = Callable[..., Any]


_PREPARE_LIMIT = click.option(
    "--prepare-limit",
    "prepare_seconds",
    type=click.IntRange(1),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Give a task back whose bot takes longer to be made ready.",
)


def runner_options(function: Function) -> Function:
    """What a runner is told at its start."""
    for option in reversed(
        (
            click.option(
                "--conf",
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="The conf.bcf of a BotCity runner: server, machineId, login, key.",
            ),
            click.option(
                "--code", default="", help="One-time code from the page of the runners, instead of login and key."
            ),
            click.option("--machine-id", default="", metavar="NAME", help="What automations call this machine."),
            home_option,
            click.option(
                "--slots", type=click.IntRange(1, 1000), default=1, show_default=True, help="Tasks at the same time."
            ),
            click.option(
                "--tag", "tags", multiple=True, metavar="TAG", help="Say this of the machine; may be repeated."
            ),
            click.option(
                "--idle-exit",
                type=click.FloatRange(min=0, min_open=True),
                metavar="SECONDS",
                help="End after so long without a task.",
            ),
            _PREPARE_LIMIT,
            click.option(
                "--allow-http", is_flag=True, help="Let a conf.bcf name a server out in the world without https."
            ),
        )
    ):
        function = option(function)
    return server_options(limit_options(function))


@click.command()
@runner_options
@click.option("--once", is_flag=True, help="End after one task.")
@click.option("--max-tasks", type=click.IntRange(1), help="End after so many tasks.")
@click.pass_obj
def start(state: State, /, *, once: bool, max_tasks: int | None, **said: Any) -> None:
    """Be a runner: take tasks from the server and run their bots on this machine.

    The first start registers the machine, with a code or with the workspace's login and key; later ones need neither.
    Ctrl-C ends the runner; bots that run go on, and the next start takes care of them.
    """
    _be_a_runner(state, 1 if once else max_tasks, said)


@click.command()
@runner_options
@click.pass_obj
def once(state: State, /, **said: Any) -> None:
    """Take one task, run its bot, and end; as 'start --once'."""
    _be_a_runner(state, 1, said)


def _be_a_runner(state: State, max_tasks: int | None, said: dict[str, Any]) -> None:
    from bottool_runner import starting

    limits = starting.limits_of(said)
    asked = starting.Asked(**said, **limits, max_tasks=max_tasks)
    starting.start(state, asked)
