"""``bottool whoami``: which server and workspace the commands speak to, and whether it lets us in."""

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State


@click.command("whoami")
@server_options
@json_option
@click.pass_obj
def command(state: State, as_json: bool) -> None:
    """Say which server and workspace the other commands speak to."""
    from bottool.wire import Status

    client = state.client()
    client.get("/rest/v1/bots")
    known = state.client_settings()
    answer = {
        "server": known.server,
        "server_version": client.get("/rest/v1/status", type=Status).version,
        "workspace": known.workspace,
        "login": "" if known.token else known.login,
        "signed_in_by": "token" if known.token else "login and key",
    }
    if as_json:
        present.as_json(answer)
    else:
        present.fields(answer)
