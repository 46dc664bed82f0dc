"""Tasks as rows and as people see them. Moves are made in ``moves``, the queue is read in ``queue``, pages of tasks in
``task_lists``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool.states import TaskState
from bottool_web.store import events
from bottool_web.store.moves import Row
from bottool_web.store.scope import Scope
from bottool_web.store.tables import (
    attempt,
    automation,
    bot,
    bot_version,
    repository,
    runner,
    task,
)

LARGEST_ID = 2**31
_NEWEST = sa.and_(attempt.c.task_id == task.c.id, attempt.c.number == task.c.attempt)
_ONE = (task.c.id == sa.bindparam("one"), task.c.workspace_id == sa.bindparam("workspace"))
# Statements that most calls need are built once: building one takes several times as long as the database does.
_ROW = sa.select(task).where(*_ONE)
_LOCKED = _ROW.with_for_update()
_ALL_SEEN = (
    sa.select(
        task,
        automation.c.label.label("automation_label"),
        automation.c.name.label("automation_name"),
        repository.c.label.label("repository_label"),
        bot.c.bot_id.label("bot_label"),
        bot_version.c.version.label("version"),
        runner.c.machine_id.label("machine_id"),
        attempt.c.permitted_at.label("prepared_at"),
        attempt.c.started_at.label("started_at"),
        attempt.c.exit_code.label("exit_code"),
        attempt.c.reason.label("reason"),
        attempt.c.duration_seconds.label("duration_seconds"),
        attempt.c.left_behind.label("left_behind"),
        attempt.c.limit_reached.label("limit_reached"),
        attempt.c.fault.label("fault"),
    )
    .join(automation, automation.c.id == task.c.automation_id)
    .join(repository, repository.c.id == task.c.repository_id)
    .outerjoin(attempt, _NEWEST)
    .outerjoin(bot_version, bot_version.c.id == attempt.c.bot_version_id)
    # What ran, once something did; until then what would run now.
    .outerjoin(bot, bot.c.id == sa.func.coalesce(bot_version.c.bot_id, automation.c.bot_id))
    .outerjoin(runner, runner.c.id == attempt.c.runner_id)
)
_SEEN = _ALL_SEEN.where(*_ONE)
_SOME_SEEN = _ALL_SEEN.where(
    task.c.workspace_id == sa.bindparam("workspace"), task.c.id.in_(sa.bindparam("some", expanding=True))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A task to be. ``earliest_at`` is ``None`` unless it lies ahead."""

    automation_id: int
    repository_id: int
    priority: int
    parameters: dict[str, Any]
    at: datetime
    earliest_at: datetime | None = None
    test: bool = False
    retry_of: int | None = None


def add(tx: sa.Connection, scope: Scope, new: NewRow) -> int:
    """Write the task with its first event, and return its id."""
    state = TaskState.SCHEDULED if new.earliest_at else TaskState.QUEUED
    task_id: int = tx.execute(
        sa.insert(task)
        .values(
            workspace_id=scope.workspace_id,
            repository_id=new.repository_id,
            automation_id=new.automation_id,
            state=state.value,
            priority=new.priority,
            test=new.test,
            parameters=new.parameters,
            earliest_at=new.earliest_at,
            created_by=scope.principal.name,
            created_at=new.at,
            changed_at=new.at,
            retry_of=new.retry_of,
        )
        .returning(task.c.id)
    ).scalar_one()
    detail = {"retry_of": new.retry_of} if new.retry_of else {}
    events.add(
        tx,
        scope,
        events.NewEvent(task_id=task_id, attempt=None, kind="created", at=new.at, new=state.value, detail=detail),
    )
    return task_id


def waiting_restart(tx: sa.Connection, scope: Scope, started: Row) -> int | None:
    """The task that was made to run ``started`` again and is still queued; ``None`` when there is none."""
    found: int | None = tx.scalar(
        sa.select(sa.func.min(task.c.id)).where(
            task.c.workspace_id == scope.workspace_id,
            task.c.automation_id == started.automation_id,
            # A literal: with a bound value neither database would use the partial index.
            task.c.state == sa.literal("queued", literal_execute=True),
            task.c.retry_of == started.id,
        )
    )
    return found


def locked(tx: sa.Connection, scope: Scope, task_id: int) -> Row:
    """The task's row, which nobody else can change until this transaction ends. Lock the task before its attempts.

    :raises NotFound: when there is none in this workspace.
    """
    found = tx.execute(_LOCKED, {"one": _id(task_id), "workspace": scope.workspace_id}).one_or_none()
    if found is None:
        raise missing(task_id)
    return found


def row(tx: sa.Connection, scope: Scope, task_id: int) -> Row:
    """The task's row, to read.

    :raises NotFound: when there is none in this workspace.
    """
    found = tx.execute(_ROW, {"one": _id(task_id), "workspace": scope.workspace_id}).one_or_none()
    if found is None:
        raise missing(task_id)
    return found


def rules_of(tx: sa.Connection, scope: Scope, automation_id: int) -> Row:
    """What an automation says of its tasks: label, repository_id, priority, parameters, max_attempts, retry_on_lost,
    report_required and created_at.
    """
    return tx.execute(
        sa.select(
            automation.c.label,
            automation.c.created_at,
            automation.c.repository_id,
            automation.c.priority,
            automation.c.parameters,
            automation.c.max_attempts,
            automation.c.retry_on_lost,
            automation.c.report_required,
        ).where(automation.c.workspace_id == scope.workspace_id, automation.c.id == automation_id)
    ).one()


def _id(task_id: int) -> int:
    """``task_id``, when it may be one at all: SQLite refuses larger numbers with an error of its own.

    :raises NotFound: otherwise.
    """
    if not 0 < task_id < LARGEST_ID:
        raise missing(task_id)
    return task_id


def missing(task_id: int) -> NotFound:
    return NotFound(f"there is no task {task_id}", "look at the list of tasks")


def get(tx: sa.Connection, scope: Scope, task_id: int) -> wire.Task:
    """The task as people see it.

    :raises NotFound: when there is none in this workspace.
    """
    found = tx.execute(_SEEN, {"one": _id(task_id), "workspace": scope.workspace_id}).one_or_none()
    if found is None:
        raise missing(task_id)
    return to_wire(found)


def count_by_state(tx: sa.Connection, scope: Scope) -> dict[str, int]:
    """Every state that occurs, with how many tasks are in it."""
    rows = tx.execute(
        sa.select(task.c.state, sa.func.count()).where(task.c.workspace_id == scope.workspace_id).group_by(task.c.state)
    )
    return {row[0]: row[1] for row in rows}


def due(tx: sa.Connection, scope: Scope, now: datetime, *, limit: int) -> list[int]:
    """Ids of scheduled tasks whose time has come, earliest first."""
    return list(
        tx.scalars(
            sa.select(task.c.id)
            .where(
                task.c.workspace_id == scope.workspace_id,
                # A literal: with a bound value neither database would use the partial index.
                task.c.state == sa.literal("scheduled", literal_execute=True),
                task.c.earliest_at <= now,
            )
            .order_by(task.c.earliest_at)
            .limit(limit)
        )
    )


def these(tx: sa.Connection, scope: Scope, ids: Sequence[int]) -> list[wire.Task]:
    """The tasks with these ids as people see them, in this order; all are of this workspace."""
    rows = {row.id: row for row in tx.execute(_SOME_SEEN, {"some": ids, "workspace": scope.workspace_id})}
    return [to_wire(rows[task_id]) for task_id in ids]


def to_wire(found: Row) -> wire.Task:
    return wire.Task(
        id=found.id,
        automation=found.automation_label,
        automation_name=found.automation_name or found.automation_label,
        automation_id=found.automation_id,
        repository=found.repository_label,
        bot_id=found.bot_label or "",
        version=found.version or "",
        state=found.state,
        priority=found.priority,
        test=found.test,
        parameters=found.parameters,
        created_at=found.created_at,
        created_by=found.created_by,
        changed_at=found.changed_at,
        earliest_at=found.earliest_at,
        prepared_at=found.prepared_at,
        started_at=found.started_at,
        ended_at=found.ended_at,
        message=found.message,
        total_items=found.total_items,
        processed_items=found.processed_items,
        failed_items=found.failed_items,
        interrupted=found.interrupted or bool(found.limit_reached),
        killed=found.killed,
        attempt=found.attempt,
        machine_id=found.machine_id or "",
        exit_code=found.exit_code,
        reason=found.reason or "",
        duration_seconds=found.duration_seconds,
        left_behind=found.left_behind or [],
        bot_reported=found.bot_reported,
        retry_of=found.retry_of,
        fault=msgspec.convert(found.fault, wire.Fault) if found.fault else None,
    )
