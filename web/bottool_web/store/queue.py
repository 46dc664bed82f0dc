"""What waits, and who could take it: the head of each automation's queue by the partial index, best head first.

The cost does not grow with what waits or with what is finished: each linked automation costs one look into the index.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool.errors import NotFound
from bottool_web.store.attempts import DISPLAY
from bottool_web.store.column_types import UtcTime
from bottool_web.store.limit_columns import NAMES
from bottool_web.store.moves import Row
from bottool_web.store.scope import Scope
from bottool_web.store.tables import (
    attempt,
    automation,
    automation_runner,
    bot,
    bot_version,
    revision,
    runner,
    task,
)

_QUEUED = sa.literal("queued", literal_execute=True)
# What a task that is a new try of another waits for: the end of the other's newest attempt.
BEFORE_IT = ("leased", "starting", "running", "stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    task_id: int
    automation_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taker:
    """Who asks for work: tasks that this runner handed back after ``pause_from`` are not for it now."""

    runner_id: int
    pause_from: datetime


def locked_runner(tx: sa.Connection, scope: Scope, runner_id: int) -> Row:
    """The runner's row; its other claims wait until this transaction ends.

    :raises NotFound: when it was removed.
    """
    row = tx.execute(
        sa.select(runner)
        .where(
            runner.c.id == runner_id,
            runner.c.workspace_id == scope.workspace_id,
            runner.c.deleted_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("this runner was removed from the server", "register it again")
    return row


def ready_automations(tx: sa.Connection, scope: Scope, runner_id: int) -> list[Row]:
    """Automations linked to the runner that have something to run.

    automation_id, timeout_seconds, the limits, its display's three columns, retry_on_lost, bot_version_id, technology,
    revision_id, version and sha256.
    """
    return list(
        tx.execute(
            sa.select(
                automation.c.id.label("automation_id"),
                automation.c.timeout_seconds,
                *(automation.c[name] for name in NAMES),
                *DISPLAY,
                automation.c.retry_on_lost,
                bot_version.c.id.label("bot_version_id"),
                bot_version.c.version,
                bot_version.c.technology,
                revision.c.id.label("revision_id"),
                revision.c.sha256,
            )
            .join(automation_runner, automation_runner.c.automation_id == automation.c.id)
            .join(bot, bot.c.id == automation.c.bot_id)
            .join(bot_version, bot_version.c.id == bot.c.release_id)
            .join(revision, revision.c.id == bot_version.c.revision_id)
            .where(
                automation_runner.c.workspace_id == scope.workspace_id,
                automation_runner.c.runner_id == runner_id,
                automation.c.deleted_at.is_(None),
                bot.c.deleted_at.is_(None),
                bot_version.c.deleted_at.is_(None),
                # Neither one whose inspection is still to come, nor one that was refused.
                bot_version.c.state == "ready",
            )
        )
    )


def heads(tx: sa.Connection, scope: Scope, taker: Taker, automation_ids: Collection[int]) -> list[Head]:
    """The first waiting task of each automation, best first: highest priority, then oldest."""
    if not automation_ids:
        return []
    found = tx.execute(_HEADS, _named(scope, taker) | {"automation_ids": list(automation_ids)})
    return [Head(task_id=row.id, automation_id=row.automation_id) for row in found]


def runners_with_work(tx: sa.Connection, scope: Scope) -> frozenset[int]:
    """The runners that are linked to an automation with a queued task: one look into the index per automation."""
    waits = sa.exists().where(task.c.automation_id == automation.c.id, task.c.state == _QUEUED)
    with_queue = sa.select(automation.c.id).where(automation.c.workspace_id == scope.workspace_id, waits)
    found = tx.scalars(
        sa.select(automation_runner.c.runner_id)
        .where(
            automation_runner.c.workspace_id == scope.workspace_id, automation_runner.c.automation_id.in_(with_queue)
        )
        .distinct()
    )
    return frozenset(found)


def lock_first(tx: sa.Connection, scope: Scope, taker: Taker, automation_id: int) -> Row | None:
    """The automation's first waiting task that no other claim holds in its hand, locked; ``None`` when all are held."""
    return tx.execute(_FIRST, _named(scope, taker) | {"automation_id": automation_id}).one_or_none()


def _named(scope: Scope, taker: Taker) -> dict[str, Any]:
    return {"workspace_id": scope.workspace_id, "runner_id": taker.runner_id, "pause_from": taker.pause_from}


def _free(waiting: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """What makes a task one to take: queued, not handed back by this runner a moment ago, not behind another one."""
    tried, before, newest = attempt.alias("tried"), task.alias("before"), attempt.alias("newest")
    handed_back = sa.exists().where(
        tried.c.task_id == waiting.c.id,
        tried.c.runner_id == sa.bindparam("runner_id"),
        tried.c.reason == "handed_back",
        tried.c.ended_at > sa.bindparam("pause_from", type_=UtcTime),
    )
    still_there = sa.exists().where(
        before.c.id == waiting.c.retry_of,
        newest.c.task_id == before.c.id,
        newest.c.number == before.c.attempt,
        newest.c.state.in_(BEFORE_IT) | (before.c.state == "lost"),
    )
    return (
        waiting.c.state == _QUEUED,
        (waiting.c.claims == 0) | ~handed_back,
        waiting.c.retry_of.is_(None) | ~still_there,
    )


def _heads() -> sa.Select[Any]:
    waiting = task.alias("waiting")
    first = (
        sa.select(waiting.c.id)
        .where(waiting.c.automation_id == automation.c.id, *_free(waiting))
        .order_by(waiting.c.priority.desc(), waiting.c.id)
        .limit(1)
        .correlate(automation)
        .scalar_subquery()
    )
    firsts = (
        sa.select(first.label("task_id"))
        .where(
            automation.c.workspace_id == sa.bindparam("workspace_id"),
            automation.c.id.in_(sa.bindparam("automation_ids", expanding=True)),
        )
        .subquery()
    )
    return (
        sa.select(task.c.id, task.c.automation_id)
        .join(firsts, firsts.c.task_id == task.c.id)
        .order_by(task.c.priority.desc(), task.c.id)
    )


def _first() -> sa.Select[Any]:
    return (
        sa.select(task)
        .where(
            task.c.workspace_id == sa.bindparam("workspace_id"),
            task.c.automation_id == sa.bindparam("automation_id"),
            *_free(task),
        )
        .order_by(task.c.priority.desc(), task.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=task)
    )


# Made once: putting these together costs more than running them.
_HEADS, _FIRST = _heads(), _first()


# For explaining.


def linked_runners(tx: sa.Connection, scope: Scope, automation_id: int) -> list[Row]:
    """The runners of an automation, in the order of linking."""
    return list(
        tx.execute(
            sa.select(runner)
            .join(automation_runner, automation_runner.c.runner_id == runner.c.id)
            .where(
                automation_runner.c.workspace_id == scope.workspace_id,
                automation_runner.c.automation_id == automation_id,
                runner.c.deleted_at.is_(None),
            )
            .order_by(automation_runner.c.id)
        )
    )


def what_would_run(tx: sa.Connection, scope: Scope, automation_id: int) -> Row:
    """The automation's ``label``, ``deleted_at`` and display; as far as there are any, its bot's ``bot_id`` and the
    released ``version`` with its ``technology``, ``state`` and ``revision_id``.
    """
    return tx.execute(
        sa.select(
            automation.c.label,
            automation.c.deleted_at,
            *DISPLAY,
            bot.c.bot_id,
            bot_version.c.version,
            bot_version.c.technology,
            bot_version.c.revision_id,
            bot_version.c.state,
        )
        .outerjoin(bot, sa.and_(bot.c.id == automation.c.bot_id, bot.c.deleted_at.is_(None)))
        .outerjoin(bot_version, sa.and_(bot_version.c.id == bot.c.release_id, bot_version.c.deleted_at.is_(None)))
        .where(automation.c.workspace_id == scope.workspace_id, automation.c.id == automation_id)
    ).one()


def ahead_of(tx: sa.Connection, scope: Scope, waiting: Row) -> int:
    """How many tasks of the same automation stand before this one; counted up to 1000."""
    before = (task.c.priority > waiting.priority) | ((task.c.priority == waiting.priority) & (task.c.id < waiting.id))
    first = (
        sa.select(task.c.id)
        .where(
            task.c.workspace_id == scope.workspace_id,
            task.c.automation_id == waiting.automation_id,
            task.c.state == _QUEUED,
            before,
        )
        .limit(1000)
        .subquery()
    )
    return tx.scalar(sa.select(sa.func.count()).select_from(first)) or 0


def waits_behind(tx: sa.Connection, scope: Scope, waiting: Row) -> int | None:
    """The task whose running attempt this one waits for; ``None`` when nothing holds it."""
    if waiting.retry_of is None:
        return None
    return tx.scalar(
        sa.select(task.c.id)
        .join(attempt, sa.and_(attempt.c.task_id == task.c.id, attempt.c.number == task.c.attempt))
        .where(
            task.c.workspace_id == scope.workspace_id,
            task.c.id == waiting.retry_of,
            attempt.c.state.in_(BEFORE_IT) | (task.c.state == "lost"),
        )
    )


def last_hand_back(tx: sa.Connection, scope: Scope, task_id: int, runner_id: int) -> Row | None:
    """``ended_at``, ``message`` and ``fault`` of the newest attempt that this runner gave back."""
    return tx.execute(
        sa.select(attempt.c.ended_at, attempt.c.message, attempt.c.fault)
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.task_id == task_id,
            attempt.c.runner_id == runner_id,
            attempt.c.reason == "handed_back",
        )
        .order_by(attempt.c.number.desc())
        .limit(1)
    ).one_or_none()


def workspaces(tx: sa.Connection) -> list[int]:
    """Every workspace of the site: for the clock, which looks into each in turn."""
    return list(tx.scalars(sa.text("SELECT id FROM workspace ORDER BY id")))
