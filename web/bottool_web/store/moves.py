"""The one place where a task or an attempt changes its state: checked against the tables of ``bottool.states``,
guarded in the statement itself, and told by an event in the same transaction. Knows no rule about people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool.errors import Conflict
from bottool.states import AttemptState, TaskState, attempt_may_move, task_may_move
from bottool_web.store import events, notices
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, task

Row = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of a task, of an attempt, or of both. A state of ``None`` stays; values may change all the same.

    ``task`` and ``attempt`` are rows as this transaction read them: the statements fail when they changed since.
    """

    task: Row
    attempt: Row | None = None
    kind: str
    at: datetime
    task_to: TaskState | None = None
    attempt_to: AttemptState | None = None
    task_values: Mapping[str, Any] = field(default_factory=dict)
    attempt_values: Mapping[str, Any] = field(default_factory=dict)
    detail: Mapping[str, Any] = field(default_factory=dict)


def take(tx: sa.Connection, scope: Scope, step: Step) -> None:
    """Make the step and write its event.

    :raises Conflict: when the tables do not allow the move, or the row changed since it was read.
    """
    _move_task(tx, scope, step)
    _move_attempt(tx, scope, step)
    detail = dict(step.detail)
    if step.attempt_to is not None:
        detail["attempt_state"] = step.attempt_to.value
    events.add(
        tx,
        scope,
        events.NewEvent(
            task_id=step.task.id,
            attempt=step.attempt.number if step.attempt is not None else None,
            kind=step.kind,
            at=step.at,
            old=step.task.state if step.task_to else "",
            new=step.task_to.value if step.task_to else "",
            detail=detail,
        ),
    )
    _tell(tx, scope, step)


def _tell(tx: sa.Connection, scope: Scope, step: Step) -> None:
    """Whoever wants to know of such an end learns it in the same transaction, unless the task is tried again in it."""
    if step.kind == "retried":
        notices.withdraw_end(tx, scope, step.task.id, step.at)
    elif step.task_to in notices.ENDS and step.task_to != step.task.state:
        why = step.task_values.get("message", step.task.message)
        notices.tell_of_end(tx, scope, step.task, step.task_to, why, step.at)


def _move_task(tx: sa.Connection, scope: Scope, step: Step) -> None:
    if step.task_to is None and not step.task_values:
        return
    values = {**step.task_values, "changed_at": step.at}
    if step.task_to is not None:
        if not task_may_move(TaskState(step.task.state), step.task_to):
            raise _refused(f"task {step.task.id} is {step.task.state} and cannot become {step.task_to}")
        values["state"] = step.task_to.value
    moved = tx.execute(
        sa.update(task)
        .where(
            task.c.id == step.task.id,
            task.c.workspace_id == scope.workspace_id,
            task.c.state == step.task.state,
            task.c.attempt == step.task.attempt,
        )
        .values(values)
    )
    if moved.rowcount != 1:
        raise _refused(f"task {step.task.id} is no longer {step.task.state}")


def _move_attempt(tx: sa.Connection, scope: Scope, step: Step) -> None:
    if step.attempt is None or (step.attempt_to is None and not step.attempt_values):
        return
    values = dict(step.attempt_values)
    if step.attempt_to is not None:
        if not attempt_may_move(AttemptState(step.attempt.state), step.attempt_to):
            raise _refused(
                f"attempt {step.attempt.number} of task {step.task.id} is {step.attempt.state}"
                f" and cannot become {step.attempt_to}"
            )
        values["state"] = step.attempt_to.value
    moved = tx.execute(
        sa.update(attempt)
        .where(
            attempt.c.id == step.attempt.id,
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.state == step.attempt.state,
        )
        .values(values)
    )
    if moved.rowcount != 1:
        raise _refused(f"attempt {step.attempt.number} of task {step.task.id} is no longer {step.attempt.state}")


def _refused(message: str) -> Conflict:
    return Conflict(message, "look at the task again")
