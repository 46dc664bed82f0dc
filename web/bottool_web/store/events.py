"""The history of tasks: one row for each move and each refusal, written in the transaction of what it tells.

Rows are never changed. Replaying ``old`` and ``new`` of a task's rows gives its state; rows with both empty tell of
something that moved no task.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool_web.store.scope import Scope
from bottool_web.store.tables import event

_ADD = sa.insert(event)
REFUSALS_KEPT = 50
"""A runner that repeats a refused call for ever must not fill the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    task_id: int
    attempt: int | None
    kind: str
    at: datetime
    old: str = ""
    new: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def add(tx: sa.Connection, scope: Scope, new: NewEvent) -> None:
    values = {
        "workspace_id": scope.workspace_id,
        "task_id": new.task_id,
        "attempt": new.attempt,
        "kind": new.kind,
        "old": new.old,
        "new": new.new,
        "actor": scope.principal.name,
        "detail": dict(new.detail),
        "at": new.at,
    }
    tx.execute(_ADD, values)


def add_refusal(tx: sa.Connection, scope: Scope, refusal: NewEvent) -> None:
    """Keep what was refused, where a person sees it; after ``REFUSALS_KEPT`` of one task nothing more is kept."""
    kept = tx.scalar(
        sa.select(sa.func.count())
        .select_from(event)
        .where(
            event.c.workspace_id == scope.workspace_id,
            event.c.task_id == refusal.task_id,
            event.c.kind == refusal.kind,
        )
    )
    if (kept or 0) < REFUSALS_KEPT:
        add(tx, scope, refusal)


def of_task(tx: sa.Connection, scope: Scope, task_id: int) -> list[wire.Event]:
    """Oldest first."""
    rows = tx.execute(
        sa.select(event)
        .where(event.c.workspace_id == scope.workspace_id, event.c.task_id == task_id)
        .order_by(event.c.id)
    )
    return [
        wire.Event(
            id=row.id,
            task_id=row.task_id,
            attempt=row.attempt,
            kind=row.kind,
            old=row.old,
            new=row.new,
            actor=row.actor,
            detail=row.detail,
            at=row.at,
        )
        for row in rows
    ]
