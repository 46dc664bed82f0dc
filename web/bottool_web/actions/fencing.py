"""Who may still write of an attempt: ``(task id, attempt number)`` is the fencing token of every such write.

What comes too late changes nothing, is answered 409, and is kept as an event where a person sees it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from bottool.errors import BottoolError, NotFound, StaleAttempt
from bottool.states import FINAL, AttemptState, TaskState
from bottool_web.actions.site import Site
from bottool_web.store import attempts, events, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A task, locked, and one of its attempts, as one transaction sees them. A task without attempts has none."""

    task: Row
    attempt: Row

    @property
    def state(self) -> AttemptState:
        return AttemptState(self.attempt.state)

    @property
    def task_state(self) -> TaskState:
        return TaskState(self.task.state)

    @property
    def task_is_final(self) -> bool:
        return self.task_state in FINAL

    @property
    def stop_asked(self) -> bool:
        return bool(self.task.killed or self.task.interrupted)

    @property
    def is_newest(self) -> bool:
        return bool(self.task.attempt == self.attempt.number)

    def task_follows(self, state: AttemptState) -> TaskState | None:
        """The state that the task takes when its attempt takes ``state``; ``None`` when it stays as it is."""
        if self.task_is_final or self.task_state.value == state.value:
            return None
        return TaskState(state.value)


def held_by_runner(tx: sa.Connection, who: Principal, task_id: int, number: int) -> Held:
    """The attempt of the runner that asks.

    :raises NotFound: when there is no such attempt, or it is another runner's: that is none of this one's business.
    """
    task = tasks.locked(tx, who.scope, task_id)
    attempt = attempts.find(tx, who.scope, task_id, number)
    if attempt is None or attempt.runner_id != who.id:
        raise NotFound(f"there is no attempt {number} of task {task_id} here", "drop it, and stop its bot")
    return Held(task=task, attempt=attempt)


def newest(tx: sa.Connection, who: Principal, task_id: int) -> tuple[Row, Row | None]:
    """The task, locked, and its newest attempt; ``None`` before the first."""
    task = tasks.locked(tx, who.scope, task_id)
    return task, attempts.find(tx, who.scope, task_id, task.attempt) if task.attempt else None


def runner_of(tx: sa.Connection, who: Principal, task_id: int) -> int | None:
    """The runner that has the task's newest attempt; ``None`` before the first."""
    task = tasks.row(tx, who.scope, task_id)
    attempt = attempts.find(tx, who.scope, task_id, task.attempt) if task.attempt else None
    return int(attempt.runner_id) if attempt is not None else None


def in_one_write(site: Site, work: Callable[[sa.Connection], T | BottoolError]) -> T:
    """Run ``work`` as one write. An error that it returns is raised after the commit: what tells of it stays."""
    answer = site.store.write(work)
    if isinstance(answer, BottoolError):
        raise answer
    return answer


def refuse(tx: sa.Connection, site: Site, who: Principal, held: Held, what: str, **body: Any) -> StaleAttempt:
    """Keep the refused call as an event, and return the error to answer with."""
    number, task_id = held.attempt.number, held.task.id
    events.add_refusal(
        tx,
        who.scope,
        events.NewEvent(
            task_id=task_id,
            attempt=number,
            kind="refused",
            at=site.now(),
            detail={"call": what, "attempt_was": held.attempt.state, "task_was": held.task.state, **body},
        ),
    )
    state = held.attempt.state if held.is_newest else f"older than attempt {held.task.attempt}"
    return StaleAttempt(
        f"'{what}' is refused: attempt {number} of task {task_id} is {state}",
        "drop the attempt",
        task_id=task_id,
        attempt=number,
    )


def check_bot(tx: sa.Connection, who: Principal) -> None:
    """For what a bot asks about other tasks than its own: its attempt must still be the newest one of its task.

    :raises StaleAttempt: when a newer attempt exists.
    """
    if who.kind != "attempt" or who.task_id is None:
        return
    mine = tasks.row(tx, who.scope, who.task_id)
    if mine.attempt != who.attempt:
        raise StaleAttempt(
            f"attempt {who.attempt} of task {who.task_id} was replaced by attempt {mine.attempt}", "end the bot"
        )
