"""A task gets its result by somebody's word: the bot's own, or a person's or program's in its stead.

The bot's word is fenced by its attempt. Anybody else's is an override: it is allowed on queued and even on finished
tasks, as Maestro's clients do it, and it is audited.
"""

from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Forbidden, InvalidInput, StaleAttempt
from bottool.states import FINAL, AttemptState, TaskState
from bottool_web.actions import checks, endings, fencing, news, pool_returns
from bottool_web.actions.fencing import Held
from bottool_web.actions.masking import masked
from bottool_web.actions.permissions import action
from bottool_web.actions.results import MESSAGE_LIMIT
from bottool_web.actions.site import Site
from bottool_web.store import audit, moves, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

W = TypeVar("W", wire.Finish, wire.Progress)

MOST_ITEMS = 2**31 - 1
_COUNTS = ("total_items", "processed_items", "failed_items")


@action("task.finish")
def finish(site: Site, who: Principal, task_id: int, word: wire.Finish) -> wire.Task:
    """Give the task its result. The bot's process may still run: its attempt goes on until its runner reports the end.

    :raises NotFound: when there is no such task in this workspace.
    :raises Forbidden: for a bot that speaks of another task than its own.
    :raises StaleAttempt: for a bot whose attempt was replaced, or whose task was cancelled.
    :raises InvalidInput: for counts that are negative or do not add up.
    """
    _check(word)
    word = _masked(site, who, word)

    def work(tx: sa.Connection) -> wire.Task | StaleAttempt:
        if who.kind == "attempt":
            refusal = _by_bot(tx, site, who, task_id, word)
            if refusal is not None:
                return refusal
        else:
            _by_override(tx, site, who, task_id, word)
        endings.restart_if_it_waited(tx, site, who, task_id)
        pool_returns.after_override(tx, site, who, task_id)
        return tasks.get(tx, who.scope, task_id)

    done = fencing.in_one_write(site, work)
    news.tell(site, who, task_id, news.queue_of(who))
    return done


@action("task.finish")
def report(site: Site, who: Principal, task_id: int, word: wire.Progress) -> wire.Task:
    """Say how far a task is: its counts and its message, without moving it.

    :raises NotFound: when there is no such task in this workspace.
    :raises Forbidden: for a bot that speaks of another task than its own.
    :raises StaleAttempt: for a bot whose attempt was replaced.
    :raises InvalidInput: for counts that are negative or do not add up.
    """
    _check(word)
    word = _masked(site, who, word)

    def work(tx: sa.Connection) -> wire.Task:
        fencing.check_bot(tx, who)
        task = tasks.locked(tx, who.scope, task_id)
        _check_own(who, task_id)
        values = _values(task, word)
        if who.kind != "attempt":
            audit.record(tx, who.scope, "task.finish", f"task {task_id}", site.now(), fields=sorted(values))
        if values:
            step = moves.Step(task=task, kind="reported", at=site.now(), task_values=values, detail=_told(values))
            moves.take(tx, who.scope, step)
        return tasks.get(tx, who.scope, task_id)

    done = site.store.write(work)
    news.tell(site, who, task_id)
    return done


def _masked(site: Site, who: Principal, word: W) -> W:
    if not isinstance(word.message, str):
        return word
    return msgspec.structs.replace(word, message=masked(site, who, word.message))


def _told(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value[:500] if isinstance(value, str) else value for name, value in values.items()}


def _check(word: wire.Finish | wire.Progress) -> None:
    if isinstance(word.message, str):
        checks.text(word.message, "message")
    for path in _COUNTS:
        count = getattr(word, path)
        if isinstance(count, int):
            checks.number(count, path, 0, MOST_ITEMS)


def _values(task: Row, word: wire.Finish | wire.Progress) -> dict[str, Any]:
    """The columns that ``word`` sets; what it leaves out stays, and together they must add up.

    :raises InvalidInput: when they do not.
    """
    said = {name: value for name in _COUNTS if (value := getattr(word, name)) is not msgspec.UNSET}
    total, processed, failed = (said.get(name, getattr(task, name)) for name in _COUNTS)
    if said and None not in {total, processed, failed} and total != processed + failed:
        raise InvalidInput(
            f"total_items is {total}, but {processed} processed and {failed} failed make {processed + failed}",
            "total = processed + failed",
            path="total_items",
        )
    return said | ({"message": word.message[:MESSAGE_LIMIT]} if isinstance(word.message, str) else {})


def _check_own(who: Principal, task_id: int) -> None:
    if who.kind == "attempt" and who.task_id != task_id:
        raise Forbidden(f"'{who.name}' may speak of its own task only", f"its task is {who.task_id}")


def _by_bot(tx: sa.Connection, site: Site, who: Principal, task_id: int, word: wire.Finish) -> StaleAttempt | None:
    task, attempt = fencing.newest(tx, who, task_id)
    _check_own(who, task_id)
    if attempt is None or attempt.number != who.attempt:
        raise StaleAttempt(f"attempt {who.attempt} of task {task_id} was replaced", "end the bot")
    held = Held(task=task, attempt=attempt)
    over = held.state is AttemptState.ENDED and not held.task_is_final
    if over or held.task_state is TaskState.CANCELLED:
        return fencing.refuse(tx, site, who, held, "finish", status=word.status)
    _give(tx, site, who, (task, attempt), word)
    return None


def _by_override(tx: sa.Connection, site: Site, who: Principal, task_id: int, word: wire.Finish) -> None:
    task, attempt = fencing.newest(tx, who, task_id)
    audit.record(tx, who.scope, "task.finish", f"task {task_id}", site.now(), was=task.state, status=word.status)
    _give(tx, site, who, (task, attempt), word)


def _give(tx: sa.Connection, site: Site, who: Principal, found: tuple[Row, Row | None], word: wire.Finish) -> None:
    task, attempt = found
    now, values = site.now(), _values(task, word)
    ends, attempt_values = _what_it_does_to(attempt, now)
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=task,
            attempt=attempt,
            kind="finished_again" if TaskState(task.state) in FINAL else "finished",
            at=now,
            task_to=TaskState(word.status),
            attempt_to=AttemptState.ENDED if ends else None,
            task_values={**values, "bot_reported": who.kind == "attempt", "ended_at": now},
            attempt_values=attempt_values,
            detail={"status": word.status, "message": _told(values).get("message", "")},
        ),
    )


def _what_it_does_to(attempt: Row | None, now: datetime) -> tuple[bool, dict[str, Any]]:
    """Whether the attempt ends, and its new values. A bot that started goes on, and its attempt with it."""
    if attempt is None:
        return False, {}
    if attempt.state == AttemptState.LEASED:
        return True, {"ended_at": now, "reason": "finished_before_start"}
    if attempt.reason == "lost" and attempt.state != AttemptState.ENDED:
        # Somebody spoke: what the lost attempt may still report corrects nothing any more.
        return False, {"reason": ""}
    return False, {}
