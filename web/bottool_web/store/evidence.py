"""What is known of attempts beside their outcome, and the task before one that worked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool_web.store.evidence_tables import equipment, evidence
from bottool_web.store.moves import Row
from bottool_web.store.schedule_tables import schedule, schedule_run
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, audit, automation, bot_version, revision, runner, task

LOOK_BACK = 5000
"""Among so many of an automation's tasks before one is the last that worked looked for."""
MOST_CHANGES = 20


def keep_equipment(tx: sa.Connection, scope: Scope, runner_row: int, told: wire.NewEquipment, now: datetime) -> None:
    """Once: what has the same digest already stays."""
    known = (equipment.c.runner_id == runner_row) & (equipment.c.digest == told.digest)
    if tx.scalar(sa.select(equipment.c.id).where(equipment.c.workspace_id == scope.workspace_id, known)) is None:
        tx.execute(
            sa.insert(equipment).values(
                workspace_id=scope.workspace_id,
                runner_id=runner_row,
                digest=told.digest,
                told=msgspec.to_builtins(told.equipment),
                at=now,
            )
        )


def keep(tx: sa.Connection, scope: Scope, attempt_row: int, values: Mapping[str, Any], now: datetime) -> None:
    """Write the columns in ``values``; what was told of the attempt before is replaced, the rest stays."""
    mine = (evidence.c.workspace_id == scope.workspace_id) & (evidence.c.attempt_id == attempt_row)
    if tx.execute(sa.update(evidence).where(mine).values(**values, at=now)).rowcount:
        return
    new = {"told": {}, **values}
    tx.execute(sa.insert(evidence).values(workspace_id=scope.workspace_id, attempt_id=attempt_row, at=now, **new))


def find(tx: sa.Connection, scope: Scope, attempt_row: int) -> Row | None:
    """``told``, ``artifact_id`` and ``at``; ``None`` when nothing is known."""
    return tx.execute(
        sa.select(evidence).where(evidence.c.workspace_id == scope.workspace_id, evidence.c.attempt_id == attempt_row)
    ).one_or_none()


def last_worked(tx: sa.Connection, scope: Scope, of: Row) -> Row | None:
    """The row of the newest task of the same automation before this one that succeeded; ``None`` without one."""
    before = (
        sa.select(task.c.id, task.c.state)
        .where(task.c.workspace_id == scope.workspace_id, task.c.automation_id == of.automation_id, task.c.id < of.id)
        .order_by(task.c.id.desc())
        .limit(LOOK_BACK)
        .subquery()
    )
    found = tx.scalar(sa.select(sa.func.max(before.c.id)).where(before.c.state == "succeeded"))
    if found is None:
        return None
    return tx.execute(sa.select(task).where(task.c.workspace_id == scope.workspace_id, task.c.id == found)).one()


def ran(tx: sa.Connection, scope: Scope, of: Row, number: int | None = None) -> Row | None:
    """What an attempt of a task ran, the newest unless ``number`` is given; ``None`` where there is none.

    Its attempt_id, version, technology, sha256, file_name and machine_id, and ``told``: its equipment or ``None``.
    """
    return tx.execute(
        sa.select(
            attempt.c.id.label("attempt_id"),
            bot_version.c.version,
            bot_version.c.technology,
            revision.c.sha256,
            revision.c.file_name,
            runner.c.machine_id,
            equipment.c.told,
        )
        .join(bot_version, bot_version.c.id == attempt.c.bot_version_id)
        .join(revision, revision.c.id == attempt.c.revision_id)
        .join(runner, runner.c.id == attempt.c.runner_id)
        .outerjoin(
            equipment,
            sa.and_(equipment.c.runner_id == attempt.c.runner_id, equipment.c.digest == attempt.c.equipment),
        )
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.task_id == of.id,
            attempt.c.number == (of.attempt if number is None else number),
        )
    ).one_or_none()


def schedule_of(tx: sa.Connection, scope: Scope, task_id: int) -> str:
    """The label of the schedule that made the task; ``""`` when somebody else did."""
    found = tx.scalar(
        sa.select(schedule.c.label)
        .join(schedule_run, schedule_run.c.schedule_id == schedule.c.id)
        .where(schedule.c.workspace_id == scope.workspace_id, schedule_run.c.task_id == task_id)
        .limit(1)
    )
    return found or ""


def changed_between(tx: sa.Connection, scope: Scope, act: str, subject: str, times: tuple[Any, Any]) -> list[Row]:
    """The audit's ``actor``, ``at`` and ``detail`` of such acts between two times, oldest first."""
    return list(
        tx.execute(
            sa.select(audit.c.actor, audit.c.at, audit.c.detail)
            .where(
                audit.c.workspace_id == scope.workspace_id,
                audit.c.act == act,
                audit.c.subject == subject,
                audit.c.at > times[0],
                audit.c.at <= times[1],
            )
            .order_by(audit.c.id)
            .limit(MOST_CHANGES)
        )
    )


def automation_label(tx: sa.Connection, scope: Scope, automation_row: int) -> str:
    """Also of one that was deleted."""
    return str(
        tx.scalar(
            sa.select(automation.c.label).where(
                automation.c.workspace_id == scope.workspace_id, automation.c.id == automation_row
            )
        )
    )
