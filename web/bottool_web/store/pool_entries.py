"""Entries of data pools: pulled by one guarded statement, moved with their pool locked, found by state and key."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.moves import Row
from bottool_web.store.pool_tables import data_pool, pool_entry
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, runner

LARGEST_ID = 2**31
SEARCHED = 20_000
"""A part of a key is looked for among so many of the newest entries; a whole key among all."""
_PENDING, _PROCESSING, _TIMEOUT = (
    sa.literal(word, literal_execute=True) for word in ("pending", "processing", "timeout")
)
_HELD = pool_entry.c.state.in_([_PROCESSING, _TIMEOUT])
_AS_THEY_ARE = (
    *("id", "state", "priority", "values", "unique_key", "display_value", "message", "error_type", "retry_index"),
    *("task_id", "returned", "created_by", "created_at", "taken_at", "due_at", "ended_at"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who pulls: an attempt of a task, or nobody who is known yet; until ``due_at`` when the pool has a limit."""

    at: datetime
    due_at: datetime | None = None
    task_id: int | None = None
    attempt_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries of a pool. Empty and ``None`` do not narrow; ``before`` is the id after which a list goes on."""

    state: str = ""
    search: str = ""
    ids: tuple[int, ...] = ()
    before: int | None = None
    first: int = 0
    limit: int = 50
    descending: bool = True


def add(tx: sa.Connection, scope: Scope, pool_id: int, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Write pending entries, of the table's columns in each of ``rows``."""
    common = {
        "workspace_id": scope.workspace_id,
        "pool_id": pool_id,
        "state": "pending",
        "created_by": scope.principal.name,
        "created_at": now,
    }
    tx.execute(sa.insert(pool_entry), [{**common, **each} for each in rows])


def add_one(tx: sa.Connection, scope: Scope, pool_id: int, values: Mapping[str, Any], now: datetime) -> int:
    made: int = tx.execute(
        sa.insert(pool_entry)
        .values(
            **values,
            workspace_id=scope.workspace_id,
            pool_id=pool_id,
            state="pending",
            created_by=scope.principal.name,
            created_at=now,
        )
        .returning(pool_entry.c.id)
    ).scalar_one()
    return made


def pull(tx: sa.Connection, scope: Scope, pool: Row, holder: Holder) -> int | None:
    """Give the pool's next entry to ``holder``, in one statement; ``None`` when there is none, or the pool is inactive.

    PostgreSQL passes over those that another pull has in its hand; on SQLite there is one writer.
    """
    waiting = pool_entry.alias("waiting")
    age = waiting.c.id.desc() if pool.policy == "lifo" else waiting.c.id
    switched_on = sa.exists().where(data_pool.c.id == pool.id, data_pool.c.active, data_pool.c.deleted_at.is_(None))
    first = (
        sa.select(waiting.c.id)
        .where(
            waiting.c.workspace_id == scope.workspace_id,
            waiting.c.pool_id == pool.id,
            waiting.c.state == _PENDING,
            switched_on,
        )
        .order_by(waiting.c.priority.desc(), age)
        .limit(1)
        .with_for_update(skip_locked=True, of=waiting)
        .scalar_subquery()
    )
    taken: int | None = tx.scalar(
        sa.update(pool_entry)
        .where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.id == first)
        .values(
            state="processing",
            taken_at=holder.at,
            due_at=holder.due_at,
            task_id=holder.task_id,
            attempt_id=holder.attempt_id,
            message="",
            error_type="",
            ended_at=None,
        )
        .returning(pool_entry.c.id)
    )
    return taken


def locked(tx: sa.Connection, scope: Scope, pool_id: int, entry_id: int) -> Row:
    """:raises NotFound: when the pool has no such entry."""
    return _one(tx, scope, pool_id, entry_id, sa.select(pool_entry).with_for_update())


def get(tx: sa.Connection, scope: Scope, pool_id: int, entry_id: int) -> wire.PoolEntry:
    """:raises NotFound: when the pool has no such entry."""
    return _to_wire(_one(tx, scope, pool_id, entry_id, _seen(scope)))


def change(tx: sa.Connection, scope: Scope, entry_id: int, values: Mapping[str, Any]) -> None:
    tx.execute(
        sa.update(pool_entry)
        .where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.id == entry_id)
        .values(dict(values))
    )


def change_all(tx: sa.Connection, scope: Scope, ids: Collection[int], values: Mapping[str, Any]) -> None:
    tx.execute(
        sa.update(pool_entry)
        .where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.id.in_(ids))
        .values(dict(values))
    )


def remove(tx: sa.Connection, scope: Scope, ids: Collection[int]) -> None:
    """Take the rows away for good; their ids are not used again."""
    tx.execute(sa.delete(pool_entry).where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.id.in_(ids)))


def taken_keys(tx: sa.Connection, scope: Scope, pool_id: int, keys: Collection[str]) -> dict[str, int]:
    """Which of the unique keys an entry has that waits or is in work, and that entry's id."""
    rows = tx.execute(
        sa.select(pool_entry.c.unique_key, pool_entry.c.id).where(
            pool_entry.c.workspace_id == scope.workspace_id,
            pool_entry.c.pool_id == pool_id,
            pool_entry.c.unique_key.in_(keys),
            pool_entry.c.state.in_(["pending", "processing"]),
        )
    )
    return {found.unique_key: found.id for found in rows}


def held_by(tx: sa.Connection, scope: Scope, attempt_id: int) -> list[Row]:
    """Entries that an attempt has and did not report, by pool."""
    return list(
        tx.execute(
            sa.select(pool_entry)
            .where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.attempt_id == attempt_id, _HELD)
            .order_by(pool_entry.c.pool_id, pool_entry.c.id)
        )
    )


def overdue(tx: sa.Connection, scope: Scope, now: datetime, *, limit: int) -> list[int]:
    """Ids of entries in work whose time is over."""
    return list(
        tx.scalars(
            sa.select(pool_entry.c.id)
            .where(
                pool_entry.c.workspace_id == scope.workspace_id,
                pool_entry.c.state == _PROCESSING,
                pool_entry.c.due_at <= now,
            )
            .order_by(pool_entry.c.due_at)
            .limit(limit)
        )
    )


def call_overdue(tx: sa.Connection, scope: Scope, ids: Collection[int], now: datetime) -> int:
    """Those of ``ids`` that are still in work, and late, become ``timeout``; returns how many."""
    return tx.execute(
        sa.update(pool_entry)
        .where(
            pool_entry.c.workspace_id == scope.workspace_id,
            pool_entry.c.id.in_(ids),
            pool_entry.c.state == _PROCESSING,
            pool_entry.c.due_at <= now,
        )
        .values(state="timeout")
    ).rowcount


def has_pending(tx: sa.Connection, scope: Scope, pool_id: int) -> bool:
    statement = sa.select(pool_entry.c.id).where(
        pool_entry.c.workspace_id == scope.workspace_id,
        pool_entry.c.pool_id == pool_id,
        pool_entry.c.state == _PENDING,
    )
    return tx.scalar(statement.limit(1)) is not None


def task_ended_any(tx: sa.Connection, scope: Scope, pool_id: int, task_id: int) -> bool:
    """Whether the task brought an entry of the pool to an end."""
    statement = sa.select(pool_entry.c.id).where(
        pool_entry.c.workspace_id == scope.workspace_id,
        pool_entry.c.task_id == task_id,
        pool_entry.c.pool_id == pool_id,
        pool_entry.c.state.in_(["done", "error"]),
    )
    return tx.scalar(statement.limit(1)) is not None


def page(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted) -> list[wire.PoolEntry]:
    """Newest first unless ``wanted`` says otherwise."""
    order = pool_entry.c.id.desc() if wanted.descending else pool_entry.c.id
    found = list(tx.scalars(_matching(scope, pool_id, wanted).order_by(order).limit(wanted.limit).offset(wanted.first)))
    if not found:
        return []
    rows = tx.execute(_seen(scope).where(pool_entry.c.id.in_(found)))
    by_id = {each.id: _to_wire(each) for each in rows}
    return [by_id[each] for each in found]


def count(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted, most: int) -> int:
    """How many match, counted up to ``most``."""
    matching = _matching(scope, pool_id, wanted).limit(most).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(matching)) or 0


def locked_matching(tx: sa.Connection, scope: Scope, pool_id: int, wanted: Wanted) -> list[Row]:
    """Oldest first, locked."""
    return list(
        tx.execute(
            sa.select(pool_entry)
            .where(
                pool_entry.c.workspace_id == scope.workspace_id,
                pool_entry.c.id.in_(_matching(scope, pool_id, wanted)),
            )
            .order_by(pool_entry.c.id)
            .limit(wanted.limit)
            .with_for_update()
        )
    )


def _matching(scope: Scope, pool_id: int, wanted: Wanted) -> sa.Select[tuple[int]]:
    """The ids of those that match, in no order."""
    mine = (pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.pool_id == pool_id)
    statement = sa.select(pool_entry.c.id).where(*mine)
    if wanted.state:
        statement = statement.where(pool_entry.c.state == wanted.state)
    if wanted.ids:
        statement = statement.where(pool_entry.c.id.in_(wanted.ids))
    if wanted.before is not None:
        statement = statement.where(pool_entry.c.id < wanted.before)
    if wanted.search:
        newest = sa.select(pool_entry.c.id).where(*mine)
        if wanted.state:
            newest = newest.where(pool_entry.c.state == wanted.state)
        newest = newest.order_by(pool_entry.c.id.desc()).limit(SEARCHED)
        has_part = pool_entry.c.unique_key.icontains(wanted.search, autoescape=True) | (
            pool_entry.c.display_value.icontains(wanted.search, autoescape=True)
        )
        among = sa.select(pool_entry.c.id).where(pool_entry.c.id.in_(newest), has_part)
        whole = sa.select(pool_entry.c.id).where(*mine, pool_entry.c.unique_key == wanted.search)
        statement = statement.where(pool_entry.c.id.in_(sa.union(among, whole)))
    return statement


def _one(tx: sa.Connection, scope: Scope, pool_id: int, entry_id: int, statement: sa.Select[Any]) -> Row:
    found = None
    if 0 < entry_id < LARGEST_ID:
        found = tx.execute(
            statement.where(
                pool_entry.c.workspace_id == scope.workspace_id,
                pool_entry.c.pool_id == pool_id,
                pool_entry.c.id == entry_id,
            )
        ).one_or_none()
    if found is None:
        raise NotFound(f"there is no entry {entry_id} in this data pool")
    return found


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
