"""``bottool release``: choose the version that tasks run."""

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State


@click.command("release")
@click.argument("bot")
@click.argument("version")
@server_options
@json_option
@click.pass_obj
def command(state: State, bot: str, version: str, as_json: bool) -> None:
    """Let the tasks of BOT run VERSION from now on."""
    from bottool.cli import rest
    from bottool.wire import Bot, Release

    released = state.client().post(rest.path("bots", bot, "release"), Release(version=version), type=Bot)
    if as_json:
        present.as_json(released)
    else:
        present.done(f"released {released.bot_id} {released.release}", "bottool task create LABEL --wait")
