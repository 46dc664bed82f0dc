"""What schedules do by themselves: the clock's part. Exactly one task for each due time that fires.

The due time's row and its task are written in one transaction, and the row is unique: a server that dies, a clock that
goes back, or a second server cannot make a second task. What does not fire leaves a row that says why.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import news
from bottool_web.actions.due_times import Plan, Rule, plan
from bottool_web.actions.parameters import check_parameters
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.cron.timing import read_timing
from bottool_web.store import audit, schedule_runs, tasks
from bottool_web.store.leading import leading
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

AT_ONCE = 100
"""So many schedules of a workspace at one beat of the clock: the others are due at the next."""
RUN_DAYS = 90
RUNS_KEPT = 100
"""What came of a due time is kept so long; the newest of each schedule always."""
PURGED_AT_ONCE = 1000
MOST_PURGES = 100
_log = logging.getLogger(__name__)


@action("site.keep")
def fire_due(site: Site, who: Principal) -> int:
    """Make the tasks of all schedules whose time has come; returns how many. Nothing while another server leads."""
    if not site.store.read(lambda tx: schedule_runs.due(tx, who.scope, site.now(), limit=1)):
        return 0
    with leading(site.store) as leads:
        if not leads:
            return 0
        due = site.store.read(lambda tx: schedule_runs.due(tx, who.scope, site.now(), limit=AT_ONCE))
        return sum(_fire(site, who, row) for row in due)


@action("site.keep")
def purge(site: Site, who: Principal) -> int:
    """Drop what came of due times long past, so many at a time that no other write waits long; returns how many.

    Tasks stay. No due time can fire again by that: each schedule knows its next one.
    """
    old = schedule_runs.Old(before=site.now() - timedelta(days=RUN_DAYS), keep=RUNS_KEPT, limit=PURGED_AT_ONCE)
    every = site.store.read(lambda tx: schedule_runs.with_runs(tx, who.scope))
    return sum(_purge(site, who, schedule_id, old) for schedule_id in every)


def _purge(site: Site, who: Principal, schedule_id: int, old: schedule_runs.Old) -> int:
    dropped = 0
    for _ in range(MOST_PURGES):
        gone = site.store.write(lambda tx: schedule_runs.purge(tx, who.scope, schedule_id, old))
        dropped += gone
        if gone < old.limit:
            break
    return dropped


def _fire(site: Site, who: Principal, row: Row) -> int:
    try:
        if row.automation_deleted_at is not None:
            return _pause(site, who, row, "its automation was deleted")
        made = site.store.write(_firing(site, who, row))
    except InvalidInput as error:
        # What was read when it was made cannot be read any more, such as a zone that this machine does not know.
        return _pause(site, who, row, error.message)
    except Exception:  # noqa: BLE001  # one schedule must not keep the others from firing
        _log.exception("schedule %d could not fire; the next beat tries again", row.id)
        return 0
    for task_id in made:
        news.tell(site, who, task_id, news.queue_of(who))
    if not made:
        site.hints.send(f"workspace:{who.workspace_id}")
    return len(made)


def _pause(site: Site, who: Principal, row: Row, why: str) -> int:
    now = site.now()
    _log.warning("schedule %d is paused: %s", row.id, why)

    def work(tx: sa.Connection) -> None:
        if schedule_runs.take(tx, who.scope, row, {"enabled": False, "next_at": None, "note": why, "changed_at": now}):
            skipped = schedule_runs.NewRun(schedule_id=row.id, at=row.next_at, outcome="skipped", reason=why)
            schedule_runs.add_run(tx, who.scope, skipped)
            audit.record(tx, who.scope, "schedule.pause", row.label, now, why=why)

    site.store.write(work)
    site.hints.send(f"workspace:{who.workspace_id}")
    return 0


def _firing(site: Site, who: Principal, row: Row) -> Any:
    """The write that fires what is due of one schedule; what takes long is done before it."""
    rule = Rule(
        missed=row.missed,
        most=row.missed_most,
        late_after=timedelta(seconds=site.settings.missed_after_seconds),
        ends_at=row.ends_at,
    )
    now = site.now()
    todo = plan(read_timing(row.dialect, row.expression, row.zone), row.next_at, now, rule)
    return lambda tx: _carry_out(tx, replace(who, name=f"schedule '{row.label}'"), row, todo, now)


def _carry_out(tx: sa.Connection, who: Principal, row: Row, todo: Plan, now: datetime) -> list[int]:
    if not schedule_runs.take(tx, who.scope, row, {"next_at": todo.next_at}):
        return []
    if todo.left_out_at is not None:
        left_out = schedule_runs.NewRun(
            schedule_id=row.id,
            at=todo.left_out_at,
            outcome="skipped",
            reason="missed: no server ran",
            times=todo.left_out,
        )
        schedule_runs.add_run(tx, who.scope, left_out)
    found = (_fire_once(tx, who, row, at, now) for at in todo.fires)
    return [task_id for task_id in found if task_id is not None]


def _fire_once(tx: sa.Connection, who: Principal, row: Row, at: datetime, now: datetime) -> int | None:
    """The task of one due time; ``None`` when it had its run already, or waits for nothing."""
    before = None if row.overlap else schedule_runs.unfinished_task(tx, who.scope, row.id)
    if before is not None:
        reason = f"task {before} was not over yet"
        schedule_runs.add_run(
            tx, who.scope, schedule_runs.NewRun(schedule_id=row.id, at=at, outcome="skipped", reason=reason)
        )
        return None
    return make_run(tx, who, Asked(row=row, at=at, now=now))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run of a schedule's row that is to be made, for the due time ``at``."""

    row: Row
    at: datetime
    now: datetime
    reason: str = ""


def make_run(tx: sa.Connection, who: Principal, asked: Asked) -> int | None:
    """Write the run and its task together; ``None`` when this due time has its run already."""
    row = asked.row
    new = schedule_runs.NewRun(schedule_id=row.id, at=asked.at, outcome="fired", reason=asked.reason)
    run_id = schedule_runs.add_run(tx, who.scope, new)
    if run_id is None:
        return None
    rules = tasks.rules_of(tx, who.scope, row.automation_id)
    declared = wire.Automation(
        id=row.automation_id,
        label=rules.label,
        name=rules.label,
        parameters=msgspec.convert(rules.parameters, list[wire.Parameter]),
        created_at=rules.created_at,
    )
    task_id = tasks.add(
        tx,
        who.scope,
        tasks.NewRow(
            automation_id=row.automation_id,
            repository_id=rules.repository_id,
            priority=rules.priority if row.priority is None else row.priority,
            # Loose: what the automation asks for may have changed since; the task then tells, better than silence.
            parameters=check_parameters(declared, row.parameters, loose=True),
            at=asked.now,
            test=row.test,
        ),
    )
    schedule_runs.give_task(tx, who.scope, run_id, task_id)
    return task_id
