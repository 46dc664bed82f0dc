"""``bottool finish``: a bot without an SDK says how its task ended."""

from typing import Any

import click

from bottool.cli import ending, present
from bottool.cli.options import json_option, server_options, task_option
from bottool.cli.state import State


@click.command("finish")
@task_option
@ending.ending_options
@server_options
@json_option
@click.pass_obj
def command(state: State, /, task_id: int, as_json: bool, **said: Any) -> None:
    """Say how the bot's own task ended. Server, task and token come from the bot's variables."""
    task = ending.send(state, task_id, **said)
    if as_json:
        present.as_json(task)
    else:
        present.done(f"task {task.id}: {task.state}")
