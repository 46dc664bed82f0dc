"""Logs and their entries: found by label, read by period, page by page."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.log_tables import log, log_entry
from bottool_web.store.scope import Scope
from bottool_web.store.tables import repository, task, workspace
from bottool_web.store.taken import conflict_when_taken

_SEEN = sa.select(
    log.c.id, log.c.label, log.c["columns"], repository.c.label.label("repository"), log.c.created_by, log.c.created_at
).join(repository, repository.c.id == log.c.repository_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are wanted, newest first. ``before`` is the id of the entry after which the page goes on."""

    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    first: int = 0
    limit: int = 50
    descending: bool = True


def all_living(tx: sa.Connection, scope: Scope) -> list[wire.Log]:
    """By label."""
    rows = tx.execute(_SEEN.where(_living(scope)).order_by(log.c.label)).mappings()
    return [_log(row) for row in rows]


def find(tx: sa.Connection, scope: Scope, name: str) -> wire.Log:
    """By its label, or by Maestro's id ``<workspace>-<label>``; of the two the label counts first.

    :raises NotFound: when the workspace has no such log.
    """
    row = tx.execute(_SEEN.where(_living(scope), log.c.label == name)).mappings().one_or_none()
    if row is None:
        label = tx.scalar(sa.select(workspace.c.label).where(workspace.c.id == scope.workspace_id))
        if label is not None and name.startswith(f"{label}-"):
            rest = name[len(label) + 1 :]
            row = tx.execute(_SEEN.where(_living(scope), log.c.label == rest)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no log '{name}'")
    return _log(row)


def add(tx: sa.Connection, scope: Scope, new: wire.NewLog, repository_id: int, now: datetime) -> None:
    """:raises Conflict: when the label is taken."""
    with conflict_when_taken(f"there is a log '{new.label}' already", "write into it, or take another label"):
        tx.execute(
            sa.insert(log).values(
                workspace_id=scope.workspace_id,
                repository_id=repository_id,
                label=new.label,
                columns=msgspec.to_builtins(new.columns),
                created_by=scope.principal.name,
                created_at=now,
            )
        )


def set_columns(tx: sa.Connection, scope: Scope, log_id: int, columns: list[wire.LogColumn]) -> None:
    tx.execute(sa.update(log).where(_living(scope), log.c.id == log_id).values(columns=msgspec.to_builtins(columns)))


def delete(tx: sa.Connection, scope: Scope, log_id: int, now: datetime) -> None:
    """Nobody sees it from now on; its entries go piece by piece, see ``purge``."""
    tx.execute(sa.update(log).where(_living(scope), log.c.id == log_id).values(deleted_at=now))


def purge(tx: sa.Connection, scope: Scope, limit: int) -> int:
    """Drop up to ``limit`` entries of logs that were deleted; returns how many."""
    gone = sa.select(log.c.id).where(log.c.workspace_id == scope.workspace_id, log.c.deleted_at.is_not(None))
    some = (
        sa.select(log_entry.c.id)
        .where(log_entry.c.workspace_id == scope.workspace_id, log_entry.c.log_id.in_(gone))
        .limit(limit)
    )
    return tx.execute(sa.delete(log_entry).where(log_entry.c.id.in_(some))).rowcount


def add_entry(tx: sa.Connection, scope: Scope, log_id: int, new: wire.NewLogEntry, now: datetime) -> wire.LogEntry:
    """:raises NotFound: when the workspace has no such task."""
    task_id = new.task_id
    if task_id is not None and not tx.scalar(
        sa.select(sa.literal(1)).where(task.c.workspace_id == scope.workspace_id, task.c.id == task_id)
    ):
        raise NotFound(f"there is no task {task_id}")
    own = scope.principal.attempt if task_id == scope.principal.task_id else None
    made = tx.execute(
        sa.insert(log_entry)
        .values(
            workspace_id=scope.workspace_id,
            log_id=log_id,
            values=new.values,
            task_id=task_id,
            attempt=own,
            created_by=scope.principal.name,
            at=now,
        )
        .returning(log_entry.c.id)
    ).scalar_one()
    return wire.LogEntry(
        id=made, values=new.values, task_id=task_id, attempt=own, created_by=scope.principal.name, at=now
    )


def entries(tx: sa.Connection, scope: Scope, log_id: int, wanted: Wanted) -> list[wire.LogEntry]:
    """By time, then by id: one index has both, so that a period and a page are each a piece of it."""
    order = (log_entry.c.at, log_entry.c.id)
    wanted, narrowed = _after(tx, scope, log_id, wanted)
    asked = (
        sa.select(
            log_entry.c.id,
            log_entry.c["values"],
            log_entry.c.task_id,
            log_entry.c.attempt,
            log_entry.c.created_by,
            log_entry.c.at,
        )
        .where(*_of(scope, log_id, wanted), *narrowed)
        .order_by(*(each.desc() if wanted.descending else each for each in order))
        .offset(wanted.first)
        .limit(wanted.limit)
    )
    return [wire.LogEntry(**row) for row in tx.execute(asked).mappings()]


def count(tx: sa.Connection, scope: Scope, log_id: int, wanted: Wanted, most: int) -> int:
    """How many there are in the period, counted up to ``most``."""
    some = sa.select(log_entry.c.id).where(*_of(scope, log_id, wanted)).limit(most).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(some)) or 0


def _of(scope: Scope, log_id: int, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    yield log_entry.c.workspace_id == scope.workspace_id
    yield log_entry.c.log_id == log_id
    if wanted.since is not None:
        yield log_entry.c.at >= wanted.since
    if wanted.until is not None:
        yield log_entry.c.at < wanted.until


def _after(
    tx: sa.Connection, scope: Scope, log_id: int, wanted: Wanted
) -> tuple[Wanted, tuple[sa.ColumnElement[bool], ...]]:
    """The period that is left, newest first, after the entry ``before``, and what else narrows it."""
    before = wanted.before
    if before is None:
        return wanted, ()
    own = (log_entry.c.workspace_id == scope.workspace_id, log_entry.c.log_id == log_id, log_entry.c.id == before)
    at = tx.scalar(sa.select(log_entry.c.at).where(*own))
    if at is None:
        return wanted, (log_entry.c.id < before,)
    # SQLite enters its index by one of the bounds, and not always by the tighter one: there is only one.
    ends = at + timedelta(microseconds=1)
    until = ends if wanted.until is None or ends < wanted.until else wanted.until
    return replace(wanted, until=until), (sa.or_(log_entry.c.at < at, log_entry.c.id < before),)


def _living(scope: Scope) -> sa.ColumnElement[bool]:
    return sa.and_(log.c.workspace_id == scope.workspace_id, log.c.deleted_at.is_(None))


def _log(row: Any) -> wire.Log:
    return wire.Log(**{**row, "columns": msgspec.convert(row["columns"], list[wire.LogColumn])})
