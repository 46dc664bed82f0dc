"""What bottool finds at this plugin's entry point: its language, and the command ``bottool python``."""

from collections.abc import Iterable

import click

from bottool.hookspecs import hookimpl
from bottool.language import Language


@hookimpl
def bottool_register_languages() -> Iterable[Language]:
    from bottool_python.language import Python

    return [Python()]


@hookimpl
def bottool_register_commands(cli: click.Group) -> None:
    from bottool_python.commands import python

    cli.add_command(python)
