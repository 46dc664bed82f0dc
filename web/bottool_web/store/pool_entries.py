"""Entries of data pools: pulled by one guarded statement, moved with their pool locked. Lists are in ``pool_lists``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool.errors import NotFound
from bottool_web.store.moves import Row
from bottool_web.store.pool_tables import data_pool, pool_entry, pool_move
from bottool_web.store.scope import Scope

LARGEST_ID = 2**31
_PENDING, _PROCESSING, _TIMEOUT = (
    sa.literal(word, literal_execute=True) for word in ("pending", "processing", "timeout")
)
_HELD = pool_entry.c.state.in_([_PROCESSING, _TIMEOUT])


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who pulls: an attempt of a task, or nobody who is known yet; until ``due_at`` when the pool has a limit."""

    at: datetime
    due_at: datetime | None = None
    task_id: int | None = None
    attempt_id: int | None = None


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
    found = None
    if 0 < entry_id < LARGEST_ID:
        found = tx.execute(
            sa.select(pool_entry)
            .where(
                pool_entry.c.workspace_id == scope.workspace_id,
                pool_entry.c.pool_id == pool_id,
                pool_entry.c.id == entry_id,
            )
            .with_for_update()
        ).one_or_none()
    if found is None:
        raise NotFound(f"there is no entry {entry_id} in this data pool")
    return found


def change(tx: sa.Connection, scope: Scope, entry_id: int, values: Mapping[str, Any]) -> None:
    tx.execute(
        sa.update(pool_entry)
        .where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.id == entry_id)
        .values(dict(values))
    )


def remove(tx: sa.Connection, scope: Scope, ids: Collection[int]) -> None:
    """Take the rows away for good, with their moves; their ids are not used again, and nothing links to them."""
    mine = pool_entry.c.workspace_id == scope.workspace_id
    gone = sa.select(pool_entry.c.id).where(mine, pool_entry.c.id.in_(ids))
    for link, back in (("parent_id", pool_entry.c.child_id), ("child_id", pool_entry.c.parent_id)):
        linked = sa.select(back).where(mine, pool_entry.c.id.in_(ids), back.is_not(None))
        tx.execute(sa.update(pool_entry).where(mine, pool_entry.c.id.in_(linked)).values({link: None}))
    tx.execute(
        sa.delete(pool_move).where(pool_move.c.workspace_id == scope.workspace_id, pool_move.c.entry_id.in_(gone))
    )
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


def call_overdue(tx: sa.Connection, scope: Scope, ids: Collection[int], now: datetime) -> list[Row]:
    """Those of ``ids`` that are still in work, and late, become ``timeout``; returns their id, task_id, attempt_id."""
    return list(
        tx.execute(
            sa.update(pool_entry)
            .where(
                pool_entry.c.workspace_id == scope.workspace_id,
                pool_entry.c.id.in_(ids),
                pool_entry.c.state == _PROCESSING,
                pool_entry.c.due_at <= now,
            )
            .values(state="timeout")
            .returning(pool_entry.c.id, pool_entry.c.task_id, pool_entry.c.attempt_id)
        )
    )


def purge(tx: sa.Connection, scope: Scope, limit: int) -> int:
    """Drop entries of deleted pools; returns how many."""
    dead = sa.select(data_pool.c.id).where(
        data_pool.c.workspace_id == scope.workspace_id, data_pool.c.deleted_at.is_not(None)
    )
    statement = sa.select(pool_entry.c.id).where(
        pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.pool_id.in_(dead)
    )
    ids = list(tx.scalars(statement.limit(limit)))
    if ids:
        remove(tx, scope, ids)
    return len(ids)


def has_pending(tx: sa.Connection, scope: Scope, pool_id: int) -> bool:
    statement = sa.select(pool_entry.c.id).where(
        pool_entry.c.workspace_id == scope.workspace_id,
        pool_entry.c.pool_id == pool_id,
        pool_entry.c.state == _PENDING,
    )
    return tx.scalar(statement.limit(1)) is not None


def has_work_after(tx: sa.Connection, scope: Scope, pool_id: int, over: Row) -> bool:
    """Whether entries wait and the attempt that is over does not prove that they end every attempt at once.

    It brought one of the pool to an end, or one came in after it began.
    """
    if not has_pending(tx, scope, pool_id):
        return False
    mine = (pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.pool_id == pool_id)
    ended = sa.select(pool_entry.c.id).where(
        *mine, pool_entry.c.task_id == over.task_id, pool_entry.c.state.in_(["done", "error"])
    )
    newer = sa.select(pool_entry.c.id).where(
        *mine, pool_entry.c.state == _PENDING, pool_entry.c.created_at >= over.leased_at
    )
    return any(tx.scalar(each.limit(1)) is not None for each in (ended, newer))
