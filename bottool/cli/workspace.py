"""``bottool workspace``: the workspace itself, and which interfaces it answers."""

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State

_WORDS = {True: "on", False: "off"}


@click.group("workspace")
def command() -> None:
    """See the workspace, and switch its interfaces."""


@command.command("show")
@server_options
@json_option
@click.pass_obj
def show(state: State, as_json: bool) -> None:
    """Show the workspace and its switches."""
    from bottool.cli import rest
    from bottool.wire import Workspace

    found = state.client().get(rest.path("workspace"), type=Workspace)
    if as_json:
        present.as_json(found)
        return
    present.fields(
        {
            "workspace": found.label,
            "login": found.login,
            "made": present.moment(found.created_at),
            "maestro": _WORDS[found.maestro],
            "maestro-old": _WORDS[found.maestro_old],
        }
    )


@command.command("switch")
@click.argument("interface", type=click.Choice(["maestro", "maestro-old"]))
@click.argument("to", type=click.Choice(["on", "off"]))
@server_options
@json_option
@click.pass_obj
def switch(state: State, /, interface: str, to: str, as_json: bool) -> None:
    """Answer clients of Maestro, or of its old form interface, or no longer.

    It takes an administrator: the token of one in the variable BOTTOOL_TOKEN.
    """
    from bottool.cli import rest
    from bottool.wire import Workspace, WorkspaceChange

    wanted = WorkspaceChange(**{interface.replace("-", "_"): to == "on"})
    changed = state.client().patch(rest.path("workspace"), wanted, type=Workspace)
    if as_json:
        present.as_json(changed)
    else:
        present.done(f"{interface} is {to} in '{changed.label}'")
