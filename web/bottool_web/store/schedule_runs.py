"""What is due of schedules, and what came of each due time: one row each, and at most one task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bottool import wire
from bottool.states import ACTIVE, WAITING
from bottool_web.store.moves import Row
from bottool_web.store.schedule_tables import schedule, schedule_run
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, task

LOOK_BACK = 50
"""So many of a schedule's newest runs are looked at for a task that is not over yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What came of a due time. ``times``: so many due times in all, of which ``at`` is the last."""

    schedule_id: int
    at: datetime
    outcome: str
    reason: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """Which runs may go: those ``before`` a time, but for the ``keep`` newest; at most ``limit`` at once."""

    before: datetime
    keep: int
    limit: int


def due(tx: sa.Connection, scope: Scope, now: datetime, *, limit: int) -> list[Row]:
    """Schedules whose time has come, earliest first, with ``automation_deleted_at``."""
    return list(
        tx.execute(
            sa.select(schedule, automation.c.deleted_at.label("automation_deleted_at"))
            .join(automation, automation.c.id == schedule.c.automation_id)
            .where(schedule.c.workspace_id == scope.workspace_id, schedule.c.next_at <= now)
            .order_by(schedule.c.next_at)
            .limit(limit)
        )
    )


def take(tx: sa.Connection, scope: Scope, seen: Row, values: Mapping[str, Any]) -> bool:
    """Move a schedule that is due on, as it was seen; False when somebody else moved or changed it since."""
    moved = tx.execute(
        sa.update(schedule)
        .where(
            schedule.c.workspace_id == scope.workspace_id,
            schedule.c.id == seen.id,
            schedule.c.next_at == seen.next_at,
            schedule.c.changed_at == seen.changed_at,
        )
        .values(**values)
    )
    return moved.rowcount == 1


def add_run(tx: sa.Connection, scope: Scope, new: NewRun) -> int | None:
    """Its id; ``None`` when this due time has had its run already."""
    made: int | None = tx.execute(
        _insert_of(tx)(schedule_run)
        .values(
            workspace_id=scope.workspace_id,
            schedule_id=new.schedule_id,
            at=new.at,
            outcome=new.outcome,
            reason=new.reason,
            times=new.times,
        )
        .on_conflict_do_nothing(index_elements=["schedule_id", "at"])
        .returning(schedule_run.c.id)
    ).scalar_one_or_none()
    return made


def give_task(tx: sa.Connection, scope: Scope, run_id: int, task_id: int) -> None:
    """Say which task a run made."""
    tx.execute(
        sa.update(schedule_run)
        .where(schedule_run.c.workspace_id == scope.workspace_id, schedule_run.c.id == run_id)
        .values(task_id=task_id)
    )


def unfinished_task(tx: sa.Connection, scope: Scope, schedule_id: int) -> int | None:
    """A task of the newest runs that waits or runs; ``None`` when all are over."""
    newest = (
        sa.select(schedule_run.c.task_id)
        .where(
            schedule_run.c.workspace_id == scope.workspace_id,
            schedule_run.c.schedule_id == schedule_id,
            schedule_run.c.task_id.is_not(None),
        )
        .order_by(schedule_run.c.at.desc())
        .limit(LOOK_BACK)
        .subquery()
    )
    found: int | None = tx.scalar(
        sa.select(sa.func.min(task.c.id))
        .join(newest, newest.c.task_id == task.c.id)
        .where(task.c.workspace_id == scope.workspace_id, task.c.state.in_(sorted(WAITING | ACTIVE)))
    )
    return found


def runs(
    tx: sa.Connection, scope: Scope, schedule_id: int, *, before: int | None = None, limit: int = 50
) -> list[wire.ScheduleRun]:
    """The last due time first; ``before`` is the id after which the page goes on."""
    statement = (
        sa.select(schedule_run, task.c.state.label("task_state"))
        .outerjoin(task, task.c.id == schedule_run.c.task_id)
        .where(schedule_run.c.workspace_id == scope.workspace_id, schedule_run.c.schedule_id == schedule_id)
    )
    if before is not None:
        last = schedule_run.alias("last")
        at = sa.select(last.c.at).where(last.c.workspace_id == scope.workspace_id, last.c.id == before)
        statement = statement.where(schedule_run.c.at < at.scalar_subquery())
    return [
        wire.ScheduleRun(
            id=row.id,
            at=row.at,
            outcome=row.outcome,
            reason=row.reason,
            times=row.times,
            task_id=row.task_id,
            task_state=row.task_state or "",
        )
        for row in tx.execute(statement.order_by(schedule_run.c.at.desc()).limit(limit))
    ]


def with_runs(tx: sa.Connection, scope: Scope) -> list[int]:
    """The schedules of the workspace, deleted ones too."""
    return list(tx.scalars(sa.select(schedule.c.id).where(schedule.c.workspace_id == scope.workspace_id)))


def purge(tx: sa.Connection, scope: Scope, schedule_id: int, old: Old) -> int:
    """Drop up to ``old.limit`` runs of a schedule that are both old and not among its newest; returns how many."""
    mine = (schedule_run.c.workspace_id == scope.workspace_id) & (schedule_run.c.schedule_id == schedule_id)
    by_time = sa.select(schedule_run.c.at).where(mine).order_by(schedule_run.c.at.desc())
    last_kept = tx.scalar(by_time.offset(old.keep - 1).limit(1))
    if last_kept is None:
        return 0
    some = (
        sa.select(schedule_run.c.id)
        .where(mine, schedule_run.c.at < min(old.before, last_kept))
        .order_by(schedule_run.c.at)
        .limit(old.limit)
    )
    return tx.execute(sa.delete(schedule_run).where(mine, schedule_run.c.id.in_(some))).rowcount


def _insert_of(tx: sa.Connection) -> Any:
    return sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
