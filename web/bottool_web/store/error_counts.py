"""What is counted beside a group of errors: its automations, its bots with their versions, its days.

A bot's file goes by the first revision that had its bytes: an older file that is put back is no newer version.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bottool import wire
from bottool_web.store.error_tables import error_group_automation, error_group_bot, error_group_day
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, automation, bot, bot_version, revision, task

TREND_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What ran when an error was reported; all ``None`` for a task that nobody has taken yet."""

    bot_row: int | None = None
    version_row: int | None = None
    revision_row: int | None = None


@dataclass(slots=True, kw_only=True)
class Beside:
    """Of one group. ``trend``: reports by day, today's last."""

    automations: list[str] = field(default_factory=list)
    bots: list[wire.ErrorBot] = field(default_factory=list)
    trend: list[int] = field(default_factory=lambda: [0] * TREND_DAYS)


def running(tx: sa.Connection, scope: Scope, task_id: int, number: int | None) -> Running:
    """Of the attempt that reports, or of the newest one."""
    newest = sa.select(task.c.attempt).where(task.c.workspace_id == scope.workspace_id, task.c.id == task_id)
    row = tx.execute(
        sa.select(attempt.c.bot_version_id, bot_version.c.bot_id, revision.c.sha256)
        .join(bot_version, bot_version.c.id == attempt.c.bot_version_id)
        .join(revision, revision.c.id == attempt.c.revision_id)
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.task_id == task_id,
            attempt.c.number == (number if number is not None else newest.scalar_subquery()),
        )
    ).one_or_none()
    if row is None:
        return Running()
    first = (
        sa.select(sa.func.min(revision.c.id))
        .join(bot_version, bot_version.c.id == revision.c.bot_version_id)
        .where(
            revision.c.workspace_id == scope.workspace_id,
            bot_version.c.bot_id == row.bot_id,
            revision.c.sha256 == row.sha256,
        )
    )
    return Running(bot_row=row.bot_id, version_row=row.bot_version_id, revision_row=tx.scalar(first))


def is_known(tx: sa.Connection, scope: Scope, group_id: int, ran: Running) -> bool:
    """Whether the group was resolved at this version of the bot, or at a newer one."""
    resolved_at = tx.scalar(
        sa.select(error_group_bot.c.resolved_revision_id).where(
            error_group_bot.c.workspace_id == scope.workspace_id,
            error_group_bot.c.error_group_id == group_id,
            error_group_bot.c.bot_id == ran.bot_row,
        )
    )
    return ran.revision_row is not None and resolved_at is not None and ran.revision_row <= resolved_at


def add_automation(tx: sa.Connection, scope: Scope, group_id: int, automation_id: int) -> None:
    """The group knows from now on that the automation has such errors."""
    tx.execute(
        _insert_of(tx)(error_group_automation)
        .values(workspace_id=scope.workspace_id, group_id=group_id, automation_id=automation_id)
        .on_conflict_do_nothing(index_elements=["group_id", "automation_id"])
    )


def count(tx: sa.Connection, scope: Scope, group_id: int, ran: Running, at: datetime) -> None:
    """One report more, of what ran, on that day."""
    mine = {"workspace_id": scope.workspace_id, "error_group_id": group_id, "count": 1}
    by_day = _insert_of(tx)(error_group_day).values(**mine, day=at.date())
    tx.execute(
        by_day.on_conflict_do_update(
            index_elements=["error_group_id", "day"], set_={"count": error_group_day.c.count + 1}
        )
    )
    if ran.bot_row is None:
        return
    known = error_group_bot.c.revision_id
    by_bot = _insert_of(tx)(error_group_bot).values(**mine, bot_id=ran.bot_row, revision_id=ran.revision_row)
    newer = sa.case((known > by_bot.excluded.revision_id, known), else_=by_bot.excluded.revision_id)
    tx.execute(
        by_bot.on_conflict_do_update(
            index_elements=["error_group_id", "bot_id"],
            set_={"count": error_group_bot.c.count + 1, "revision_id": newer},
        )
    )


def set_resolved(tx: sa.Connection, scope: Scope, group_id: int, *, resolved: bool) -> None:
    """Resolved at the newest version of each bot that had the error; or at none."""
    tx.execute(
        sa.update(error_group_bot)
        .where(error_group_bot.c.workspace_id == scope.workspace_id, error_group_bot.c.error_group_id == group_id)
        .values(resolved_revision_id=error_group_bot.c.revision_id if resolved else None)
    )


def beside(tx: sa.Connection, scope: Scope, groups: Collection[int], today: date) -> dict[int, Beside]:
    """By group; of what is not counted, nothing."""
    found: dict[int, Beside] = defaultdict(Beside)
    if not groups:
        return found
    for row in tx.execute(_automations(scope, groups)):
        found[row.group_id].automations.append(row.label)
    for row in tx.execute(_bots(scope, groups)):
        found[row.error_group_id].bots.append(
            wire.ErrorBot(
                bot_id=row.bot_label,
                count=row.times,
                version=row.version or "",
                revision=row.number if row.version else 0,
                resolved_version=row.resolved_version or "",
                resolved_revision=row.resolved_number if row.resolved_version else 0,
            )
        )
    first = today - timedelta(days=TREND_DAYS - 1)
    for row in tx.execute(_days(scope, groups, first, today)):
        found[row.error_group_id].trend[(row.day - first).days] = row.times
    return found


def purge(tx: sa.Connection, scope: Scope, before: date) -> int:
    """Drop counts of days before; returns how many."""
    return tx.execute(
        sa.delete(error_group_day).where(
            error_group_day.c.workspace_id == scope.workspace_id, error_group_day.c.day < before
        )
    ).rowcount


def _automations(scope: Scope, groups: Collection[int]) -> sa.Select[Any]:
    mine = error_group_automation.c
    return (
        sa.select(mine.group_id, automation.c.label)
        .join(automation, automation.c.id == mine.automation_id)
        .where(mine.workspace_id == scope.workspace_id, mine.group_id.in_(groups))
        .order_by(automation.c.label)
    )


def _bots(scope: Scope, groups: Collection[int]) -> sa.Select[*tuple[Any, ...]]:
    """Those with the most errors first."""
    last, resolved = revision.alias("last"), revision.alias("resolved")
    last_version, resolved_version = bot_version.alias("last_version"), bot_version.alias("resolved_version")
    mine = error_group_bot.c
    return (
        sa.select(
            mine.error_group_id,
            bot.c.bot_id.label("bot_label"),
            mine.count.label("times"),
            last_version.c.version,
            _number(scope, last).label("number"),
            resolved_version.c.version.label("resolved_version"),
            _number(scope, resolved).label("resolved_number"),
        )
        .join(bot, bot.c.id == mine.bot_id)
        .outerjoin(last, last.c.id == mine.revision_id)
        .outerjoin(last_version, last_version.c.id == last.c.bot_version_id)
        .outerjoin(resolved, resolved.c.id == mine.resolved_revision_id)
        .outerjoin(resolved_version, resolved_version.c.id == resolved.c.bot_version_id)
        .where(mine.workspace_id == scope.workspace_id, mine.error_group_id.in_(groups))
        .order_by(mine.count.desc(), bot.c.bot_id)
    )


def _number(scope: Scope, of: sa.FromClause) -> sa.ScalarSelect[int]:
    """The number of a file among those of its version."""
    before = revision.alias()
    return (
        sa.select(sa.func.count())
        .where(
            before.c.workspace_id == scope.workspace_id,
            before.c.bot_version_id == of.c.bot_version_id,
            before.c.id <= of.c.id,
        )
        .correlate(of)
        .scalar_subquery()
    )


def _days(scope: Scope, groups: Collection[int], first: date, today: date) -> sa.Select[Any]:
    mine = error_group_day.c
    return sa.select(mine.error_group_id, mine.day, mine.count.label("times")).where(
        mine.workspace_id == scope.workspace_id,
        mine.error_group_id.in_(groups),
        mine.day.between(first, today),
    )


def _insert_of(tx: sa.Connection) -> Any:
    return sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
