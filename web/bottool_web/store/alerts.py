"""What bots want people to see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.notice_tables import alert
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, bot, repository, task

SEARCHED = 20_000
"""A search looks into so many of the newest alerts: no index finds a piece of a text."""
LARGEST_ID = 2**31 - 1
_SEEN = (
    sa.select(
        alert.c.id,
        alert.c.task_id,
        automation.c.label.label("automation"),
        automation.c.name.label("automation_name"),
        sa.func.coalesce(bot.c.bot_id, "").label("bot_id"),
        repository.c.label.label("repository"),
        alert.c.title,
        alert.c.message,
        alert.c.type,
        alert.c.at,
    )
    .join(task, task.c.id == alert.c.task_id)
    .join(automation, automation.c.id == task.c.automation_id)
    .join(repository, repository.c.id == alert.c.repository_id)
    .outerjoin(bot, bot.c.id == automation.c.bot_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which alerts a list shows. Empty and ``None`` do not narrow; ``before`` is the id after which it goes on."""

    task_id: int | None = None
    type: str = ""
    automation: str = ""
    search: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    first: int = 0
    limit: int = 100
    descending: bool = True


def add(tx: sa.Connection, scope: Scope, new: wire.NewAlert, now: datetime) -> wire.Alert:
    """:raises NotFound: when the workspace has no such task."""
    repository_id = tx.scalar(
        sa.select(task.c.repository_id).where(task.c.workspace_id == scope.workspace_id, task.c.id == new.task_id)
    )
    if repository_id is None:
        raise NotFound(f"there is no task {new.task_id}")
    made = tx.execute(
        sa.insert(alert)
        .values(
            workspace_id=scope.workspace_id,
            repository_id=repository_id,
            task_id=new.task_id,
            title=new.title,
            message=new.message,
            type=new.type,
            at=now,
        )
        .returning(alert.c.id)
    ).scalar_one()
    row = tx.execute(_SEEN.where(alert.c.workspace_id == scope.workspace_id, alert.c.id == made)).mappings().one()
    return wire.Alert(**row)


def page(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[wire.Alert]:
    """Newest first, unless the oldest are wanted first."""
    order = alert.c.id.desc() if wanted.descending else alert.c.id
    # The rows are found by an index alone, and only those of the page are looked up.
    found = _matching(tx, scope, wanted).order_by(order).limit(wanted.limit).offset(wanted.first).subquery()
    rows = tx.execute(_SEEN.join(found, found.c.id == alert.c.id).order_by(order)).mappings()
    return [wire.Alert(**row) for row in rows]


def count(tx: sa.Connection, scope: Scope, wanted: Wanted, most: int) -> int:
    """How many alerts match, counted up to ``most``."""
    matching = _matching(tx, scope, wanted).limit(most).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(matching)) or 0


def _matching(tx: sa.Connection, scope: Scope, wanted: Wanted) -> sa.Select[tuple[int]]:
    mine = alert.c.workspace_id == scope.workspace_id
    statement = sa.select(alert.c.id).where(mine)
    if wanted.task_id is not None:
        statement = statement.where(alert.c.task_id == wanted.task_id)
    if wanted.type:
        statement = statement.where(alert.c.type == wanted.type)
    if wanted.before is not None:
        statement = statement.where(alert.c.id < wanted.before)
    if wanted.since is not None:
        # Ids grow with the time: a bound that every index holds. No alert: nothing is as young.
        first = sa.select(alert.c.id).where(mine, alert.c.at >= wanted.since).order_by(alert.c.at, alert.c.id).limit(1)
        statement = statement.where(alert.c.id >= (tx.scalar(first) or LARGEST_ID))
    if wanted.until is not None:
        statement = statement.where(alert.c.at < wanted.until)
    return _narrowed(tx, scope, wanted, statement)


def _narrowed(tx: sa.Connection, scope: Scope, wanted: Wanted, statement: Any) -> sa.Select[tuple[int]]:
    """By what needs a look into the alerts' own texts, or their tasks'."""
    if wanted.automation:
        labelled = (
            sa.select(task.c.id)
            .join(automation, automation.c.id == task.c.automation_id)
            .where(task.c.workspace_id == scope.workspace_id, automation.c.label == wanted.automation)
        )
        statement = statement.where(alert.c.task_id.in_(labelled))
    if wanted.search:
        newest = tx.scalar(sa.select(sa.func.max(alert.c.id)).where(alert.c.workspace_id == scope.workspace_id)) or 0
        texts = (alert.c.title, alert.c.message)
        statement = statement.where(
            alert.c.id > newest - SEARCHED, sa.or_(*(each.icontains(wanted.search, autoescape=True) for each in texts))
        )
    found: sa.Select[tuple[int]] = statement
    return found
