"""Pages of tasks, by filter and order, and how many there are: by indexes, so that no page reads all tasks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool_web.store import tasks
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, automation, runner, task


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tasks a list shows. Empty and ``None`` do not narrow; ``before`` is the id after which the page goes on.

    ``sort`` is one of ``SORTS``; ``first`` rows are passed over.
    """

    states: tuple[str, ...] = ()
    automation: str = ""
    machine: str = ""
    before: int | None = None
    since: datetime | None = None
    limit: int = 50
    first: int = 0
    sort: str = "id"
    descending: bool = True


SORTS: dict[str, sa.ColumnElement[Any]] = {
    "id": task.c.id,
    "priority": task.c.priority,
    "state": task.c.state,
    "changed_at": task.c.changed_at,
    "earliest_at": task.c.earliest_at,
    "automation": automation.c.label,
}
NEWEST = 10_000
"""Among so many of the newest a list is sorted that is not sorted by id: those are sorted by no index."""


def page(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[wire.Task]:
    """In the order that is wanted; newest first when nothing else is."""
    # The rows are found by an index alone, and only those of the page are looked up.
    found: list[Any] = list(tx.scalars(_page_of_ids(_matching(tx, scope, wanted), wanted)))
    return tasks.these(tx, scope, found) if found else []


def count(tx: sa.Connection, scope: Scope, wanted: Wanted, most: int) -> int:
    """How many tasks match, counted up to ``most``."""
    matching = _matching(tx, scope, wanted).limit(most).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(matching)) or 0


def _page_of_ids(matching: sa.Select[tuple[int]], wanted: Wanted) -> sa.Select[tuple[int]]:
    if wanted.sort == "id":
        order = task.c.id.desc() if wanted.descending else task.c.id
        return matching.order_by(order).limit(wanted.limit).offset(wanted.first)
    newest = matching.order_by(task.c.id.desc()).limit(NEWEST).subquery()
    column = SORTS[wanted.sort]
    return (
        sa.select(task.c.id)
        .join(newest, newest.c.id == task.c.id)
        .join(automation, automation.c.id == task.c.automation_id)
        .order_by(column.desc() if wanted.descending else column, task.c.id.desc())
        .limit(wanted.limit)
        .offset(wanted.first)
    )


def _matching(tx: sa.Connection, scope: Scope, wanted: Wanted) -> sa.Select[tuple[int]]:
    """The ids of the tasks that match, in no order."""
    statement = sa.select(task.c.id).where(task.c.workspace_id == scope.workspace_id)
    if wanted.states:
        statement = statement.where(task.c.state.in_(wanted.states))
    if wanted.automation:
        statement = statement.where(_one_of(task.c.automation_id, _automations(tx, scope, wanted.automation)))
    if wanted.machine:
        newest = sa.and_(attempt.c.task_id == task.c.id, attempt.c.number == task.c.attempt)
        ran_there = _one_of(attempt.c.runner_id, _runners(tx, scope, wanted.machine))
        statement = statement.join(attempt, newest).where(ran_there)
    if wanted.before is not None:
        statement = statement.where(task.c.id < wanted.before)
    if wanted.since is not None:
        # Ids grow with the time: a bound that every index holds. No task: nothing is as young.
        statement = statement.where(task.c.id >= (first_since(tx, scope, wanted.since) or tasks.LARGEST_ID))
    return statement


def _one_of(column: sa.Column[int], ids: list[int]) -> sa.ColumnElement[bool]:
    # An empty list of its own kind would be looked into for every row.
    return column.in_(ids) if ids else sa.false()


def _automations(tx: sa.Connection, scope: Scope, label: str) -> list[int]:
    """Also those that were deleted: their tasks are kept."""
    return list(
        tx.scalars(
            sa.select(automation.c.id).where(
                automation.c.workspace_id == scope.workspace_id, automation.c.label == label
            )
        )
    )


def _runners(tx: sa.Connection, scope: Scope, machine_id: str) -> list[int]:
    """Also those that were removed."""
    return list(
        tx.scalars(
            sa.select(runner.c.id).where(runner.c.workspace_id == scope.workspace_id, runner.c.machine_id == machine_id)
        )
    )


def first_since(tx: sa.Connection, scope: Scope, since: datetime) -> int | None:
    """The id of the first task made since then, or ``None``."""
    return tx.scalar(
        sa.select(task.c.id)
        .where(task.c.workspace_id == scope.workspace_id, task.c.created_at >= since)
        .order_by(task.c.created_at, task.c.id)
        .limit(1)
    )
