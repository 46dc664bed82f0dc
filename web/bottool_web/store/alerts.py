"""What bots want people to see."""

from datetime import datetime

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.scope import Scope
from bottool_web.store.tables import alert, automation, bot, repository, task

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


def newest(
    tx: sa.Connection, scope: Scope, *, task_id: int | None = None, before: int | None = None, limit: int = 100
) -> list[wire.Alert]:
    """Newest first, of one task or of all; ``before`` is the id after which the page goes on."""
    wanted = _SEEN.where(alert.c.workspace_id == scope.workspace_id)
    if task_id is not None:
        wanted = wanted.where(alert.c.task_id == task_id)
    if before is not None:
        wanted = wanted.where(alert.c.id < before)
    rows = tx.execute(wanted.order_by(alert.c.id.desc()).limit(limit)).mappings()
    return [wire.Alert(**row) for row in rows]
