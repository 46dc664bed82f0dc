"""Groups of error reports: made by their first report, counted by each, opened again when a resolved one comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store import error_counts
from bottool_web.store.error_tables import error_group, error_group_automation, error_group_bot
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, bot

SEARCHED = 20_000
"""A search looks into so many of the groups that came last: no index finds a piece of a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """What the reports of one group share."""

    fingerprint: str
    type: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    id: int
    is_resolved: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which groups a list shows; ``before`` is the ``newest_id`` of the last group of the page before."""

    status: str = ""
    search: str = ""
    automation: str = ""
    bot: str = ""
    before: int | None = None
    limit: int = 50


def find_or_add(tx: sa.Connection, scope: Scope, alike: Alike, now: datetime) -> Found:
    """The group, locked: whether a report opens it again is decided for one after the other."""
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    tx.execute(
        dialect.insert(error_group)
        .values(
            workspace_id=scope.workspace_id,
            fingerprint=alike.fingerprint,
            type=alike.type,
            place=alike.place,
            first_at=now,
            last_at=now,
        )
        .on_conflict_do_nothing(index_elements=["workspace_id", "fingerprint"])
    )
    row = tx.execute(
        sa.select(error_group.c.id, error_group.c.status)
        .where(error_group.c.workspace_id == scope.workspace_id, error_group.c.fingerprint == alike.fingerprint)
        .with_for_update()
    ).one()
    return Found(id=row.id, is_resolved=row.status == "resolved")


def came(tx: sa.Connection, scope: Scope, group_id: int, report: wire.ErrorReport) -> None:
    """Count a report of the group; it opens a resolved one unless it was known, and leaves an ignored one."""
    again = error_group.c.status == "resolved" if not report.known else sa.false()
    tx.execute(
        sa.update(error_group)
        .where(error_group.c.workspace_id == scope.workspace_id, error_group.c.id == group_id)
        .values(
            count=error_group.c.count + 1,
            newest_id=report.id,
            message=report.message,
            last_at=report.at,
            status=sa.case((again, "open"), else_=error_group.c.status),
            changed_by=sa.case((again, scope.principal.name), else_=error_group.c.changed_by),
            changed_at=sa.case((again, report.at), else_=error_group.c.changed_at),
        )
    )


def get(tx: sa.Connection, scope: Scope, group_id: int, now: datetime) -> wire.ErrorGroup:
    """:raises NotFound: when the workspace has no such group."""
    rows = tx.execute(_seen(scope).where(error_group.c.id == group_id)).all()
    if not rows:
        raise NotFound(f"there is no error group {group_id}")
    return _to_wire(tx, scope, rows, now)[0]


def set_status(tx: sa.Connection, scope: Scope, group_id: int, status: wire.ErrorStatus, now: datetime) -> None:
    tx.execute(
        sa.update(error_group)
        .where(error_group.c.workspace_id == scope.workspace_id, error_group.c.id == group_id)
        .values(status=status, changed_by=scope.principal.name, changed_at=now)
    )
    error_counts.set_resolved(tx, scope, group_id, resolved=status == "resolved")


def page(tx: sa.Connection, scope: Scope, wanted: Wanted, now: datetime) -> list[wire.ErrorGroup]:
    """Those that came last first."""
    statement = _seen(scope)
    if wanted.status:
        statement = statement.where(error_group.c.status == wanted.status)
    if wanted.before is not None:
        statement = statement.where(error_group.c.newest_id < wanted.before)
    if wanted.automation:
        having = (
            sa.select(error_group_automation.c.group_id)
            .join(automation, automation.c.id == error_group_automation.c.automation_id)
            .where(error_group_automation.c.workspace_id == scope.workspace_id, automation.c.label == wanted.automation)
        )
        statement = statement.where(error_group.c.id.in_(having))
    if wanted.bot:
        having = (
            sa.select(error_group_bot.c.error_group_id)
            .join(bot, bot.c.id == error_group_bot.c.bot_id)
            .where(error_group_bot.c.workspace_id == scope.workspace_id, bot.c.bot_id == wanted.bot)
        )
        statement = statement.where(error_group.c.id.in_(having))
    if wanted.search:
        texts = (error_group.c.type, error_group.c.place, error_group.c.message)
        newest = (
            sa.select(error_group.c.id)
            .where(error_group.c.workspace_id == scope.workspace_id)
            .order_by(error_group.c.newest_id.desc())
            .limit(SEARCHED)
        )
        statement = statement.where(
            error_group.c.id.in_(newest), sa.or_(*(each.icontains(wanted.search, autoescape=True) for each in texts))
        )
    rows = tx.execute(statement.order_by(error_group.c.newest_id.desc()).limit(wanted.limit)).all()
    return _to_wire(tx, scope, rows, now)


def _seen(scope: Scope) -> sa.Select[*tuple[object, ...]]:
    # A row has a method that is called count.
    return sa.select(error_group, error_group.c.count.label("times")).where(
        error_group.c.workspace_id == scope.workspace_id
    )


def _to_wire(
    tx: sa.Connection, scope: Scope, rows: Sequence[sa.Row[*tuple[object, ...]]], now: datetime
) -> list[wire.ErrorGroup]:
    beside = error_counts.beside(tx, scope, [row.id for row in rows], now.date())
    return [
        wire.ErrorGroup(
            id=row.id,
            type=row.type,
            place=row.place,
            message=row.message,
            status=row.status,
            count=row.times,
            automations=beside[row.id].automations,
            bots=beside[row.id].bots,
            trend=beside[row.id].trend,
            newest_id=row.newest_id,
            first_at=row.first_at,
            last_at=row.last_at,
            changed_by=row.changed_by,
            changed_at=row.changed_at,
        )
        for row in rows
    ]
