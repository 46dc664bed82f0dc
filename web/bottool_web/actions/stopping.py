"""People change their minds: cancel, interrupt, stop, restart. Each may be repeated and then changes nothing more.

"Cancelled" is answered only when the bot has not started and never will: its permit is refused from then on.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict
from bottool.states import ATTEMPT_ALIVE, FINAL, WAITING, AttemptState, TaskState
from bottool_web.actions import endings, fencing, news
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import audit, moves, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

BEFORE_START = WAITING | {TaskState.LEASED}


@action("task.cancel")
def cancel(site: Site, who: Principal, task_id: int) -> wire.Task:
    """Take back a task that has not started.

    :raises Conflict: when it started, or has another result.
    """

    def work(tx: sa.Connection, task: Row, attempt: Row | None) -> None:
        state = TaskState(task.state)
        if state is TaskState.CANCELLED:
            return
        if state not in BEFORE_START:
            hint = "stop it instead" if state not in FINAL else "it has its result"
            raise Conflict(f"task {task_id} is {state} and cannot be cancelled any more", hint)
        _cancel(tx, site, who, task, attempt)

    return _act(site, who, "task.cancel", task_id, work)


@action("task.interrupt")
def interrupt(site: Site, who: Principal, task_id: int) -> wire.Task:
    """Ask the bot to end by itself; it sees that through its SDK. A task that waits keeps the wish."""

    def work(tx: sa.Connection, task: Row, attempt: Row | None) -> None:
        if not task.interrupted and _something_is_left(task, attempt):
            _ask(tx, site, who, (task, attempt), {"interrupted": True}, "interrupt_asked")

    return _act(site, who, "task.interrupt", task_id, work)


@action("task.stop")
def stop(site: Site, who: Principal, task_id: int) -> wire.Task:
    """End the task: cancelled before its bot starts, otherwise the bot and all its processes are stopped."""

    def work(tx: sa.Connection, task: Row, attempt: Row | None) -> None:
        if TaskState(task.state) in BEFORE_START:
            _cancel(tx, site, who, task, attempt)
        elif not task.killed and _something_is_left(task, attempt):
            _ask(tx, site, who, (task, attempt), {"interrupted": True, "killed": True}, "stop_asked")

    return _act(site, who, "task.stop", task_id, work)


@action("task.restart")
def restart(site: Site, who: Principal, task_id: int) -> wire.Task:
    """Run it again: the task that will run, which is another one where this one's bot had started.

    A test task, or one that never had a permit, goes back into the queue under its own id; of any other a new task is
    made, because history is not rewritten; asked again before that one has started, it is the same one. While an
    attempt lives, either waits for its end.
    """

    def work(tx: sa.Connection) -> wire.Task:
        fencing.check_bot(tx, who)
        task, attempt = fencing.newest(tx, who, task_id)
        if TaskState(task.state) in BEFORE_START:
            return tasks.get(tx, who.scope, task_id)
        audit.record(tx, who.scope, "task.restart", f"task {task_id}", site.now(), was=task.state)
        again = _under_its_own_id if task.test or not task.permits else _as_a_new_one
        return tasks.get(tx, who.scope, again(tx, site, who, task, attempt))

    made = site.store.write(work)
    news.tell(site, who, task_id, f"task:{made.id}", news.queue_of(who))
    return made


def _act(
    site: Site,
    who: Principal,
    act: str,
    task_id: int,
    work: Callable[[sa.Connection, Row, Row | None], None],
) -> wire.Task:
    def do(tx: sa.Connection) -> wire.Task:
        fencing.check_bot(tx, who)
        task, attempt = fencing.newest(tx, who, task_id)
        work(tx, task, attempt)
        audit.record(tx, who.scope, act, f"task {task_id}", site.now(), was=task.state)
        return tasks.get(tx, who.scope, task_id)

    done = site.store.write(do)
    attempt_runner = site.store.read(lambda tx: fencing.runner_of(tx, who, task_id))
    news.tell(site, who, task_id, *([f"runner:{attempt_runner}"] if attempt_runner else []))
    return done


def _something_is_left(task: Row, attempt: Row | None) -> bool:
    """A result may be there while the process still runs."""
    return TaskState(task.state) not in FINAL or (attempt is not None and attempt.state in ATTEMPT_ALIVE)


def _cancel(tx: sa.Connection, site: Site, who: Principal, task: Row, attempt: Row | None) -> None:
    now = site.now()
    leased = attempt is not None and attempt.state == AttemptState.LEASED
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=task,
            attempt=attempt if leased else None,
            kind="cancelled",
            at=now,
            task_to=TaskState.CANCELLED,
            attempt_to=AttemptState.ENDED if leased else None,
            task_values={"ended_at": now, "message": f"cancelled by {who.name}"},
            attempt_values={"ended_at": now, "reason": "cancelled"} if leased else {},
        ),
    )


def _ask(
    tx: sa.Connection, site: Site, who: Principal, found: tuple[Row, Row | None], wish: dict[str, Any], kind: str
) -> None:
    """Write the wish down; what has started begins to stop. A lost attempt does so when it is found again."""
    task, attempt = found
    active = attempt is not None and attempt.state in {AttemptState.STARTING, AttemptState.RUNNING}
    mirrors = TaskState(task.state) in {TaskState.STARTING, TaskState.RUNNING}
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=task,
            attempt=attempt,
            kind=kind,
            at=site.now(),
            task_to=TaskState.STOPPING if mirrors else None,
            attempt_to=AttemptState.STOPPING if active else None,
            task_values=wish,
        ),
    )


def _under_its_own_id(tx: sa.Connection, site: Site, who: Principal, task: Row, attempt: Row | None) -> int:
    given_up = TaskState(task.state) in FINAL and attempt is not None and attempt.state == AttemptState.LOST
    if attempt is None or attempt.state == AttemptState.ENDED:
        endings.restart(tx, site, who, task)
    elif given_up:
        _close_lost(tx, site, who, task, attempt)
        endings.restart(tx, site, who, task)
    elif not task.restart_asked:
        step = moves.Step(
            task=task, attempt=attempt, kind="restart_asked", at=site.now(), task_values={"restart_asked": True}
        )
        moves.take(tx, who.scope, step)
    return int(task.id)


def _close_lost(tx: sa.Connection, site: Site, who: Principal, task: Row, attempt: Row) -> None:
    """Nobody waits for the lost attempt any more: what it may still report is stale."""
    now = site.now()
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=task,
            attempt=attempt,
            kind="given_up",
            at=now,
            attempt_to=AttemptState.ENDED,
            attempt_values={"ended_at": now, "reason": "lost"},
        ),
    )


def _as_a_new_one(tx: sa.Connection, site: Site, who: Principal, task: Row, _attempt: Row | None) -> int:
    waiting = tasks.waiting_restart(tx, who.scope, task)
    return waiting or tasks.add(
        tx,
        who.scope,
        tasks.NewRow(
            automation_id=task.automation_id,
            repository_id=task.repository_id,
            priority=task.priority,
            parameters=task.parameters,
            at=site.now(),
            test=task.test,
            retry_of=task.id,
        ),
    )
