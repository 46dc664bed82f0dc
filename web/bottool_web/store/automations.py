"""Automations: which bot runs where, with which parameters."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound, did_you_mean
from bottool.states import ACTIVE, WAITING
from bottool_web.store import credential_lists, notices
from bottool_web.store.limit_columns import NAMES
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, automation_runner, bot, repository, runner, task
from bottool_web.store.taken import conflict_when_taken


def id_of(tx: sa.Connection, scope: Scope, label: str) -> int:
    """:raises NotFound: with a hint when an automation of a similar label exists."""
    found = tx.scalar(sa.select(automation.c.id).where(_living(scope), automation.c.label == label))
    if found is None:
        known = tx.scalars(sa.select(automation.c.label).where(_living(scope))).all()
        raise NotFound(
            f"there is no automation '{label}'", did_you_mean(label, known) or "'bottool automation list' shows all"
        )
    return int(found)


def is_living(tx: sa.Connection, scope: Scope, automation_row: int) -> bool:
    """Whether it is there and was not deleted."""
    return tx.scalar(sa.select(automation.c.id).where(_living(scope), automation.c.id == automation_row)) is not None


def add(tx: sa.Connection, scope: Scope, values: Mapping[str, Any], now: datetime) -> int:
    """Make an automation of the table's columns in ``values``, and return its id.

    :raises Conflict: when a living automation has the label.
    """
    with conflict_when_taken(f"there is an automation '{values['label']}' already", "choose another label"):
        made: int = tx.execute(
            sa.insert(automation)
            .values(**values, workspace_id=scope.workspace_id, created_at=now)
            .returning(automation.c.id)
        ).scalar_one()
    return made


def change(tx: sa.Connection, scope: Scope, automation_row: int, values: Mapping[str, Any]) -> None:
    if not values:
        return
    tx.execute(
        sa.update(automation)
        .where(automation.c.workspace_id == scope.workspace_id, automation.c.id == automation_row)
        .values(**values)
    )


def link_runners(tx: sa.Connection, scope: Scope, automation_row: int, runner_rows: Sequence[int]) -> None:
    """Let exactly these runners take the automation's tasks; the order of linking is kept."""
    mine = (automation_runner.c.workspace_id == scope.workspace_id) & (
        automation_runner.c.automation_id == automation_row
    )
    linked = list(tx.scalars(sa.select(automation_runner.c.runner_id).where(mine).order_by(automation_runner.c.id)))
    if linked == list(runner_rows):
        return
    tx.execute(sa.delete(automation_runner).where(mine))
    for runner_row in dict.fromkeys(runner_rows):
        tx.execute(
            sa.insert(automation_runner).values(
                workspace_id=scope.workspace_id, automation_id=automation_row, runner_id=runner_row
            )
        )


def delete(tx: sa.Connection, scope: Scope, automation_row: int, now: datetime) -> None:
    """Its label may be used again; its tasks keep pointing at it."""
    change(tx, scope, automation_row, {"deleted_at": now})


def unfinished(tx: sa.Connection, scope: Scope, automation_row: int) -> int:
    """How many of its tasks wait or run."""
    return sum(sum(counts.values()) for counts in _counts(tx, scope, automation_row).values())


def get(tx: sa.Connection, scope: Scope, label: str) -> wire.Automation:
    """:raises NotFound: as ``id_of``."""
    return _as_people_see_them(tx, scope, id_of(tx, scope, label))[0]


def all_living(tx: sa.Connection, scope: Scope) -> list[wire.Automation]:
    """By label."""
    return _as_people_see_them(tx, scope, None)


def _living(scope: Scope) -> sa.ColumnElement[bool]:
    return (automation.c.workspace_id == scope.workspace_id) & automation.c.deleted_at.is_(None)


def _as_people_see_them(tx: sa.Connection, scope: Scope, automation_row: int | None) -> list[wire.Automation]:
    wanted = (
        sa.select(automation, repository.c.label.label("repository"), bot.c.bot_id.label("bot_label"), bot.c.technology)
        .join(repository, repository.c.id == automation.c.repository_id)
        .outerjoin(bot, bot.c.id == automation.c.bot_id)
        .where(_living(scope))
    )
    if automation_row is not None:
        wanted = wanted.where(automation.c.id == automation_row)
    runners, counts = _machines(tx, scope, automation_row), _counts(tx, scope, automation_row)
    listed = credential_lists.of_automations(tx, scope, automation_row)
    told = notices.of_automations(tx, scope, automation_row)
    return [
        wire.Automation(
            id=row.id,
            label=row.label,
            name=row.name,
            description=row.description,
            repository=row.repository,
            bot_id=row.bot_label or "",
            technology=row.technology or "",
            runners=runners[row.id],
            parameters=msgspec.convert(row.parameters, list[wire.Parameter]),
            priority=row.priority,
            timeout_seconds=row.timeout_seconds,
            **{name: getattr(row, name) for name in NAMES},
            max_attempts=row.max_attempts,
            retry_on_lost=row.retry_on_lost,
            report_required=row.report_required,
            display=row.display,
            display_size=row.display_size,
            display_depth=row.display_depth,
            notify_users=told[row.id].users,
            notify_channels=told[row.id].channels,
            notify_types=told[row.id].types,
            waiting_minutes=row.waiting_minutes,
            credentials=listed[row.id] if row.credentials_listed else None,
            waiting=sum(count for state, count in counts[row.id].items() if state in WAITING),
            active=sum(count for state, count in counts[row.id].items() if state in ACTIVE),
            created_at=row.created_at,
        )
        for row in tx.execute(wanted.order_by(automation.c.label))
    ]


def _machines(tx: sa.Connection, scope: Scope, automation_row: int | None) -> dict[int, list[str]]:
    wanted = (
        sa.select(automation_runner.c.automation_id, runner.c.machine_id)
        .join(runner, runner.c.id == automation_runner.c.runner_id)
        .where(automation_runner.c.workspace_id == scope.workspace_id, runner.c.deleted_at.is_(None))
    )
    if automation_row is not None:
        wanted = wanted.where(automation_runner.c.automation_id == automation_row)
    found: dict[int, list[str]] = defaultdict(list)
    for row in tx.execute(wanted.order_by(automation_runner.c.id)):
        found[row.automation_id].append(row.machine_id)
    return found


def _counts(tx: sa.Connection, scope: Scope, automation_row: int | None) -> dict[int, Counter[str]]:
    """How many tasks wait or run, by automation and state; finished tasks are never touched."""
    wanted = sa.select(task.c.automation_id, task.c.state, sa.func.count()).where(
        task.c.workspace_id == scope.workspace_id, task.c.state.in_(sorted(WAITING | ACTIVE))
    )
    if automation_row is not None:
        wanted = wanted.where(task.c.automation_id == automation_row)
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for automation_id, state, count in tx.execute(wanted.group_by(task.c.automation_id, task.c.state)):
        found[automation_id][state] = count
    return found
