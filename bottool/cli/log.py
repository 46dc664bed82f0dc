"""``bottool log``: tables that bots write: make one, write lines, read them, take them away."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import TASK_VARIABLE, json_option, server_options
from bottool.cli.state import State

COLUMNS: dict[str, Callable[[Any], object]] = {
    "LOG": lambda log: log.label,
    "COLUMNS": lambda log: [column.name or column.label for column in log.columns],
    "REPOSITORY": lambda log: log.repository,
    "CREATED": lambda log: log.created_at,
    "BY": lambda log: log.created_by,
}
label_argument = click.argument("label", metavar="LOG")
days_option = click.option("--days", type=click.IntRange(1, 36_500), help="Only entries of the last so many days.")


@click.group("log")
def command() -> None:
    """Logs: tables that bots write."""


@command.command("create")
@label_argument
@click.option("--column", "columns", multiple=True, required=True, help="A column, as LABEL or LABEL=NAME; in order.")
@click.option("--repository", default="DEFAULT", show_default=True, help="Folder on the server.")
@server_options
@json_option
@click.pass_obj
def create(state: State, /, label: str, columns: tuple[str, ...], repository: str, as_json: bool) -> None:
    """Make the log LOG."""
    from bottool.cli import rest
    from bottool.wire import Log, LogColumn, NewLog

    said = [each.partition("=") for each in columns]
    new = NewLog(
        label=label,
        columns=[LogColumn(label=key.strip(), name=name.strip()) for key, _, name in said],
        repository=repository,
    )
    made = state.client().post(rest.path("logs"), new, type=Log)
    if as_json:
        present.as_json(made)
    else:
        present.done(f"created '{made.label}'", f"bottool log add {made.label} {made.columns[0].label}=…")


@command.command("list")
@server_options
@json_option
@click.pass_obj
def list_logs(state: State, /, as_json: bool) -> None:
    """List the logs."""
    from bottool.cli import rest
    from bottool.wire import Log

    found = rest.every(state.client(), rest.path("logs"), Log)
    present.listing(found, COLUMNS, json=as_json, empty="no logs; 'bottool log create LOG --column NAME' makes one")


@command.command("show")
@label_argument
@server_options
@json_option
@click.pass_obj
def show(state: State, /, label: str, as_json: bool) -> None:
    """Show the log LOG and its columns."""
    from bottool.cli import rest
    from bottool.wire import Log

    found = state.client().get(rest.path("logs", label), type=Log)
    if as_json:
        present.as_json(found)
    else:
        present.fields({title.lower(): read(found) for title, read in COLUMNS.items()})


@command.command("add")
@label_argument
@click.argument("said", nargs=-1, required=True, metavar="COLUMN=VALUE…")
@click.option("--task", "task_id", type=int, envvar=TASK_VARIABLE, help=f"The task. [{TASK_VARIABLE}]")
@server_options
@json_option
@click.pass_obj
def add(state: State, /, label: str, said: tuple[str, ...], task_id: int | None, as_json: bool) -> None:
    """Write an entry into LOG: COLUMN=TEXT, or COLUMN:=JSON for numbers and all else."""
    from bottool.cli import rest
    from bottool.cli.pairs import pairs
    from bottool.wire import LogEntry, NewLogEntry

    new = NewLogEntry(values=pairs(said), task_id=task_id)
    made = state.client().post(f"{rest.path('logs', label)}/entries", new, type=LogEntry)
    if as_json:
        present.as_json(made)
    else:
        present.done(f"entry {made.id} of '{label}'")


@command.command("entries")
@label_argument
@days_option
@click.option("--search", help="Only entries with this in one of their values.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def entries(state: State, /, label: str, limit: int, as_json: bool, **query: Any) -> None:
    """List the entries of LOG, newest first."""
    from bottool.cli import rest
    from bottool.wire import Log, LogEntry

    client = state.client()
    log = client.get(rest.path("logs", label), type=Log)
    found = rest.newest(client, f"{rest.path('logs', label)}/entries", LogEntry, query=query, limit=limit)
    columns: dict[str, Callable[[Any], object]] = {"AT": lambda entry: entry.at, "TASK": lambda entry: entry.task_id}
    columns |= {column.name or column.label: _value(column.label) for column in log.columns}
    present.listing(found, columns, json=as_json, empty=f"no entries in '{label}'")


@command.command("export")
@label_argument
@days_option
@click.option("--format", type=click.Choice(["csv", "json"]), default="csv", show_default=True)
@click.option("--separator", type=click.Choice([",", ";"]), default=",", show_default=True, help="Of CSV.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The file. [default: LOG.csv]")
@server_options
@click.pass_obj
def export(state: State, /, label: str, out: Path | None, **query: Any) -> None:
    """Write the entries of LOG into a file."""
    from bottool.cli import rest

    target = out or Path(f"{label}.{query['format']}")
    asked = {name: value for name, value in query.items() if value is not None}
    state.client().download(f"{rest.path('logs', label)}/export", target, query=asked)
    present.done(f"wrote '{target}'")


@command.command("delete")
@label_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_options
@click.pass_obj
def delete(state: State, /, label: str, yes: bool) -> None:
    """Delete LOG and all its entries."""
    from bottool.cli import rest

    if not yes:
        click.confirm(f"Delete '{label}' and all its entries?", abort=True)
    state.client().delete(rest.path("logs", label))
    present.done(f"deleted '{label}'")


def _value(label: str) -> Callable[[Any], object]:
    return lambda entry: entry.values.get(label)
