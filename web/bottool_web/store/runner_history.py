"""What a runner has done: its newest attempts, and how the tasks of a period ended. Read by an index, and bounded."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool_web.store import task_lists
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, automation, task

Row = sa.Row[*tuple[Any, ...]]
MOST_ATTEMPTS = 10_000
"""A summary looks at so many of the newest attempts."""


def newest(tx: sa.Connection, scope: Scope, runner_row: int, limit: int) -> list[Row]:
    """The runner's attempts, newest task first: task_id, number, automation, leased_at, started_at, ended_at, reason,
    exit_code and message.
    """
    return list(
        tx.execute(
            sa.select(
                attempt.c.task_id,
                attempt.c.number,
                attempt.c.leased_at,
                attempt.c.started_at,
                attempt.c.ended_at,
                attempt.c.reason,
                attempt.c.exit_code,
                attempt.c.message,
                automation.c.label.label("automation"),
            )
            .join(task, task.c.id == attempt.c.task_id)
            .join(automation, automation.c.id == task.c.automation_id)
            .where(attempt.c.workspace_id == scope.workspace_id, attempt.c.runner_id == runner_row)
            .order_by(attempt.c.task_id.desc(), attempt.c.number.desc())
            .limit(limit)
        )
    )


def by_state(tx: sa.Connection, scope: Scope, runner_row: int, since: datetime) -> list[Row]:
    """Of the tasks made since then whose newest attempt is the runner's: state, tasks, and the sums total_items,
    processed_items and failed_items.
    """
    mine = (
        sa.select(attempt.c.task_id, attempt.c.number)
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.runner_id == runner_row,
            attempt.c.task_id >= (task_lists.first_since(tx, scope, since) or 0),
        )
        .order_by(attempt.c.task_id.desc())
        .limit(MOST_ATTEMPTS)
        .subquery()
    )
    sums = [
        sa.func.coalesce(sa.func.sum(task.c[name]), 0).label(name)
        for name in ("total_items", "processed_items", "failed_items")
    ]
    return list(
        tx.execute(
            sa.select(task.c.state, sa.func.count().label("tasks"), *sums)
            .join(mine, sa.and_(mine.c.task_id == task.c.id, mine.c.number == task.c.attempt))
            .where(task.c.workspace_id == scope.workspace_id, task.c.created_at >= since)
            .group_by(task.c.state)
        )
    )
