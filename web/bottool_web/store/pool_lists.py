"""Lists of a data pool's entries: by state, by a search, by id; and what happened to one of them."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool_web.store.moves import Row
from bottool_web.store.pool_entries import seen, to_wire
from bottool_web.store.pool_tables import pool_entry, pool_move
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt

SEARCHED = 20_000
"""A part of a text is looked for among so many of the newest entries; a whole unique key among all."""


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


def page(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted) -> list[wire.PoolEntry]:
    """Newest first unless ``wanted`` says otherwise."""
    found = _ids(tx, scope, pool_id, wanted)
    if not found:
        return []
    rows = tx.execute(seen(scope).where(pool_entry.c.id.in_(found)))
    by_id = {each.id: to_wire(each) for each in rows}
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
            .where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.id.in_(found))
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
