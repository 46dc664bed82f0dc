"""Many entries of a data pool at once: a change to all that match, a table that comes in, a table that goes out.

A change takes at most ``AT_ONCE`` entries in one write and says whether more are left; an import is written whole or
not at all.
"""

import codecs
import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, InvalidInput, TooBig
from bottool_web.actions import checks, pool_moves, pool_work
from bottool_web.actions.csv_cells import PIECE_CHARACTERS, cell, taken, unquoted
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.masking import masked
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.pool_values import HIGHEST_PRIORITY, columns, schema_of, typed
from bottool_web.actions.pools import tell
from bottool_web.actions.results import MESSAGE_LIMIT
from bottool_web.actions.site import Site
from bottool_web.store import audit, pool_entries, pool_lists, pools
from bottool_web.store.moves import Row
from bottool_web.store.pool_lists import Wanted
from bottool_web.store.scope import Principal

AT_ONCE = 1000
MOST_IDS = 1000
MOST_BYTES = 50 * 1024 * 1024
MOST_ROWS = 100_000
MOST_TASKS = 2000
"""A pool whose trigger is ``always`` starts a task for each entry: so many at once."""
WRITTEN_AT_ONCE = 2000
KEYS_AT_ONCE = 500
READ_AT_ONCE = 1000
MOST_TROUBLES = 10
PRIORITY = "priority"
MORE = "more"
"""The column of what an entry holds beside the schema, as a JSON object."""
_Meant = tuple[Row, Row]
"""A pool and one of its entries."""
_FROM: dict[str, tuple[str, ...]] = {
    "cancel": ("pending",),
    "priority": ("pending",),
    "delete": ("pending", "done", "error", "cancelled"),
    "retry": ("error", "cancelled", "processing", "timeout"),
}


@action("pool.edit")
def change_entries(site: Site, who: Principal, label: str, wanted: wire.EntriesChange) -> wire.EntriesChanged:
    """Do one thing with all entries that match and may be treated so; others are passed over.

    :raises InvalidInput: when nothing narrows and ``all`` is not said.
    """
    if not (wanted.state or wanted.search or wanted.ids or wanted.all):
        raise InvalidInput("nothing says which entries are meant", "give ids, a state or a search, or say all")
    checks.number(len(wanted.ids), "the number of ids", 0, MOST_IDS)
    checks.number(wanted.priority, "priority", 0, HIGHEST_PRIORITY)
    said = masked(site, who, checks.text(wanted.message, "message"))[:MESSAGE_LIMIT]
    wanted = msgspec.structs.replace(wanted, message=said)
    now = site.now()

    def work(tx: sa.Connection) -> wire.EntriesChanged:
        check_bot(tx, who)
        pool = pools.locked(tx, who.scope, label)
        found = _matching(tx, who, pool, wanted)
        changed = sum(_change(tx, site, who, (pool, entry), wanted) for entry in found)
        if wanted.act == "delete":
            _delete(tx, who, pool, found)
        if found:
            audit.record(tx, who.scope, "pool.edit", f"pool {pool.label}", now, what=wanted.act, count=changed)
        return wire.EntriesChanged(count=changed, left=len(found) == AT_ONCE)

    done = site.store.write(work)
    tell(site, who)
    return done


def _matching(tx: sa.Connection, who: Principal, pool: Row, wanted: wire.EntriesChange) -> list[Row]:
    states = [state for state in _FROM[wanted.act] if wanted.state in {"", state}]
    found: list[Row] = []
    for state in states:
        asked = Wanted(
            state=state,
            search=checks.name(wanted.search, "search"),
            ids=tuple(wanted.ids),
            limit=AT_ONCE - len(found),
            retryable=wanted.act == "retry",
        )
        found += pool_lists.locked(tx, who.scope, pool.id, asked) if asked.limit else []
    return found


def _change(tx: sa.Connection, site: Site, who: Principal, found: _Meant, wanted: wire.EntriesChange) -> bool:
    pool, entry = found
    if wanted.act == "cancel":
        pool_moves.end(tx, site, who, pool, entry, {"state": "cancelled", "message": wanted.message})
    elif wanted.act == "priority":
        pool_entries.change(tx, who.scope, entry.id, {"priority": wanted.priority})
    elif wanted.act == "retry":
        return _retry(tx, site, who, pool, entry)
    return True


def _retry(tx: sa.Connection, site: Site, who: Principal, pool: Row, entry: Row) -> bool:
    if entry.state in pool_moves.HELD:
        again = pool_moves.put_back(tx, site, who, pool, entry, silent=False)
    else:
        again = pool_moves.try_again(tx, who, pool, entry._asdict(), site.now(), counted=False) is not None
    if again:
        pool_moves.start_task_if_wanted(tx, who, pool, site.now())
    return again


def _delete(tx: sa.Connection, who: Principal, pool: Row, found: list[Row]) -> None:
    by: dict[str, float] = {}
    for entry in found:
        name = pool_moves.COUNTER[entry.state]
        by[name] = by.get(name, 0) - 1
    if found:
        pool_entries.remove(tx, who.scope, [entry.id for entry in found])
        pools.count_moves(tx, who.scope, pool.id, by)


@action("pool.push")
def import_csv(
    site: Site, who: Principal, label: str, pieces: Iterable[bytes], *, idempotency_key: str = ""
) -> wire.Imported:
    """Push an entry for each line of a table in UTF-8, with commas or semicolons, whose first line names the fields.

    A table from ``exported`` comes back as new entries with the values, priorities and order of those in it.

    A column ``priority`` that the schema does not have is the entry's priority; other columns beside the schema are
    texts of the entry.

    :raises InvalidInput: for lines that may not be pushed, with the number and the trouble of the first ones.
    :raises TooBig: for more than ``MOST_BYTES`` or ``MOST_ROWS``.
    :raises Conflict: when unique keys of the table wait or are in work already.
    """
    pool = site.store.read(lambda tx: pools.row(tx, who.scope, label))
    table = _text(pieces)
    rows = _rows(schema_of(pool), table)
    now = site.now()
    said = _Table(label=label, sha256=hashlib.sha256(table.encode()).hexdigest())
    request = Request(act="pool.push", key=idempotency_key, body=said, now=now)

    def make(tx: sa.Connection) -> wire.Imported:
        pool = pools.locked(tx, who.scope, label)
        if pool.trigger == "always" and len(rows) > MOST_TASKS:
            raise TooBig(
                f"the table has {len(rows)} lines, and the pool starts a task for each",
                f"bring at most {MOST_TASKS} at once, or choose the trigger 'no_task_active'",
            )
        _check_keys(tx, who, pool, rows)
        for first in range(0, len(rows), WRITTEN_AT_ONCE):
            pool_entries.add(tx, who.scope, pool.id, rows[first : first + WRITTEN_AT_ONCE], now)
        pools.count_moves(tx, who.scope, pool.id, {"open": len(rows)})
        for _ in range(len(rows) if pool.trigger == "always" else 1):
            pool_moves.start_task_if_wanted(tx, who, pool, now)
        audit.record(tx, who.scope, "pool.push", f"pool {pool.label}", now, imported=len(rows))
        return wire.Imported(count=len(rows))

    def work(tx: sa.Connection) -> wire.Imported:
        check_bot(tx, who)
        return once(tx, who.scope, request, lambda: make(tx), wire.Imported)[0]

    if not rows:
        return wire.Imported(count=0)
    made = site.store.write(work)
    tell(site, who)
    return made


class _Table(msgspec.Struct, kw_only=True, frozen=True):
    """What a repeated import must have in common with the first."""

    label: str
    sha256: str


def _text(pieces: Iterable[bytes]) -> str:
    decode = codecs.getincrementaldecoder("utf-8-sig")()
    parts, size = [], 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > MOST_BYTES:
                raise TooBig(f"the table is larger than {MOST_BYTES // 2**20} MB", "bring it in parts")
            parts.append(decode.decode(piece))
        parts.append(decode.decode(b"", final=True))
    except UnicodeDecodeError:
        raise InvalidInput("the table is not in UTF-8", "save it as 'CSV UTF-8'") from None
    return "".join(parts)


def _rows(schema: list[wire.PoolField], text: str) -> list[dict[str, Any]]:
    """The entries' columns, line by line; of a table that was exported here, in the order in which they came."""
    head, _, _ = text.partition("\n")
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[dict[str, Any]] = []
    troubles: list[str] = []
    keys: dict[str, int] = {}
    try:
        names, back = _head(schema, next(reader, []))
        for line in reader:
            if len(rows) >= MOST_ROWS:
                raise TooBig(f"the table has more than {MOST_ROWS} lines", "bring it in parts")
            if not any(line):
                continue
            try:
                row = _row(schema, names, [unquoted(text) for text in line] if back else line, comma=separator == ";")
                _check_twice(keys, row["unique_key"], reader.line_num)
                rows.append(row)
            except InvalidInput as error:
                troubles.append(f"line {reader.line_num}: {error.message}")
                if len(troubles) == MOST_TROUBLES:
                    break
    except csv.Error as error:
        raise InvalidInput(f"line {reader.line_num} of the table cannot be read: {error}") from None
    if troubles:
        raise InvalidInput("nothing was imported. " + "; ".join(troubles), "mend these lines and bring the table again")
    return rows[::-1] if back else rows


def _head(schema: list[wire.PoolField], head: list[str]) -> tuple[list[str], bool]:
    """The names of the columns, ``""`` for one that is passed over, and whether the table was exported."""
    names = _names(head)
    if not _EXPORTED.issubset(names):
        return names, False
    own = _EXPORTED - {PRIORITY, MORE, *(field.label for field in schema)}
    return ["" if name in own else name for name in names], True


def _names(head: list[str]) -> list[str]:
    names = [checks.name(name.strip(), "the head of a column") for name in head]
    if not any(names):
        raise InvalidInput("the table has no first line with the fields' names", "the pool's sample shows them")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise InvalidInput(f"the table has the column '{checks.shortened(min(twice))}' twice")
    return names


def _row(schema: list[wire.PoolField], names: list[str], line: list[str], *, comma: bool) -> dict[str, Any]:
    """``comma``: numbers may be written ``12,5``, as spreadsheets do that part cells with ``;``."""
    if len(line) > len(names) and any(line[len(names) :]):
        raise InvalidInput(f"it has {len(line)} cells, and the first line names {len(names)}")
    fields = {field.label: field for field in schema}
    values: dict[str, Any] = {}
    priority = 0
    for name, text in zip(names, line, strict=False):
        if name in fields:
            pointed = comma and fields[name].type == "double" and "." not in text
            values[name] = typed(fields[name], text.replace(",", ".", 1) if pointed else text)
        elif name == PRIORITY:
            priority = _priority(text)
        elif name == MORE:
            values |= _more(text)
        elif name:
            values[name] = checks.text(text, checks.shortened(name))
    return columns(schema, {name: value for name, value in values.items() if value is not None}, priority)


def _priority(text: str) -> int:
    if not text.strip():
        return 0
    if not (text.strip().isascii() and text.strip().isdigit() and len(text) < len("1000")):
        raise InvalidInput(f"the priority is '{checks.shortened(text)}'; 0 to {HIGHEST_PRIORITY} is allowed")
    return int(text)


def _more(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidInput(f"'{MORE}' is no JSON object")
    return found


def _check_twice(keys: dict[str, int], key: str, line: int) -> None:
    if key and key in keys:
        raise InvalidInput(f"its unique key '{checks.shortened(key)}' is that of line {keys[key]}")
    keys[key] = line


def _check_keys(tx: sa.Connection, who: Principal, pool: Row, rows: list[dict[str, Any]]) -> None:
    keys = [row["unique_key"] for row in rows if row["unique_key"]]
    for first in range(0, len(keys), KEYS_AT_ONCE):
        there = pool_entries.taken_keys(tx, who.scope, pool.id, keys[first : first + KEYS_AT_ONCE])
        if there:
            key, entry = min(there.items())
            raise Conflict(
                f"nothing was imported: {len(there)} unique keys or more wait or are in work already,"
                f" as '{checks.shortened(key)}' of entry {entry}",
                "leave these lines out, or wait for their entries' end",
            )


@action("pool.read")
def sample(site: Site, who: Principal, label: str) -> bytes:
    """A table with the pool's fields and one line, to fill in."""
    pool = site.store.read(lambda tx: pools.row(tx, who.scope, label))
    examples = {"text": "text", "integer": "1", "double": "1.5"}
    schema = schema_of(pool) or [wire.PoolField(label="field")]
    text = io.StringIO()
    writer = csv.writer(text)
    own = [] if any(field.label == PRIORITY for field in schema) else [PRIORITY]
    writer.writerow([cell(field.label) for field in schema] + own)
    writer.writerow([examples[field.type] for field in schema] + ["0" for _ in own])
    return taken(text)


@action("pool.read")
def exported(
    site: Site, who: Principal, label: str, asked: pool_work.Asked, *, separator: Literal[",", ";"] = ","
) -> Iterator[bytes]:
    """The entries that match as a table, newest first, in pieces. With ``;`` it is what Excel reads where numbers
    have a comma: with a byte order mark, and commas in numbers.
    """
    pool = site.store.read(lambda tx: pools.row(tx, who.scope, label))
    return _csv(schema_of(pool), _every(site, who, label, asked), separator)


_OF_ENTRIES = ("id", "state", "priority", "unique_key", "message", "error_type", "retry_index", "parent", "child")
_OF_WORK = ("task_id", "attempt", "runner", "created_by", "created_at", "taken_at", "ended_at")
_EXPORTED = frozenset({*_OF_ENTRIES, MORE, *_OF_WORK})
"""A table with all of these was exported: they tell what became of entries, and are no values of new ones."""


def _csv(schema: list[wire.PoolField], rows: Iterator[wire.PoolEntry], separator: str) -> Iterator[bytes]:
    fields = [field.label for field in schema]
    point = "," if separator == ";" else "."
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    if separator == ";":
        text.write("\ufeff")
    writer.writerow(cell(each) for each in [*_OF_ENTRIES, *fields, MORE, *_OF_WORK])
    for entry in rows:
        more = {name: value for name, value in entry.values.items() if name not in fields}
        line = [getattr(entry, name) for name in _OF_ENTRIES]
        line += [entry.values.get(name) for name in fields]
        line += [more or None, *(_plain(getattr(entry, name)) for name in _OF_WORK)]
        writer.writerow(cell(each, point) for each in line)
        if text.tell() > PIECE_CHARACTERS:
            yield taken(text)
    yield taken(text)


def _plain(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds") if hasattr(value, "isoformat") else value


def _every(site: Site, who: Principal, label: str, asked: pool_work.Asked) -> Iterator[wire.PoolEntry]:
    before = asked.before
    while True:
        part = pool_work.Asked(state=asked.state, search=asked.search, before=before, limit=READ_AT_ONCE)
        rows = pool_work.list_entries(site, who, label, part)
        yield from rows
        if len(rows) < READ_AT_ONCE:
            return
        before = rows[-1].id
