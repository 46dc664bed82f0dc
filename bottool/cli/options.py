"""Options that several commands have, said once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bottool.cli.state import State

Function = Callable[..., Any]

TASK_VARIABLE = "BOTTOOL_TASK"
"""Given to every bot, see ``bottool.arguments``."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
folder_argument = click.argument(
    "folder", default=".", type=click.Path(path_type=Path, exists=False, file_okay=True, dir_okay=True)
)

task_option = click.option(
    "--task", "task_id", type=int, envvar=TASK_VARIABLE, required=True, help=f"The task. [{TASK_VARIABLE}]"
)
task_argument = click.argument("task_id", type=int, metavar="[TASK]", envvar=TASK_VARIABLE)
"""In a bot's own process the task need not be named."""


def server_options(function: Function) -> Function:
    """``--server``, ``--login``, ``--key-file``: kept in the ``State``, so that commands do not see them."""
    for name, metavar, text in (
        ("--key-file", "FILE", "File that holds the login's key; '-' is stdin. [BOTTOOL_KEY]"),
        ("--login", "LOGIN", "Login of the workspace. [BOTTOOL_LOGIN]"),
        ("--server", "ADDRESS", "Address of the server. [BOTTOOL_SERVER]"),
    ):
        function = click.option(name, metavar=metavar, help=text, callback=_remember, expose_value=False)(function)
    return function


def project_options(function: Function) -> Function:
    """``--language``, ``--id``, ``--version``: what a person says of a project, before what its files say."""
    for name, target, text in (
        ("--version", "version", "Version of the bot."),
        ("--id", "bot_id", "Id of the bot."),
        ("--language", "language", "Language of the bot, where it cannot be told."),
    ):
        function = click.option(name, target, default="", help=text)(function)
    return function


def _remember(ctx: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value:
        ctx.ensure_object(State).flags[str(parameter.name)] = value
