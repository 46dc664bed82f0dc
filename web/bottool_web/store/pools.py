"""Data pools as rows and as people see them. Their entries are in ``pool_entries``."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound, did_you_mean
from bottool_web.store.moves import Row
from bottool_web.store.pool_tables import data_pool, pool_entry
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, repository, task
from bottool_web.store.taken import conflict_when_taken

HINTS = 1000
UNFINISHED = ("scheduled", "queued", "leased", "starting", "running", "stopping", "lost")
_AS_THEY_ARE = (
    *("id", "label", "name", "policy", "trigger", "auto_retry", "max_auto_retry", "abort_on_error", "max_errors"),
    *("limits_time", "limit_minutes", "on_attempt_end", "active", "note", "errors_in_row", "created_at", "created_by"),
)


def add(tx: sa.Connection, scope: Scope, values: Mapping[str, Any], now: datetime) -> int:
    """Make a pool of the table's columns in ``values``, and return its id.

    :raises Conflict: when a living pool has the label.
    """
    with conflict_when_taken(f"there is a data pool '{values['label']}' already", "choose another label"):
        made: int = tx.execute(
            sa.insert(data_pool)
            .values(
                **values,
                workspace_id=scope.workspace_id,
                created_by=scope.principal.name,
                created_at=now,
                changed_at=now,
            )
            .returning(data_pool.c.id)
        ).scalar_one()
    return made


def change(tx: sa.Connection, scope: Scope, pool_id: int, values: Mapping[str, Any], now: datetime) -> None:
    tx.execute(
        sa.update(data_pool)
        .where(data_pool.c.workspace_id == scope.workspace_id, data_pool.c.id == pool_id)
        .values(**values, changed_at=now)
    )


def count_moves(tx: sa.Connection, scope: Scope, pool_id: int, by: Mapping[str, float]) -> None:
    """Add to the counters: columns of the table by name."""
    tx.execute(
        sa.update(data_pool)
        .where(data_pool.c.workspace_id == scope.workspace_id, data_pool.c.id == pool_id)
        .values({name: data_pool.c[name] + number for name, number in by.items()})
    )


def locked(tx: sa.Connection, scope: Scope, label: str) -> Row:
    """The living pool's row, which nobody else can change until this transaction ends. Lock it before its entries.

    :raises NotFound: with a hint when one of a similar label exists.
    """
    return _one(tx, scope, label, sa.select(data_pool).with_for_update())


def row(tx: sa.Connection, scope: Scope, label: str) -> Row:
    """The living pool's row, to read.

    :raises NotFound: as ``locked``.
    """
    return _one(tx, scope, label, sa.select(data_pool))


def locked_by_id(tx: sa.Connection, scope: Scope, pool_id: int) -> Row:
    """Also one that was deleted."""
    return tx.execute(
        sa.select(data_pool)
        .where(data_pool.c.workspace_id == scope.workspace_id, data_pool.c.id == pool_id)
        .with_for_update()
    ).one()


def get(tx: sa.Connection, scope: Scope, label: str) -> wire.Pool:
    """:raises NotFound: as ``locked``."""
    found = _one(tx, scope, label, _seen(scope))
    return _to_wire(found, counts(tx, scope, found))


def page(
    tx: sa.Connection, scope: Scope, *, search: str, before: int | None, offset: int, limit: int
) -> list[wire.Pool]:
    """Newest first."""
    statement = _seen(scope).where(_living(scope), _fits(search))
    if before is not None:
        statement = statement.where(data_pool.c.id < before)
    rows = tx.execute(statement.order_by(data_pool.c.id.desc()).offset(offset).limit(limit)).all()
    held = _held(tx, scope, [each.id for each in rows])
    return [_to_wire(each, _counts(each, held.get(each.id, {}))) for each in rows]


def count(tx: sa.Connection, scope: Scope, search: str) -> int:
    statement = sa.select(sa.func.count()).select_from(data_pool).where(_living(scope), _fits(search))
    return tx.scalar(statement) or 0


def counts(tx: sa.Connection, scope: Scope, pool: Row) -> wire.PoolCounts:
    """Of the pool's counters, and of the few entries that somebody works on."""
    return _counts(pool, _held(tx, scope, [pool.id]).get(pool.id, {}))


def with_trigger(tx: sa.Connection, scope: Scope, automation_id: int) -> list[int]:
    """Ids of the active pools that start tasks of the automation by themselves, smallest first."""
    return list(
        tx.scalars(
            sa.select(data_pool.c.id)
            .where(
                _living(scope),
                data_pool.c.automation_id == automation_id,
                data_pool.c.trigger != "never",
                data_pool.c.active,
            )
            .order_by(data_pool.c.id)
        )
    )


def has_unfinished_task(tx: sa.Connection, scope: Scope, automation_id: int) -> bool:
    """Whether a task of the automation waits or may be running."""
    states = [sa.literal(state, literal_execute=True) for state in UNFINISHED]
    return any(
        tx.scalar(
            sa.select(task.c.id)
            .where(
                task.c.workspace_id == scope.workspace_id,
                task.c.automation_id == automation_id,
                task.c.state == state,
            )
            .limit(1)
        )
        is not None
        for state in states
    )


def automation_lives(tx: sa.Connection, scope: Scope, automation_id: int) -> bool:
    """Whether it is there and was not deleted."""
    statement = sa.select(automation.c.id).where(
        automation.c.workspace_id == scope.workspace_id,
        automation.c.id == automation_id,
        automation.c.deleted_at.is_(None),
    )
    return tx.scalar(statement) is not None


def _one(tx: sa.Connection, scope: Scope, label: str, statement: sa.Select[Any]) -> Row:
    found = tx.execute(statement.where(_living(scope), data_pool.c.label == label)).one_or_none()
    if found is None:
        known = tx.scalars(sa.select(data_pool.c.label).where(_living(scope)).limit(HINTS)).all()
        raise NotFound(
            f"there is no data pool '{label[:100]}'", did_you_mean(label, known) or "'bottool pool list' shows all"
        )
    return found


def _living(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(data_pool.c.workspace_id == scope.workspace_id, data_pool.c.deleted_at.is_(None))


def _fits(search: str) -> sa.ColumnElement[bool]:
    if not search:
        return sa.true()
    return data_pool.c.label.icontains(search, autoescape=True) | data_pool.c.name.icontains(search, autoescape=True)


def _seen(scope: Scope) -> sa.Select[Any]:
    return (
        sa.select(data_pool, repository.c.label.label("repository"), automation.c.label.label("automation"))
        .join(repository, repository.c.id == data_pool.c.repository_id)
        .outerjoin(automation, automation.c.id == data_pool.c.automation_id)
        .where(data_pool.c.workspace_id == scope.workspace_id)
    )


def _held(tx: sa.Connection, scope: Scope, pool_ids: list[int]) -> dict[int, dict[str, int]]:
    if not pool_ids:
        return {}
    held = pool_entry.c.state.in_([sa.literal(word, literal_execute=True) for word in ("processing", "timeout")])
    rows = tx.execute(
        sa.select(pool_entry.c.pool_id, pool_entry.c.state, sa.func.count())
        .where(pool_entry.c.workspace_id == scope.workspace_id, pool_entry.c.pool_id.in_(pool_ids), held)
        .group_by(pool_entry.c.pool_id, pool_entry.c.state)
    )
    found: dict[int, dict[str, int]] = {}
    for pool_id, state, number in rows:
        found.setdefault(pool_id, {})[state] = number
    return found


def _counts(pool: Row, held: Mapping[str, int]) -> wire.PoolCounts:
    processing, timeout = held.get("processing", 0), held.get("timeout", 0)
    return wire.PoolCounts(
        pending=max(pool.open - processing - timeout, 0),
        processing=processing,
        timeout=timeout,
        done=pool.done,
        error=pool.failed,
        cancelled=pool.cancelled,
        average_seconds=round(pool.done_seconds / pool.done, 3) if pool.done else 0.0,
    )


def _to_wire(found: Row, counts: wire.PoolCounts) -> wire.Pool:
    said = found._asdict()
    return wire.Pool(
        **{name: said[name] for name in _AS_THEY_ARE},
        repository=found.repository,
        automation=found.automation or "",
        schema=msgspec.convert(said["schema"], list[wire.PoolField]),
        counts=counts,
    )
