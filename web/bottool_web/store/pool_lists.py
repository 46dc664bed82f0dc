"""Lists of a data pool's entries: by state, by a search, by id; and what happened to one of them."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.moves import Row
from bottool_web.store.pool_entries import LARGEST_ID
from bottool_web.store.pool_tables import data_pool, pool_entry, pool_move
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, runner

SEARCHED = 20_000
"""A part of a text is looked for among so many of the newest entries; a whole unique key among all."""
_AS_THEY_ARE = (
    *("id", "state", "priority", "values", "unique_key", "display_value", "message", "error_type", "retry_index"),
    *("task_id", "returned", "created_by", "created_at", "taken_at", "due_at", "ended_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries of a pool. Empty and ``None`` do not narrow; ``before`` is the id after which a list goes on.

    ``retryable`` leaves out those that a living attempt has, and those that were tried again already.
    """

    state: str = ""
    search: str = ""
    ids: tuple[int, ...] = ()
    before: int | None = None
    first: int = 0
    limit: int = 50
    descending: bool = True
    retryable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What happened to an entry, to be written. Who did it is the scope's principal."""

    kind: str
    at: datetime
    task_id: int | None = None
    attempt_id: int | None = None
    message: str = ""


def get(tx: sa.Connection, scope: Scope, pool_id: int, entry_id: int) -> wire.PoolEntry:
    """:raises NotFound: when the pool has no such entry."""
    found = page(tx, scope, pool_id, Wanted(ids=(entry_id,), limit=1)) if 0 < entry_id < LARGEST_ID else []
    if not found:
        raise NotFound(f"there is no entry {entry_id} in this data pool")
    return found[0]


def page(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted) -> list[wire.PoolEntry]:
    """Newest first unless ``wanted`` says otherwise."""
    found = _ids(tx, scope, pool_id, wanted)
    if not found:
        return []
    rows = tx.execute(_seen(scope).where(pool_entry.c.id.in_(found)))
    by_id = {each.id: _to_wire(each) for each in rows}
    return [by_id[each] for each in found]


def count(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted, most: int) -> int:
    """How many match, counted up to ``most``."""
    matching = _matching(scope, pool_id, wanted).limit(most).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(matching)) or 0


def locked(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted) -> list[Row]:
    """The rows themselves, newest first, locked."""
    found = _ids(tx, scope, pool_id, wanted)
    if not found:
        return []
    return list(
        tx.execute(
            sa.select(pool_entry)
            .where(
                pool_entry.c.workspace_id == scope.workspace_id,
                pool_entry.c.id.in_(found),
                # Looked at again once it is locked: a pull may have come between.
                pool_entry.c.state == wanted.state if wanted.state else sa.true(),
            )
            .order_by(pool_entry.c.id.desc())
            .with_for_update()
        )
    )


def note(tx: sa.Connection, scope: Scope, ids: Collection[int], move: Move) -> None:
    """Write the same move for each of the entries."""
    common = {
        "workspace_id": scope.workspace_id,
        "kind": move.kind,
        "actor": scope.principal.name,
        "task_id": move.task_id,
        "attempt_id": move.attempt_id,
        "message": move.message,
        "at": move.at,
    }
    if ids:
        tx.execute(sa.insert(pool_move), [{**common, "entry_id": each} for each in ids])


def moves(tx: sa.Connection, scope: Scope, entry_id: int) -> list[wire.PoolMove]:
    """What happened to an entry, oldest first."""
    rows = tx.execute(
        sa.select(
            pool_move.c.kind,
            pool_move.c.actor,
            pool_move.c.task_id,
            attempt.c.number.label("attempt"),
            pool_move.c.message,
            pool_move.c.at,
        )
        .outerjoin(attempt, attempt.c.id == pool_move.c.attempt_id)
        .where(pool_move.c.workspace_id == scope.workspace_id, pool_move.c.entry_id == entry_id)
        .order_by(pool_move.c.id)
    ).mappings()
    return [wire.PoolMove(**row) for row in rows]


def _ids(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted) -> list[int]:
    order = pool_entry.c.id.desc() if wanted.descending else pool_entry.c.id
    statement = _matching(scope, pool_id, wanted).order_by(order).limit(wanted.limit).offset(wanted.first)
    return list(tx.scalars(statement))


def _matching(scope: Scope, pool_id: int, wanted: Wanted) -> sa.Select[tuple[int]]:
    """The ids of those that match, in no order."""
    mine = [pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.pool_id == pool_id]
    if wanted.state:
        mine.append(pool_entry.c.state == wanted.state)
    if wanted.retryable:
        mine += [pool_entry.c.child_id.is_(None), sa.not_(_living_holder())]
    statement = sa.select(pool_entry.c.id).where(*mine)
    if wanted.ids:
        statement = statement.where(pool_entry.c.id.in_(wanted.ids))
    if wanted.before is not None:
        statement = statement.where(pool_entry.c.id < wanted.before)
    if wanted.search:
        newest = sa.select(pool_entry.c.id).where(*mine).order_by(pool_entry.c.id.desc()).limit(SEARCHED)
        among = sa.select(pool_entry.c.id).where(pool_entry.c.id.in_(newest), _has(wanted.search))
        whole = sa.select(pool_entry.c.id).where(*mine, pool_entry.c.unique_key == wanted.search)
        statement = statement.where(pool_entry.c.id.in_(sa.union(among, whole)))
    return statement


def _living_holder() -> sa.ColumnElement[bool]:
    """Whether an attempt has the entry that may still report it."""
    return (
        sa.exists()
        .where(
            pool_entry.c.state.in_(["processing", "timeout"]),
            attempt.c.id == pool_entry.c.attempt_id,
            attempt.c.state != "ended",
            attempt.c.reason != "lost",
        )
        .correlate(pool_entry)
    )


def _has(search: str) -> sa.ColumnElement[bool]:
    """The text somewhere in the entry: its key, its shown value, its message, or any of its values."""
    values = sa.cast(pool_entry.c["values"], sa.Text)
    texts: list[Any] = [pool_entry.c.unique_key, pool_entry.c.display_value, pool_entry.c.message, values]
    found = [each.icontains(search, autoescape=True) for each in texts]
    if not search.isascii():
        # One of the databases keeps JSON with escapes for all that is not ASCII.
        found.append(values.icontains(json.dumps(search)[1:-1], autoescape=True))
    return sa.or_(*found)


def _seen(scope: Scope) -> sa.Select[Any]:
    return (
        sa.select(
            pool_entry,
            data_pool.c.label.label("pool"),
            attempt.c.number.label("attempt"),
            runner.c.machine_id.label("runner"),
        )
        .join(data_pool, data_pool.c.id == pool_entry.c.pool_id)
        .outerjoin(attempt, attempt.c.id == pool_entry.c.attempt_id)
        .outerjoin(runner, runner.c.id == attempt.c.runner_id)
        .where(pool_entry.c.workspace_id == scope.workspace_id)
    )


def _to_wire(found: Row) -> wire.PoolEntry:
    said = found._asdict()
    return wire.PoolEntry(
        **{name: said[name] for name in _AS_THEY_ARE},
        pool=found.pool,
        parent=found.parent_id,
        child=found.child_id,
        attempt=found.attempt,
        runner=found.runner or "",
    )
