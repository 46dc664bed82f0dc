"""Tasks that are queued for long, and of which people were not told yet. Knows no reason why they wait."""

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bottool_web.store.moves import Row
from bottool_web.store.notice_tables import automation_notice, automation_notice_type
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, task

_QUEUED = sa.literal("queued", literal_execute=True)


def automations(tx: sa.Connection, scope: Scope) -> list[Row]:
    """Those that tell somebody of waiting tasks: ``id``, ``waiting_minutes``, ``waiting_told_at``."""
    somebody = sa.exists().where(
        automation_notice.c.workspace_id == scope.workspace_id, automation_notice.c.automation_id == automation.c.id
    )
    return list(
        tx.execute(
            sa.select(automation.c.id, automation.c.waiting_minutes, automation.c.waiting_told_at)
            .join(automation_notice_type, automation_notice_type.c.automation_id == automation.c.id)
            .where(
                automation.c.workspace_id == scope.workspace_id,
                automation.c.deleted_at.is_(None),
                automation_notice_type.c.type == "waiting",
                somebody,
            )
            .order_by(automation.c.id)
        )
    )


def overdue(tx: sa.Connection, scope: Scope, automation_id: int, before: datetime, limit: int) -> list[int]:
    """Ids of tasks that are in the queue since ``before``, or longer: oldest first."""
    return list(
        tx.scalars(
            sa.select(task.c.id)
            .where(
                task.c.workspace_id == scope.workspace_id,
                task.c.automation_id == automation_id,
                task.c.state == _QUEUED,
                task.c.waiting_told.is_(False),
                task.c.changed_at <= before,
            )
            .order_by(task.c.id)
            .limit(limit)
        )
    )


def mark(tx: sa.Connection, scope: Scope, automation_id: int, late: Collection[int], now: datetime) -> list[int]:
    """People are told of these now; of those that meanwhile a runner took, or another server told of, nobody is."""
    marked = tx.scalars(
        sa.update(task)
        .where(
            task.c.workspace_id == scope.workspace_id,
            task.c.id.in_(late),
            task.c.state == _QUEUED,
            task.c.waiting_told.is_(False),
        )
        .values(waiting_told=True)
        .returning(task.c.id)
    ).all()
    if marked:
        tx.execute(
            sa.update(automation)
            .where(automation.c.workspace_id == scope.workspace_id, automation.c.id == automation_id)
            .values(waiting_told_at=now)
        )
    return sorted(marked)
