"""``bottool pool``: work that bots share: make a pool, fill it, take from it, see what became of it."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import TASK_VARIABLE, json_option, server_options
from bottool.cli.pool_options import rules_of, settings_of, settings_options
from bottool.cli.state import State

STATES = ("pending", "processing", "done", "error", "timeout", "cancelled")
COLUMNS: dict[str, Callable[[Any], object]] = {
    "POOL": lambda pool: pool.label,
    "NAME": lambda pool: pool.name,
    "ACTIVE": lambda pool: pool.active,
    "PENDING": lambda pool: pool.counts.pending,
    "PROCESSING": lambda pool: pool.counts.processing,
    "TIMEOUT": lambda pool: pool.counts.timeout,
    "DONE": lambda pool: pool.counts.done,
    "ERROR": lambda pool: pool.counts.error,
    "CANCELLED": lambda pool: pool.counts.cancelled,
    "AUTOMATION": lambda pool: pool.automation,
}
ENTRIES: dict[str, Callable[[Any], object]] = {
    "ENTRY": lambda entry: entry.id,
    "STATE": lambda entry: entry.state,
    "PRIORITY": lambda entry: entry.priority,
    "SHOWN": lambda entry: entry.display_value or entry.unique_key,
    "ERROR": lambda entry: entry.error_type,
    "MESSAGE": lambda entry: entry.message,
    "TASK": lambda entry: entry.task_id,
    "RUNNER": lambda entry: entry.runner,
    "CREATED": lambda entry: entry.created_at,
    "ENDED": lambda entry: entry.ended_at,
}
MOVES: dict[str, Callable[[Any], object]] = {
    "AT": lambda move: move.at,
    "WHAT": lambda move: move.kind.replace("_", " "),
    "BY": lambda move: move.actor,
    "TASK": lambda move: move.task_id,
    "ATTEMPT": lambda move: move.attempt,
    "MESSAGE": lambda move: move.message,
}
label_argument = click.argument("label", metavar="POOL")
entry_argument = click.argument("entry_id", type=click.IntRange(min=1), metavar="ENTRY")
task_id_option = click.option("--task", "task_id", type=int, envvar=TASK_VARIABLE, help=f"The task. [{TASK_VARIABLE}]")
state_option = click.option("--state", type=click.Choice(STATES), help="Only entries of this state.")
search_option = click.option("--search", help="Only entries with this in their key, values or message.")


@click.group("pool")
def command() -> None:
    """Data pools: work that bots share, an entry at a time."""


@command.command("create")
@label_argument
@settings_options
@server_options
@json_option
@click.pass_obj
def create(state: State, /, label: str, as_json: bool, **said: Any) -> None:
    """Make the data pool POOL."""
    from bottool.wire import NewPool, Pool

    made = state.client().post("/rest/v1/pools", NewPool(label=label, **settings_of(said)), type=Pool)
    if as_json:
        present.as_json(made)
    else:
        field = made.schema[0].label if made.schema else "FIELD"
        present.done(f"created '{made.label}'", f"bottool pool push {made.label} {field}=…")


@command.command("list")
@click.option("--search", help="Only pools with this in their label or name.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def list_pools(state: State, /, limit: int, as_json: bool, **query: Any) -> None:
    """List the data pools and how much waits in each."""
    from bottool.cli import rest
    from bottool.wire import Pool

    found = rest.newest(state.client(), rest.path("pools"), Pool, query=query, limit=limit)
    present.listing(found, COLUMNS, json=as_json, empty="no data pools; 'bottool pool create POOL' makes one")


@command.command("show")
@label_argument
@server_options
@json_option
@click.pass_obj
def show(state: State, /, label: str, as_json: bool) -> None:
    """Show the data pool POOL, its rules and counts."""
    from bottool.cli import rest
    from bottool.wire import Pool

    found = state.client().get(rest.path("pools", label), type=Pool)
    if as_json:
        present.as_json(found)
    else:
        present.fields({title.lower(): read(found) for title, read in COLUMNS.items()} | rules_of(found))


@command.command("update")
@label_argument
@settings_options
@server_options
@json_option
@click.pass_obj
def update(state: State, /, label: str, as_json: bool, **said: Any) -> None:
    """Change what is given of POOL."""
    _change(state, label, settings_of(said), as_json=as_json)


@command.command("on")
@label_argument
@server_options
@json_option
@click.pass_obj
def on(state: State, /, label: str, as_json: bool) -> None:
    """Switch POOL on: its entries are given out."""
    _change(state, label, {"active": True}, as_json=as_json)


@command.command("off")
@label_argument
@server_options
@json_option
@click.pass_obj
def off(state: State, /, label: str, as_json: bool) -> None:
    """Switch POOL off: entries may come, and none goes out."""
    _change(state, label, {"active": False}, as_json=as_json)


@command.command("delete")
@label_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_options
@click.pass_obj
def delete(state: State, /, label: str, yes: bool) -> None:
    """Delete POOL and all its entries."""
    from bottool.cli import rest

    if not yes:
        click.confirm(f"delete the data pool '{label}' with all its entries?", abort=True)
    state.client().delete(rest.path("pools", label))
    present.done(f"deleted '{label}'")


@command.command("push")
@label_argument
@click.argument("said", nargs=-1, metavar="[FIELD=VALUE]…")
@click.option("--priority", type=click.IntRange(0, 10), default=0, show_default=True, help="Higher ones go first.")
@server_options
@json_option
@click.pass_obj
def push(state: State, /, label: str, said: tuple[str, ...], priority: int, as_json: bool) -> None:
    """Put an entry into POOL: FIELD=TEXT, or FIELD:=JSON for numbers and all else."""
    from bottool.cli import rest
    from bottool.cli.pairs import pairs
    from bottool.wire import NewEntry, PoolEntry

    new = NewEntry(values=pairs(said), priority=priority)
    path = f"{rest.path('pools', label)}/entries"
    made = state.client().post(path, new, type=PoolEntry, key=uuid.uuid4().hex)
    if as_json:
        present.as_json(made)
    else:
        present.done(f"entry {made.id} of '{label}'")


@command.command("pull")
@label_argument
@server_options
@click.pass_obj
def pull(state: State, /, label: str) -> None:
    """Take the next entry of POOL and write it as JSON; exit code 5 when there is none.

    A bot's entry is its own until it says 'bottool pool done' or 'bottool pool fail', or ends.
    """
    from bottool.cli import rest
    from bottool.errors import NotFound
    from bottool.wire import Pulled

    path = f"{rest.path('pools', label)}/pull"
    found = state.client().post(path, None, type=Pulled, key=uuid.uuid4().hex)
    if found.entry is None:
        raise NotFound(f"no entry waits in '{label}', or it is switched off", f"bottool pool show {label}")
    present.as_json(found.entry)


@command.command("done")
@label_argument
@entry_argument
@click.option("--message", help="What became of it.")
@task_id_option
@server_options
@json_option
@click.pass_obj
def done(state: State, /, label: str, entry_id: int, as_json: bool, **said: Any) -> None:
    """Say that ENTRY of POOL is done."""
    _report(state, label, entry_id, {"state": "done", **said}, as_json=as_json)


@command.command("fail")
@label_argument
@entry_argument
@click.option("--message", help="What went wrong.")
@click.option("--business", is_flag=True, help="The entry itself is wrong: it is not tried again.")
@task_id_option
@server_options
@json_option
@click.pass_obj
def fail(state: State, /, label: str, entry_id: int, business: bool, as_json: bool, **said: Any) -> None:
    """Say that ENTRY of POOL failed."""
    kind = "business" if business else "system"
    _report(state, label, entry_id, {"state": "error", "error_type": kind, **said}, as_json=as_json)


@command.command("entries")
@label_argument
@state_option
@search_option
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def entries(state: State, /, label: str, limit: int, as_json: bool, **query: Any) -> None:
    """List entries of POOL, newest first."""
    from bottool.cli import rest
    from bottool.wire import PoolEntry

    path = f"{rest.path('pools', label)}/entries"
    found = rest.newest(state.client(), path, PoolEntry, query=query, limit=limit)
    present.listing(found, ENTRIES, json=as_json, empty=f"no such entries in '{label}'")


@command.command("entry")
@label_argument
@entry_argument
@server_options
@json_option
@click.pass_obj
def entry(state: State, /, label: str, entry_id: int, as_json: bool) -> None:
    """Show ENTRY of POOL and what happened to it."""
    from bottool.cli import rest
    from bottool.wire import PoolEntry, PoolMove

    client, path = state.client(), _path(label, entry_id)
    found = client.get(path, type=PoolEntry)
    if as_json:
        present.as_json(found)
        return
    own = {
        "values": json.dumps(found.values, ensure_ascii=False),
        "parent": found.parent,
        "child": found.child,
        "tries": found.retry_index + 1,
        "came back": present.count(found.returned, "time") if found.returned else "",
    }
    present.fields({title.lower(): read(found) for title, read in ENTRIES.items()} | own)
    click.echo()
    moves = rest.every(client, f"{path}/moves", PoolMove)
    present.listing(moves, MOVES, json=False, empty="nobody has pulled it")


@command.command("change")
@label_argument
@click.argument("act", type=click.Choice(["cancel", "retry", "delete", "priority"]))
@click.option("--entry", "ids", type=click.IntRange(1), multiple=True, help="This entry; may be repeated.")
@state_option
@search_option
@click.option("--all", "every", is_flag=True, help="All entries that the act can be done with.")
@click.option("--priority", type=click.IntRange(0, 10), default=0, help="For the act 'priority'.")
@click.option("--message", default="", help="Why.")
@server_options
@click.pass_obj
def change(state: State, /, label: str, act: Any, every: bool, **said: Any) -> None:
    """Cancel, retry, delete or reorder many entries of POOL."""
    from bottool.cli import rest
    from bottool.wire import EntriesChange, EntriesChanged

    ids = list(said.pop("ids"))
    given = {name: value for name, value in said.items() if value is not None}
    wanted = EntriesChange(act=act, ids=ids, all=every, **given)
    count, left = 0, True
    while left:
        done = state.client().post(f"{rest.path('pools', label)}/change", wanted, type=EntriesChanged)
        # What cannot be changed would be found again and again.
        count, left = count + done.count, done.left and done.count > 0 and act != "priority"
    present.done(f"{act}: {count} {'entry' if count == 1 else 'entries'} of '{label}'")


@command.command("import")
@label_argument
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@server_options
@click.pass_obj
def import_csv(state: State, /, label: str, file: Path) -> None:
    """Put an entry into POOL for each line of FILE, a CSV table in UTF-8; all of them or none."""
    from bottool.cli import rest
    from bottool.cli.progress import bar
    from bottool.wire import IDEMPOTENCY_HEADER, Imported

    path = f"{rest.path('pools', label)}/import"
    with bar(f"sending {file.name}") as told:
        # A repeated request brings nothing twice.
        headers = {IDEMPOTENCY_HEADER: uuid.uuid4().hex}
        found = state.client().upload(path, file, headers, type=Imported, told=told)
    present.done(f"{found.count} {'entry' if found.count == 1 else 'entries'} into '{label}'")


@command.command("export")
@label_argument
@state_option
@search_option
@click.option("--separator", type=click.Choice([",", ";"]), default=",", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file. [default: POOL.csv]")
@server_options
@click.pass_obj
def export(state: State, /, label: str, out: Path | None, **query: Any) -> None:
    """Write the entries of POOL into a CSV table."""
    from bottool.cli import rest

    target = out or Path(f"{label}.csv")
    asked = {name: value for name, value in query.items() if value is not None}
    state.client().download(f"{rest.path('pools', label)}/export", target, query=asked)
    present.done(f"wrote '{target}'")


def _change(state: State, label: str, said: dict[str, Any], *, as_json: bool) -> None:
    from bottool.cli import rest
    from bottool.errors import InvalidInput
    from bottool.wire import Pool, PoolChange

    if not said:
        raise InvalidInput("nothing to change is said", "'bottool pool update --help' shows what there is")
    found = state.client().patch(rest.path("pools", label), PoolChange(**said), type=Pool)
    if as_json:
        present.as_json(found)
    else:
        present.done(f"changed '{label}'", f"bottool pool show {label}")


def _report(state: State, label: str, entry_id: int, said: dict[str, Any], *, as_json: bool) -> None:
    from bottool.wire import EntryChange, PoolEntry

    change = EntryChange(**{name: value for name, value in said.items() if value is not None})
    found = state.client().patch(_path(label, entry_id), change, type=PoolEntry)
    if as_json:
        present.as_json(found)
    else:
        present.done(f"entry {found.id} of '{label}' is {found.state}")


def _path(label: str, entry_id: int) -> str:
    from bottool.cli import rest

    return f"{rest.path('pools', label)}/entries/{entry_id}"
