"""``bottool import``: bring over what another orchestrator holds."""

import hashlib
from collections.abc import Callable
from typing import Any

import click

from bottool import settings
from bottool.cli import present
from bottool.cli.options import json_option
from bottool.cli.secret import ask_secret, read_secret
from bottool.cli.state import State

COLUMNS: dict[str, Callable[[Any], object]] = {
    "KIND": lambda line: line.kind,
    "LABEL": lambda line: line.label,
    "OUTCOME": lambda line: line.outcome,
    "NOTE": lambda line: line.note,
}


@click.group("import")
def command() -> None:
    """Bring over what another orchestrator holds."""


@command.command("maestro")
@click.option("--server", required=True, metavar="ADDRESS", help="Address of the Maestro server.")
@click.option("--login", required=True, metavar="LOGIN", help="Login of the workspace there; asks for its key.")
@click.option("--key-file", default="", metavar="FILE", help="File that holds that key; '-' is stdin.")
@click.option("--with-values", is_flag=True, help="Bring the values of credentials too, where it gives them.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would come over.")
@click.option("--plain-http", is_flag=True, help="Allow an address without encryption.")
@json_option
@click.pass_obj
def maestro(state: State, /, as_json: bool, **said: Any) -> None:
    """Bring over a workspace of BotCity Maestro into the one that you are signed in to.

    Bots by their ids, automations, schedules, logs, credentials, and data pools with the entries that wait. What is
    here already is left as it is, so it may be repeated; what could start a bot comes switched off.
    """
    from bottool.errors import TaskFailed
    from bottool.moving.every import move
    from bottool.moving.origin import Origin
    from bottool.moving.target import Journal, Target
    from bottool.moving.told import Told

    told = Told()
    client = state.client()
    key = read_secret(said["key_file"], "key") if said["key_file"] else ask_secret("key", "--key-file")
    origin = Origin(said["server"], said["login"], key, plain_allowed=said["plain_http"])
    name = hashlib.sha256(f"{origin.server}|{origin.workspace}|{client.server}".encode()).hexdigest()[:16]
    journal = Journal(settings.data_folder() / "imports" / f"{name}.txt")
    move(origin, Target(client, told, dry=said["dry_run"]), journal, values=said["with_values"])
    present.listing(told.lines, COLUMNS, json=as_json, empty="there is nothing to bring over")
    if not told.is_whole:
        raise TaskFailed("not everything came over; the table says what and why", "mend it there or here, and repeat")
