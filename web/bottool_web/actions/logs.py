"""Logs: tables that bots write, for people to read, filter and take away as files."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import checks
from bottool_web.actions.csv_cells import PIECE_CHARACTERS, cell, taken
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.masking import masked
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import audit, logs, workspaces
from bottool_web.store.logs import Wanted
from bottool_web.store.scope import Principal

MOST_COLUMNS = 200
MOST_VALUES = 500
MOST_ROWS = 1000
MOST_COUNTED = 20_000
MOST_SEARCHED = 10_000
"""Among so many of the newest entries of a period a search looks."""
LONGEST_DAYS = 36_500
AT_ONCE = 2000
PURGED_AT_ONCE = 5000
MOST_PURGES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which entries are wanted. Empty and ``None`` do not narrow; ``days`` counts back from now."""

    days: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""
    before: int | None = None
    first: int = 0
    limit: int = 50
    descending: bool = True


@action("log.read")
def list_logs(site: Site, who: Principal) -> list[wire.Log]:
    """By label."""
    return site.store.read(lambda tx: logs.all_living(tx, who.scope))


@action("log.read")
def get_log(site: Site, who: Principal, label: str) -> wire.Log:
    """By label, or by Maestro's id.

    :raises NotFound: when there is none.
    """
    return site.store.read(lambda tx: logs.find(tx, who.scope, label))


@action("log.change")
def create(site: Site, who: Principal, new: wire.NewLog, *, idempotency_key: str = "") -> wire.Log:
    """:raises Conflict: when the label is taken."""
    checks.spoken_label(new.label, "label")
    _check_columns(new.columns)
    request = Request(act="log.change", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Log:
        check_bot(tx, who)
        logs.add(tx, who.scope, new, workspaces.repository_id(tx, who.scope, new.repository), request.now)
        audit.record(tx, who.scope, request.act, f"log {new.label}", request.now, made=True)
        return logs.find(tx, who.scope, new.label)

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Log))
    site.hints.send(f"workspace:{who.workspace_id}")
    return made


@action("log.change")
def change(site: Site, who: Principal, label: str, wanted: wire.LogChange) -> wire.Log:
    """Give the log other columns."""
    _check_columns(wanted.columns)
    now = site.now()

    def make(tx: sa.Connection) -> wire.Log:
        check_bot(tx, who)
        found = logs.find(tx, who.scope, label)
        logs.set_columns(tx, who.scope, found.id, wanted.columns)
        audit.record(tx, who.scope, "log.change", f"log {found.label}", now)
        return logs.find(tx, who.scope, found.label)

    return site.store.write(make)


@action("log.delete")
def delete(site: Site, who: Principal, label: str) -> None:
    """The log and its entries; its label may be used again."""
    now = site.now()

    def work(tx: sa.Connection) -> None:
        check_bot(tx, who)
        found = logs.find(tx, who.scope, label)
        logs.delete(tx, who.scope, found.id, now)
        audit.record(tx, who.scope, "log.delete", f"log {found.label}", now)

    site.store.write(work)
    site.hints.send(f"workspace:{who.workspace_id}")


@action("site.keep")
def purge(site: Site, who: Principal) -> int:
    """Drop entries of deleted logs, so many at a time that no other write waits long; returns how many."""
    dropped = 0
    for _ in range(MOST_PURGES):
        gone = site.store.write(lambda tx: logs.purge(tx, who.scope, PURGED_AT_ONCE))
        dropped += gone
        if gone < PURGED_AT_ONCE:
            break
    return dropped


@action("log.write")
def add_entry(
    site: Site, who: Principal, label: str, new: wire.NewLogEntry, *, idempotency_key: str = ""
) -> wire.LogEntry:
    """Write a line. What the log has no column for is kept too, and shown with the entry."""
    checks.number(len(new.values), "the number of values", 0, MOST_VALUES)
    for name, value in new.values.items():
        checks.name(name, "a column's label")
        checks.json_value(value, checks.shortened(name))
    if new.task_id is not None:
        checks.number(new.task_id, "task_id", 1, checks.LARGEST_ID)
    request = Request(act="log.write", key=idempotency_key, body=new, now=site.now())
    kept = wire.NewLogEntry(
        values=masked(site, who, new.values), task_id=new.task_id if new.task_id is not None else who.task_id
    )

    def make(tx: sa.Connection) -> wire.LogEntry:
        check_bot(tx, who)
        return logs.add_entry(tx, who.scope, logs.find(tx, who.scope, label).id, kept, request.now)

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.LogEntry))
    site.hints.send(f"workspace:{who.workspace_id}")
    return made


@action("log.read")
def list_entries(site: Site, who: Principal, label: str, asked: Asked) -> list[wire.LogEntry]:
    """Newest first. A search looks into the newest entries of the period only, see ``MOST_SEARCHED``."""
    wanted = _wanted(site, asked)
    search = checks.name(asked.search, "search").casefold()

    def find(tx: sa.Connection) -> list[wire.LogEntry]:
        log_id = logs.find(tx, who.scope, label).id
        if not search:
            return logs.entries(tx, who.scope, log_id, wanted)
        found: list[wire.LogEntry] = []
        for entry in _searched(tx, who, log_id, wanted):
            if search in _plain(entry.values):
                found.append(entry)
            if len(found) == wanted.limit:
                break
        return found

    return site.store.read(find)


def _searched(tx: sa.Connection, who: Principal, log_id: int, wanted: Wanted) -> Iterator[wire.LogEntry]:
    before, left = wanted.before, MOST_SEARCHED
    while left > 0:
        part = Wanted(since=wanted.since, until=wanted.until, before=before, limit=min(AT_ONCE, left))
        rows = logs.entries(tx, who.scope, log_id, part)
        yield from rows
        if len(rows) < part.limit:
            return
        before, left = rows[-1].id, left - len(rows)


def _plain(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False).casefold()


@action("log.read")
def page_of_entries(site: Site, who: Principal, label: str, asked: Asked) -> tuple[list[wire.LogEntry], int]:
    """A page and how many there are in all, counted up to ``MOST_COUNTED``."""
    wanted = _wanted(site, asked)

    def find(tx: sa.Connection) -> tuple[list[wire.LogEntry], int]:
        log_id = logs.find(tx, who.scope, label).id
        rows = logs.entries(tx, who.scope, log_id, wanted)
        return rows, logs.count(tx, who.scope, log_id, wanted, MOST_COUNTED)

    return site.store.read(find)


@action("log.read")
def every_entry(site: Site, who: Principal, label: str, asked: Asked) -> Iterator[wire.LogEntry]:
    """All of a period, newest first, however many: read in pieces, so that neither memory nor a transaction grows."""
    wanted = _wanted(site, asked)
    log_id = get_log(site, who, label).id

    def pieces() -> Iterator[wire.LogEntry]:
        before = wanted.before
        while True:
            part = Wanted(since=wanted.since, until=wanted.until, before=before, limit=AT_ONCE)
            rows = site.store.read(lambda tx, part=part: logs.entries(tx, who.scope, log_id, part))  # type: ignore[misc]
            yield from rows
            if len(rows) < AT_ONCE:
                return
            before = rows[-1].id

    return pieces()


@action("log.read")
def exported(  # one for each thing that can be chosen
    site: Site,
    who: Principal,
    label: str,
    asked: Asked,
    *,
    form: Literal["csv", "json"] = "csv",
    separator: Literal[",", ";"] = ",",
) -> Iterator[bytes]:
    """The entries of a period as a file, in pieces. With ``;`` it is what Excel reads
    where numbers have a comma: with a byte order mark, and commas in numbers.
    """
    found = get_log(site, who, label)
    rows = every_entry(site, who, label, asked)
    return _csv(found, rows, separator) if form == "csv" else _json(found, rows)


def complete(found: wire.Log, entry: wire.LogEntry) -> dict[str, Any]:
    """The values of an entry with a null for each column that it does not say."""
    return {column.label: None for column in found.columns} | entry.values


def _csv(found: wire.Log, rows: Iterator[wire.LogEntry], separator: str) -> Iterator[bytes]:
    known = {column.label for column in found.columns}
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    head = ["Date", *(column.name or column.label for column in found.columns), "Task", "More"]
    if separator == ";":
        text.write("\ufeff")
    writer.writerow(cell(each) for each in head)
    for entry in rows:
        more = {name: value for name, value in entry.values.items() if name not in known}
        values = [entry.values.get(column.label) for column in found.columns]
        line = [entry.at.isoformat(timespec="milliseconds"), *values, entry.task_id, more or None]
        writer.writerow(cell(each, "," if separator == ";" else ".") for each in line)
        if text.tell() > PIECE_CHARACTERS:
            yield taken(text)
    yield taken(text)


def _json(found: wire.Log, rows: Iterator[wire.LogEntry]) -> Iterator[bytes]:
    """A list of objects, a line each."""
    lead = b"[\n"
    for entry in rows:
        line = {"at": entry.at.isoformat(timespec="milliseconds"), "task_id": entry.task_id}
        yield lead + json.dumps({**line, "values": complete(found, entry)}, ensure_ascii=False).encode("utf-8")
        lead = b",\n"
    yield b"[]\n" if lead == b"[\n" else b"\n]\n"


def _wanted(site: Site, asked: Asked) -> Wanted:
    since = asked.since
    if asked.days is not None:
        since = site.now() - timedelta(days=max(0, min(asked.days, LONGEST_DAYS)))
    for path, moment in (("since", since), ("until", asked.until)):
        if moment is not None:
            _check_time(moment, path)
    return Wanted(
        since=since,
        until=asked.until,
        before=asked.before,
        first=asked.first,
        limit=max(1, min(asked.limit, MOST_ROWS + 1)),
        descending=asked.descending,
    )


def _check_time(moment: datetime, path: str) -> None:
    try:
        moment.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInput(f"{path} is too far away", path=path) from error


def _check_columns(columns: list[wire.LogColumn]) -> None:
    checks.number(len(columns), "the number of columns", 1, MOST_COLUMNS)
    seen: set[str] = set()
    for index, column in enumerate(columns):
        checks.name(column.label, f"columns[{index}].label")
        checks.name(column.name, f"columns[{index}].name")
        checks.number(column.width, f"columns[{index}].width", 0, 10_000)
        if not column.label.strip() or column.label in seen:
            trouble = "is there twice" if column.label in seen else "is empty"
            raise InvalidInput(f"columns[{index}].label {trouble}", "each column has a label of its own")
        seen.add(column.label)
