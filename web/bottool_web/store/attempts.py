"""Attempts as rows: taken, found again by their claim key, renewed, and seen by the clock. Moves are in ``moves``."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from bottool import wire
from bottool.states import AttemptState
from bottool.wire.displays import need_of
from bottool_web.store.limit_columns import grace_seconds, work_limits
from bottool_web.store.moves import Row
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, automation, bot, bot_version, revision, task

DISPLAY = (automation.c.display, automation.c.display_size, automation.c.display_depth)
HOLDING = (AttemptState.LEASED, AttemptState.STARTING, AttemptState.RUNNING, AttemptState.STOPPING)
"""An attempt in one of these holds a slot of its runner. A lost one does not, but may still report."""

# Literals: with bound values neither database would use the partial indexes.
_HOLDS = attempt.c.state.in_(sa.literal(state.value, literal_execute=True) for state in HOLDING)
_ALIVE = attempt.c.state != sa.literal("ended", literal_execute=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAttempt:
    task_id: int
    number: int
    runner_id: int
    claim_key: str
    revision_id: int
    bot_version_id: int
    timeout_seconds: int | None
    limits: dict[str, int]
    fenced: bool
    nonce: str
    leased_at: datetime
    lease_until: datetime


def add(tx: sa.Connection, scope: Scope, new: NewAttempt) -> Row:
    """Write the attempt, leased, and return its row."""
    return tx.execute(
        sa.insert(attempt)
        .values(
            workspace_id=scope.workspace_id,
            task_id=new.task_id,
            number=new.number,
            runner_id=new.runner_id,
            state=AttemptState.LEASED.value,
            claim_key=new.claim_key,
            revision_id=new.revision_id,
            bot_version_id=new.bot_version_id,
            timeout_seconds=new.timeout_seconds,
            limits=new.limits,
            fenced=new.fenced,
            nonce=new.nonce,
            leased_at=new.leased_at,
            lease_until=new.lease_until,
            left_behind=[],
            usage={},
        )
        .returning(*attempt.c)
    ).one()


def find(tx: sa.Connection, scope: Scope, task_id: int, number: int) -> Row | None:
    """The attempt's row. To change it, lock its task first."""
    return tx.execute(
        sa.select(attempt).where(
            attempt.c.workspace_id == scope.workspace_id, attempt.c.task_id == task_id, attempt.c.number == number
        )
    ).one_or_none()


def listed(tx: sa.Connection, scope: Scope, runner_id: int, pairs: Collection[tuple[int, int]]) -> list[Row]:
    """Those of ``(task id, number)`` that are this runner's, with what their tasks say: ``task_state``, ``killed``,
    ``interrupted``, ``newest``.
    """
    if not pairs:
        return []
    rows = tx.execute(
        sa.select(
            attempt,
            task.c.state.label("task_state"),
            task.c.killed,
            task.c.interrupted,
            task.c.attempt.label("newest"),
        )
        .join(task, task.c.id == attempt.c.task_id)
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.runner_id == runner_id,
            attempt.c.task_id.in_({task_id for task_id, _ in pairs}),
        )
    )
    wanted = set(pairs)
    return [row for row in rows if (row.task_id, row.number) in wanted]


def of_claim(tx: sa.Connection, scope: Scope, runner_id: int, claim_key: str) -> list[Row]:
    """What this claim key got before, whatever became of it, oldest first."""
    return list(
        tx.execute(
            sa.select(attempt)
            .where(
                attempt.c.workspace_id == scope.workspace_id,
                attempt.c.runner_id == runner_id,
                attempt.c.claim_key == claim_key,
            )
            .order_by(attempt.c.id)
        )
    )


def held_by(tx: sa.Connection, scope: Scope, runner_id: int) -> list[int]:
    """Ids of the tasks whose attempts hold a slot of this runner now."""
    return list(
        tx.scalars(
            sa.select(attempt.c.task_id)
            .where(attempt.c.workspace_id == scope.workspace_id, attempt.c.runner_id == runner_id, _ALIVE, _HOLDS)
            .order_by(attempt.c.id)
        )
    )


def renew(tx: sa.Connection, scope: Scope, runner_id: int, attempt_ids: Collection[int], lease_until: datetime) -> None:
    """Lengthen the leases of these attempts as far as they hold one; a lapsed one that nobody took away yet counts."""
    if attempt_ids:
        tx.execute(
            sa.update(attempt)
            .where(
                attempt.c.workspace_id == scope.workspace_id,
                attempt.c.runner_id == runner_id,
                attempt.c.id.in_(list(attempt_ids)),
                _HOLDS,
            )
            .values(lease_until=lease_until)
        )


def note_usage(tx: sa.Connection, scope: Scope, attempt_id: int, usage: Mapping[str, float]) -> None:
    tx.execute(
        sa.update(attempt)
        .where(attempt.c.workspace_id == scope.workspace_id, attempt.c.id == attempt_id, _ALIVE)
        .values(usage=dict(usage))
    )


def work(tx: sa.Connection, scope: Scope, attempt_ids: Collection[int]) -> list[wire.Work]:
    """The attempts as their runner gets them, oldest first."""
    rows = tx.execute(
        sa.select(
            attempt.c.task_id,
            attempt.c.number,
            attempt.c.claim_key,
            attempt.c.timeout_seconds,
            attempt.c.limits,
            attempt.c.fenced,
            automation.c.label,
            *DISPLAY,
            bot.c.bot_id,
            bot_version.c.version,
            bot_version.c.technology,
            bot_version.c.command,
            revision.c.file_name,
            revision.c.sha256,
            revision.c.size_bytes,
        )
        .join(task, task.c.id == attempt.c.task_id)
        .join(automation, automation.c.id == task.c.automation_id)
        .join(bot_version, bot_version.c.id == attempt.c.bot_version_id)
        .join(bot, bot.c.id == bot_version.c.bot_id)
        .join(revision, revision.c.id == attempt.c.revision_id)
        .where(attempt.c.workspace_id == scope.workspace_id, attempt.c.id.in_(list(attempt_ids)))
        .order_by(attempt.c.id)
    )
    return [
        wire.Work(
            task_id=row.task_id,
            attempt=row.number,
            claim_key=row.claim_key,
            automation=row.label,
            bot_id=row.bot_id,
            version=row.version,
            technology=row.technology,
            command=row.command,
            file_name=row.file_name,
            sha256=row.sha256,
            size_bytes=row.size_bytes,
            timeout_seconds=row.timeout_seconds,
            grace_seconds=grace_seconds(row.limits),
            limits=work_limits(row.limits),
            display=need_of(row.display, row.display_size, row.display_depth),
            fenced=row.fenced,
        )
        for row in rows
    ]


def package_of(tx: sa.Connection, scope: Scope, attempt_id: int) -> str:
    """SHA-256 of the package that was pinned when the task was taken."""
    return str(
        tx.execute(
            sa.select(revision.c.sha256)
            .join(attempt, attempt.c.revision_id == revision.c.id)
            .where(attempt.c.workspace_id == scope.workspace_id, attempt.c.id == attempt_id)
        ).scalar_one()
    )


def count_ended_as(tx: sa.Connection, scope: Scope, task_id: int, reason: str, *, after: int) -> int:
    """How many of the task's attempts with a number above ``after`` ended for that reason."""
    found = tx.scalar(
        sa.select(sa.func.count())
        .select_from(attempt)
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.task_id == task_id,
            attempt.c.number > after,
            attempt.c.reason == reason,
        )
    )
    return int(found or 0)


# For the clock.


def lapsed(
    tx: sa.Connection, scope: Scope, before: datetime, states: Collection[AttemptState]
) -> list[tuple[int, int]]:
    """``(task id, number)`` of attempts in one of ``states`` whose lease ended before that moment, oldest first."""
    rows = tx.execute(
        sa.select(attempt.c.task_id, attempt.c.number)
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.lease_until < before,
            attempt.c.state.in_(sa.literal(state.value, literal_execute=True) for state in states),
        )
        .order_by(attempt.c.lease_until)
    )
    return [(row.task_id, row.number) for row in rows]


def lost_before(tx: sa.Connection, scope: Scope, before: datetime) -> list[tuple[int, int]]:
    """``(task id, number)`` of lost attempts whose tasks still wait for them, and whose lease ended before then."""
    rows = tx.execute(
        sa.select(attempt.c.task_id, attempt.c.number)
        .join(task, sa.and_(task.c.id == attempt.c.task_id, task.c.attempt == attempt.c.number))
        .where(
            task.c.workspace_id == scope.workspace_id,
            task.c.state == "lost",
            attempt.c.state == "lost",
            attempt.c.lease_until < before,
        )
    )
    return [(row.task_id, row.number) for row in rows]


def running_with_timeout(tx: sa.Connection, scope: Scope) -> list[Row]:
    """task_id, number, started_at, timeout_seconds and limits of attempts that run under a time-out."""
    return list(
        tx.execute(
            sa.select(
                attempt.c.task_id, attempt.c.number, attempt.c.started_at, attempt.c.timeout_seconds, attempt.c.limits
            ).where(
                attempt.c.workspace_id == scope.workspace_id,
                _HOLDS,
                attempt.c.timeout_seconds.is_not(None),
                attempt.c.started_at.is_not(None),
            )
        )
    )


def alive(tx: sa.Connection, scope: Scope) -> list[Row]:
    """Every attempt that has not ended."""
    return list(tx.execute(sa.select(attempt).where(attempt.c.workspace_id == scope.workspace_id, _ALIVE)))


def set_lease(tx: sa.Connection, scope: Scope, attempt_id: int, lease_until: datetime) -> None:
    tx.execute(
        sa.update(attempt)
        .where(attempt.c.workspace_id == scope.workspace_id, attempt.c.id == attempt_id, _ALIVE)
        .values(lease_until=lease_until)
    )


def shift_times(tx: sa.Connection, scope: Scope, row: Row, by: timedelta, longest: datetime) -> None:
    """Move the lease, to ``longest`` at most, and the start of an attempt: what was left of its time is left after the
    clock jumped.
    """
    values = {"lease_until": min(row.lease_until + by, longest)}
    if row.started_at is not None:
        values["started_at"] = row.started_at + by
    tx.execute(
        sa.update(attempt)
        .where(attempt.c.workspace_id == scope.workspace_id, attempt.c.id == row.id, _ALIVE)
        .values(**values)
    )
