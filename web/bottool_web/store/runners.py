"""Runners: the machines that take tasks. One belongs to one workspace; its machine id is unique among the living."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool.errors import NotFound, did_you_mean
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, automation, automation_runner, runner
from bottool_web.store.taken import conflict_when_taken

Row = sa.Row[*tuple[Any, ...]]


def add(tx: sa.Connection, scope: Scope, machine_id: str, now: datetime) -> int:
    """Make a runner that nobody has seen yet, and return its id.

    :raises Conflict: when a living runner has the machine id.
    """
    with conflict_when_taken(f"there is a runner '{machine_id}' already", "choose another machine id"):
        made: int = tx.execute(
            sa.insert(runner)
            .values(workspace_id=scope.workspace_id, machine_id=machine_id, capabilities={}, created_at=now)
            .returning(runner.c.id)
        ).scalar_one()
    return made


def find(tx: sa.Connection, scope: Scope, machine_id: str) -> Row | None:
    """The living runner's row, or ``None``."""
    return tx.execute(sa.select(runner).where(_living(scope), runner.c.machine_id == machine_id)).one_or_none()


def find_or_add(tx: sa.Connection, scope: Scope, machine_id: str, now: datetime) -> int:
    found = find(tx, scope, machine_id)
    return int(found.id) if found is not None else add(tx, scope, machine_id, now)


def get(tx: sa.Connection, scope: Scope, machine_id: str) -> Row:
    """:raises NotFound: with a hint when a runner of a similar name exists."""
    found = find(tx, scope, machine_id)
    if found is None:
        known = tx.scalars(sa.select(runner.c.machine_id).where(_living(scope))).all()
        raise NotFound(
            f"there is no runner '{machine_id}'", did_you_mean(machine_id, known) or "'bottool runner list' shows all"
        )
    return found


def by_id(tx: sa.Connection, scope: Scope, runner_row: int) -> Row | None:
    """The living runner's row, or ``None``."""
    return tx.execute(sa.select(runner).where(_living(scope), runner.c.id == runner_row)).one_or_none()


def change(tx: sa.Connection, scope: Scope, runner_row: int, values: Mapping[str, Any]) -> None:
    """Write columns of the runner's row: what it says of itself, when it was seen."""
    tx.execute(
        sa.update(runner).where(runner.c.workspace_id == scope.workspace_id, runner.c.id == runner_row).values(**values)
    )


def seen(tx: sa.Connection, scope: Scope, runner_row: int, session_id: str, now: datetime) -> bool:
    """Note that the runner's session was here; ``False`` when it is not the runner's session any more."""
    named = {"workspace": scope.workspace_id, "runner": runner_row, "session": session_id, "now": now}
    return tx.execute(_SEEN, named).rowcount == 1


# Made once: putting it together costs more than running it.
_SEEN = (
    sa.update(runner)
    .where(
        runner.c.workspace_id == sa.bindparam("workspace"),
        runner.c.id == sa.bindparam("runner"),
        runner.c.session_id == sa.bindparam("session"),
        runner.c.deleted_at.is_(None),
    )
    .values(seen_at=sa.bindparam("now"))
)


def all_living(tx: sa.Connection, scope: Scope) -> list[Row]:
    """By machine id."""
    return list(tx.execute(sa.select(runner).where(_living(scope)).order_by(runner.c.machine_id)))


def running(tx: sa.Connection, scope: Scope) -> dict[int, list[int]]:
    """The tasks in each runner's hands, oldest first."""
    mine = sa.select(runner.c.id).where(runner.c.workspace_id == scope.workspace_id)
    rows = tx.execute(
        sa.select(attempt.c.runner_id, attempt.c.task_id)
        .where(
            attempt.c.runner_id.in_(mine),
            # A literal: with a bound value neither database would use the partial index.
            attempt.c.state != sa.literal("ended", literal_execute=True),
        )
        .order_by(attempt.c.id)
    )
    found: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        found[row.runner_id].append(row.task_id)
    return found


def linked_automations(tx: sa.Connection, scope: Scope) -> dict[int, list[str]]:
    """The labels of the automations whose tasks each runner may take."""
    rows = tx.execute(
        sa.select(automation_runner.c.runner_id, automation.c.label)
        .join(automation, automation.c.id == automation_runner.c.automation_id)
        .where(automation_runner.c.workspace_id == scope.workspace_id, automation.c.deleted_at.is_(None))
        .order_by(automation.c.label)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        found[row.runner_id].append(row.label)
    return found


def _living(scope: Scope) -> sa.ColumnElement[bool]:
    return (runner.c.workspace_id == scope.workspace_id) & runner.c.deleted_at.is_(None)
