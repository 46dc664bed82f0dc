"""Schedules as rows and as people see them. Knows no expression: see ``cron``; what came of them: ``schedule_runs``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound, did_you_mean
from bottool_web.store.moves import Row
from bottool_web.store.schedule_tables import schedule, schedule_run
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, repository, task
from bottool_web.store.taken import conflict_when_taken

LARGEST_ID = 2**31
HINTS = 1000
_AS_THEY_ARE = (
    *("id", "label", "description", "dialect", "expression", "zone", "parameters", "priority", "test", "missed"),
    *("missed_most", "overlap", "enabled", "note", "ends_at", "next_at", "created_at", "created_by"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which schedules a list shows. Empty and ``None`` do not narrow; ``before`` is the id after which it goes on."""

    automation: str = ""
    search: str = ""
    state: str = ""
    before: int | None = None
    offset: int = 0
    limit: int = 50


def add(tx: sa.Connection, scope: Scope, values: Mapping[str, Any], now: datetime) -> int:
    """Make a schedule of the table's columns in ``values``, and return its id.

    :raises Conflict: when a living schedule has the label.
    """
    with conflict_when_taken(f"there is a schedule '{values['label']}' already", "choose another label"):
        made: int = tx.execute(
            sa.insert(schedule)
            .values(
                **values,
                workspace_id=scope.workspace_id,
                created_by=scope.principal.name,
                created_at=now,
                changed_at=now,
            )
            .returning(schedule.c.id)
        ).scalar_one()
    return made


def change(tx: sa.Connection, scope: Scope, schedule_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """:raises Conflict: when a living schedule has the new label."""
    with conflict_when_taken(f"there is a schedule '{values.get('label')}' already", "choose another label"):
        tx.execute(
            sa.update(schedule)
            .where(schedule.c.workspace_id == scope.workspace_id, schedule.c.id == schedule_id)
            .values(**values, changed_at=now)
        )


def delete(tx: sa.Connection, scope: Scope, schedule_id: int, now: datetime) -> None:
    """Its label may be used again; its runs and their tasks stay."""
    change(tx, scope, schedule_id, {"deleted_at": now, "next_at": None}, now)


def locked(tx: sa.Connection, scope: Scope, key: str) -> Row:
    """The living schedule's row, by label or id, which nobody else can change until this transaction ends.

    :raises NotFound: with a hint when one of a similar label exists.
    """
    found = tx.execute(sa.select(schedule).where(_living(scope), _named(key)).with_for_update()).one_or_none()
    if found is None:
        raise _missing(tx, scope, key)
    return found


def labels_like(tx: sa.Connection, scope: Scope, start: str) -> set[str]:
    """Labels of living schedules that begin so."""
    like = schedule.c.label.startswith(start, autoescape=True)
    return set(tx.scalars(sa.select(schedule.c.label).where(_living(scope), like)))


def get(tx: sa.Connection, scope: Scope, key: str) -> wire.Schedule:
    """By label or id.

    :raises NotFound: as ``locked``.
    """
    found = tx.execute(_seen(scope).where(_named(key))).one_or_none()
    if found is None:
        raise _missing(tx, scope, key)
    return _to_wire(found)


def page(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[wire.Schedule]:
    """Newest first."""
    statement = _seen(scope).where(*_fitting(wanted))
    if wanted.before is not None:
        statement = statement.where(schedule.c.id < wanted.before)
    statement = statement.order_by(schedule.c.id.desc()).limit(wanted.limit).offset(wanted.offset)
    return [_to_wire(found) for found in tx.execute(statement)]


def count(tx: sa.Connection, scope: Scope, wanted: Wanted) -> int:
    """How many living schedules fit, whatever the page."""
    statement = (
        sa.select(sa.func.count())
        .select_from(schedule)
        .join(automation, automation.c.id == schedule.c.automation_id)
        .where(_living(scope), *_fitting(wanted))
    )
    return tx.scalar(statement) or 0


def _living(scope: Scope) -> sa.ColumnElement[bool]:
    return (schedule.c.workspace_id == scope.workspace_id) & schedule.c.deleted_at.is_(None)


def _named(key: str) -> sa.ColumnElement[bool]:
    """A label is never a number: that is an id."""
    if key.isascii() and key.isdigit():
        return schedule.c.id == (int(key) if len(key) <= len(str(LARGEST_ID)) and int(key) < LARGEST_ID else 0)
    return schedule.c.label == key


def _missing(tx: sa.Connection, scope: Scope, key: str) -> NotFound:
    known = tx.scalars(sa.select(schedule.c.label).where(_living(scope)).limit(HINTS)).all()
    return NotFound(f"there is no schedule '{key}'", did_you_mean(key, known) or "'bottool schedule list' shows all")


def _fitting(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.automation:
        found.append(automation.c.label == wanted.automation)
    if wanted.search:
        texts = (schedule.c.label, schedule.c.description, schedule.c.expression, automation.c.label, automation.c.name)
        found.append(sa.or_(*(each.icontains(wanted.search, autoescape=True) for each in texts)))
    if wanted.state == "active":
        found.append(schedule.c.next_at.is_not(None))
    elif wanted.state == "paused":
        found.append(schedule.c.enabled.is_(False))
    elif wanted.state == "over":
        found += [schedule.c.enabled.is_(True), schedule.c.next_at.is_(None)]
    return found


def _seen(scope: Scope) -> sa.Select[Any]:
    newest = (
        sa.select(schedule_run.c.id)
        .where(schedule_run.c.schedule_id == schedule.c.id, schedule_run.c.workspace_id == scope.workspace_id)
        .order_by(schedule_run.c.at.desc())
        .limit(1)
        .correlate(schedule)
        .scalar_subquery()
    )
    return (
        sa.select(
            schedule,
            automation.c.label.label("automation_label"),
            automation.c.name.label("automation_name"),
            repository.c.label.label("repository_label"),
            schedule_run.c.id.label("run_id"),
            schedule_run.c.at.label("run_at"),
            schedule_run.c.outcome.label("run_outcome"),
            schedule_run.c.reason.label("run_reason"),
            schedule_run.c.times.label("run_times"),
            schedule_run.c.task_id.label("run_task_id"),
            task.c.state.label("task_state"),
        )
        .join(automation, automation.c.id == schedule.c.automation_id)
        .join(repository, repository.c.id == schedule.c.repository_id)
        .outerjoin(schedule_run, schedule_run.c.id == newest)
        .outerjoin(task, task.c.id == schedule_run.c.task_id)
        .where(_living(scope))
    )


def _to_wire(found: Row) -> wire.Schedule:
    last_run = None
    if found.run_id is not None:
        last_run = wire.ScheduleRun(
            id=found.run_id,
            at=found.run_at,
            outcome=found.run_outcome,
            reason=found.run_reason,
            times=found.run_times,
            task_id=found.run_task_id,
            task_state=found.task_state or "",
        )
    return wire.Schedule(
        **{name: getattr(found, name) for name in _AS_THEY_ARE},
        automation=found.automation_label,
        automation_name=found.automation_name or found.automation_label,
        repository=found.repository_label,
        state="active" if found.next_at else "over" if found.enabled else "paused",
        last_run=last_run,
        changed_at=found.changed_at,
    )
