"""``bottool logout``: forget the token."""

from dataclasses import replace

import click

from bottool import settings
from bottool.cli import present


@click.command("logout")
def command() -> None:
    """Forget the token of 'bottool login'; the server's address stays known."""
    known = settings.load_client_settings(variables={**settings.base_variables(), "BOTTOOL_TOKEN": ""})
    path = settings.save_client_settings(replace(known, token=""))
    present.done(f"signed out of {known.server or 'no server'}; {path} holds no token any more", "bottool login")
