"""What the end of an attempt does to its task: back to the queue, a result, another try, or a restart that waited.

Called inside a write, with the task locked. Knows no HTTP and nobody's rights.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.model import Reason
from bottool.states import FINAL, AttemptState, TaskState
from bottool_web.actions.fencing import Held, newest
from bottool_web.actions.results import Result
from bottool_web.actions.site import Site
from bottool_web.store import attempts, moves, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

CLEAN: dict[str, Any] = {
    "message": "",
    "total_items": None,
    "processed_items": None,
    "failed_items": None,
    "bot_reported": False,
    "ended_at": None,
    "interrupted": False,
    "killed": False,
    "restart_asked": False,
    "waiting_told": False,
}
"""What a task that runs again forgets."""

MOST_DEATHS = 2
"""A task that took its keeper or its machine down so often is not given to another one."""

WORTH_ANOTHER_TRY = frozenset({TaskState.FAILED, TaskState.TIMED_OUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutStart:
    """An attempt ended and its bot never ran. ``permit_undone``: it had a permit, which does not count any more."""

    kind: str
    message: str = ""
    permit_undone: bool = False
    fault: wire.Fault | None = None


def give_back(tx: sa.Connection, site: Site, who: Principal, held: Held, ending: WithoutStart) -> None:
    """End the attempt and put its task back into the queue, unless the task has a result or may not run any more."""
    now = site.now()
    state, message = _after_no_start(site, held, ending)
    values: dict[str, Any] = {}
    if ending.permit_undone:
        values["permits"] = max(held.task.permits - 1, 0)
    if state is TaskState.QUEUED:
        values["restart_asked"] = False
    elif state in FINAL:
        values |= {"message": message, "ended_at": now}
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind=ending.kind,
            at=now,
            task_to=state,
            attempt_to=AttemptState.ENDED,
            task_values=values,
            attempt_values={
                "ended_at": now,
                "reason": ending.kind,
                "message": ending.message,
                "fault": msgspec.to_builtins(ending.fault),
            },
            detail={"message": ending.message} if ending.message else {},
        ),
    )
    restart_if_it_waited(tx, site, who, held.task.id)


def _after_no_start(site: Site, held: Held, ending: WithoutStart) -> tuple[TaskState | None, str]:
    if held.task_is_final:
        return None, ""
    if held.task.killed:
        return TaskState.CANCELLED, "stopped before it started"
    if held.task.claims >= site.settings.max_claims:
        tried = f"{held.task.claims} times a runner took it, and its bot could not be started"
        return TaskState.EXPIRED, f"{tried}; the last one said: {ending.message}" if ending.message else tried
    return TaskState.QUEUED, ""


def conclude(tx: sa.Connection, who: Principal, held: Held, result: Result | None, told: moves.Step) -> None:
    """End the attempt as ``told`` says; ``result`` is the task's, ``None`` where it has one that stays."""
    values = {"message": result.message, "ended_at": told.at} if result else {}
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind=told.kind,
            at=told.at,
            task_to=result.state if result else None,
            attempt_to=AttemptState.ENDED,
            task_values=values,
            attempt_values={**told.attempt_values, "ended_at": told.at},
            detail=told.detail,
        ),
    )


def deaths(tx: sa.Connection, who: Principal, task: Row) -> int:
    """How many tries of the task ended with the death of their keeper or machine, since it was last asked for."""
    return attempts.count_ended_as(tx, who.scope, task.id, Reason.DIED, after=task.attempt - task.claims)


def try_again_if_allowed(tx: sa.Connection, site: Site, who: Principal, task_id: int) -> bool:
    """Another try after a failure that was seen, where the bot said nothing and the automation's owner chose so."""
    task, attempt = newest(tx, who, task_id)
    rules = tasks.rules_of(tx, who.scope, task.automation_id)
    if (
        TaskState(task.state) not in WORTH_ANOTHER_TRY
        or task.bot_reported
        or task.killed
        or task.interrupted
        or task.permits >= rules.max_attempts
        or deaths(tx, who, task) >= MOST_DEATHS
    ):
        return False
    detail = {"attempts_so_far": task.permits, "max_attempts": rules.max_attempts, "message": task.message}
    _queue_again(tx, site, who, _Again(task=task, attempt=attempt, kind="retried", detail=detail))
    return True


def try_again_after_loss(tx: sa.Connection, site: Site, who: Principal, held: Held) -> bool:
    """Another try of a task that was just called lost, where the lost bot has been ended by its own machine.

    Only for an attempt that is ``fenced``. What still comes of it is stale from here on.
    """
    task, attempt = newest(tx, who, held.task.id)
    rules = tasks.rules_of(tx, who.scope, task.automation_id)
    if (
        attempt is None
        or not attempt.fenced
        or task.state != TaskState.LOST
        or task.bot_reported
        or held.stop_asked
        or task.permits >= rules.max_attempts
    ):
        return False
    now = site.now()
    over = {"ended_at": now, "reason": "lost"}
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=task, attempt=attempt, kind="closed", at=now, attempt_to=AttemptState.ENDED, attempt_values=over
        ),
    )
    detail = {"attempts_so_far": task.permits, "max_attempts": rules.max_attempts, "message": "contact was lost"}
    _queue_again(tx, site, who, _Again(task=task, attempt=None, kind="retried", detail=detail))
    return True


def restart_if_it_waited(tx: sa.Connection, site: Site, who: Principal, task_id: int) -> None:
    """A restart that was asked for while an attempt lived happens now."""
    task, attempt = newest(tx, who, task_id)
    if not task.restart_asked or TaskState(task.state) not in FINAL:
        return
    if attempt is None or attempt.state == AttemptState.ENDED:
        restart(tx, site, who, task)


def restart(tx: sa.Connection, site: Site, who: Principal, task: Row) -> None:
    """Put a finished task back into the queue under its own id, as if it were new."""
    again = {"claims": 0, "permits": 0, "earliest_at": None}
    _queue_again(tx, site, who, _Again(task=task, attempt=None, kind="restarted", values=again, detail={}))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Again:
    task: Row
    attempt: Row | None
    kind: str
    detail: dict[str, Any]
    values: dict[str, Any] | None = None


def _queue_again(tx: sa.Connection, site: Site, who: Principal, again: _Again) -> None:
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=again.task,
            attempt=again.attempt,
            kind=again.kind,
            at=site.now(),
            task_to=TaskState.QUEUED,
            task_values={**CLEAN, **(again.values or {})},
            detail=again.detail,
        ),
    )
