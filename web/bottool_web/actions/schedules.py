"""Schedules: when automations run by themselves, as people make and change them. What fires them is in ``firing``."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import BottoolError, Conflict, NotFound
from bottool_web.actions import checks, news, schedule_rules
from bottool_web.actions.firing import Asked, make_run
from bottool_web.actions.once import Request, once
from bottool_web.actions.parameters import check_parameters
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.cron.calendars import calendar_of
from bottool_web.cron.timing import Timing, read_timing, zones
from bottool_web.store import audit, automations, schedule_runs, schedules, tasks, workspaces
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

__all__ = ["calendar_of", "zones"]

MOST_ROWS = 1000
MOST_FIRES = 100
NOTED = timedelta(days=370)
"""So far ahead a preview looks for changes of clocks at most."""
_PLAIN = ("label", "description", "priority", "test", "missed", "missed_most", "overlap", *schedule_rules.WHEN)


@action("schedule.read")
def list_schedules(  # noqa: PLR0913  # each is a filter of the list
    site: Site,
    who: Principal,
    *,
    automation: str = "",
    search: str = "",
    state: str = "",
    before: int | None = None,
    offset: int = 0,
    limit: int = 50,
) -> list[wire.Schedule]:
    """Newest first. ``before`` is the last id of the page before; ``state`` is active, paused or over."""
    wanted = schedules.Wanted(
        automation=automation,
        search=checks.text(search, "search", checks.NAME_LIMIT),
        state=state,
        before=before,
        offset=max(0, offset),
        limit=max(1, min(limit, MOST_ROWS)),
    )
    return [_told(found) for found in site.store.read(lambda tx: schedules.page(tx, who.scope, wanted))]


@action("schedule.read")
def count_schedules(site: Site, who: Principal, *, automation: str = "", search: str = "", state: str = "") -> int:
    """How many a list with these filters has."""
    wanted = schedules.Wanted(automation=automation, search=checks.text(search, "search"), state=state)
    return site.store.read(lambda tx: schedules.count(tx, who.scope, wanted))


@action("schedule.read")
def get_schedule(site: Site, who: Principal, key: str) -> wire.Schedule:
    """By label or id.

    :raises NotFound: when there is none in this workspace.
    """
    return _told(site.store.read(lambda tx: schedules.get(tx, who.scope, key)))


@action("schedule.read")
def list_runs(
    site: Site, who: Principal, key: str, *, before: int | None = None, limit: int = 50
) -> list[wire.ScheduleRun]:
    """What came of its due times, newest first."""
    most = max(1, min(limit, MOST_ROWS))

    def work(tx: sa.Connection) -> list[wire.ScheduleRun]:
        found = schedules.get(tx, who.scope, key)
        return schedule_runs.runs(tx, who.scope, found.id, before=before, limit=most)

    return site.store.read(work)


@action("schedule.read")
def preview(site: Site, who: Principal, wish: wire.Wish) -> wire.Preview:  # noqa: ARG001  # whoever may read
    """When something would be due, in words and as moments.

    :raises InvalidInput: for what cannot be read, or never fires.
    """
    checks.number(wish.count, "count", 1, MOST_FIRES)
    dialect, expression = schedule_rules.expression(msgspec.structs.asdict(wish))
    timing = read_timing(dialect, expression, wish.zone)
    after = wish.after or site.now()
    fires: list[datetime] = []
    for moment in timing.after(after):
        fires.append(moment)
        if len(fires) == wish.count:
            break
    last = min(fires[-1], after + NOTED) if fires else after
    return wire.Preview(
        dialect=dialect,  # type: ignore[arg-type]  # the reader took it
        expression=expression,
        zone=wish.zone,
        words=timing.words,
        fires=fires,
        local=[moment.astimezone(timing.zone).isoformat(sep=" ", timespec="seconds") for moment in fires],
        notes=timing.clock_changes(after, last),
    )


@action("schedule.change")
def create(
    site: Site, who: Principal, new: wire.NewSchedule, *, idempotency_key: str = "", loose: bool = False
) -> wire.Schedule:
    """Let an automation run by itself. ``loose`` lets parameters pass that the automation does not know.

    :raises NotFound: for an automation that is not there.
    :raises InvalidInput: for an expression that cannot be read, that never fires, or whose last time has passed.
    :raises Conflict: when the label is taken.
    """
    said = msgspec.structs.asdict(new)
    said["dialect"], said["expression"] = schedule_rules.expression(said)
    schedule_rules.check({name: value for name, value in said.items() if name != "label" or value})
    request = Request(act="schedule.create", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Schedule:
        columns = {name: said[name] for name in _PLAIN}
        is_loose = loose or new.undeclared_parameters
        columns |= _of_automation(tx, who, new.automation, new.parameters, loose=is_loose)
        columns["label"] = new.label or _free_label(tx, who, new.automation)
        columns["next_at"] = schedule_rules.due(said, request.now)
        made = schedules.add(tx, who.scope, columns, request.now)
        audit.record(tx, who.scope, request.act, columns["label"], request.now)
        return schedules.get(tx, who.scope, str(made))

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Schedule))
    return _changed(site, who, made)


@action("schedule.change")
def change(site: Site, who: Principal, key: str, wanted: wire.ScheduleChange, *, loose: bool = False) -> wire.Schedule:
    """Change what is set in ``wanted`` and nothing else. When it is due next is counted from now.

    :raises InvalidInput: as ``create``.
    """
    said = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET}
    if "expression" in said or "calendar" in said:
        said["dialect"], said["expression"] = schedule_rules.expression({"dialect": "quartz", "expression": "", **said})
    schedule_rules.check(said)
    now = site.now()

    def make(tx: sa.Connection) -> wire.Schedule:
        row = schedules.locked(tx, who.scope, key)
        columns = {name: said[name] for name in _PLAIN if name in said}
        if "automation" in said or "parameters" in said:
            label = said["automation"] if "automation" in said else _label_of_its_automation(tx, who, row)
            columns |= _of_automation(tx, who, label, said.get("parameters", row.parameters), loose=loose)
        columns |= schedule_rules.due_after(row, columns, now)
        schedules.change(tx, who.scope, row.id, columns, now)
        audit.record(tx, who.scope, "schedule.change", columns.get("label", row.label), now, fields=sorted(said))
        return schedules.get(tx, who.scope, str(row.id))

    return _changed(site, who, site.store.write(make))


@action("schedule.pause")
def pause(site: Site, who: Principal, key: str) -> wire.Schedule:
    """Let it not fire until it is resumed; times that pass meanwhile were not missed. May be repeated."""
    return _switch(site, who, key, enabled=False)


@action("schedule.pause")
def resume(site: Site, who: Principal, key: str) -> wire.Schedule:
    """Let it fire again, from its next due time on. May be repeated.

    :raises InvalidInput: when no due time lies ahead.
    """
    return _switch(site, who, key, enabled=True)


@action("schedule.delete")
def delete(site: Site, who: Principal, key: str) -> None:
    """Take it out of use; its tasks are kept, and its label may be used again."""
    now = site.now()

    def make(tx: sa.Connection) -> None:
        row = schedules.locked(tx, who.scope, key)
        schedules.delete(tx, who.scope, row.id, now)
        audit.record(tx, who.scope, "schedule.delete", row.label, now)

    site.store.write(make)
    site.hints.send(f"workspace:{who.workspace_id}")


@action("schedule.run")
def run_now(site: Site, who: Principal, key: str, *, idempotency_key: str = "") -> wire.Task:
    """Make a task of it now, beside its due times, also while it is paused.

    :raises Conflict: when its automation was deleted.
    """
    body = wire.ScheduleChange(label=key)
    request = Request(act="schedule.run", key=idempotency_key, body=body, now=site.now())

    def make(tx: sa.Connection) -> wire.Task:
        row = schedules.locked(tx, who.scope, key)
        if not automations.is_living(tx, who.scope, row.automation_id):
            raise Conflict(f"the automation of '{row.label}' was deleted", "change the schedule to another one")
        # Never a whole second: those are due times, whose one run this is not.
        first = request.now.replace(microsecond=max(request.now.microsecond, 1))
        for step in count():
            at = first + timedelta(microseconds=step)
            asked = Asked(row=row, at=at, now=request.now, reason=f"asked for by {who.name}")
            if (made := make_run(tx, who, asked)) is not None:
                return tasks.get(tx, who.scope, made)
        raise AssertionError("unreachable")

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Task))
    news.tell(site, who, made.id, news.queue_of(who))
    return made


def _switch(site: Site, who: Principal, key: str, *, enabled: bool) -> wire.Schedule:
    now = site.now()

    def make(tx: sa.Connection) -> wire.Schedule:
        row = schedules.locked(tx, who.scope, key)
        if row.enabled != enabled:
            columns: dict[str, Any] = {"enabled": enabled}
            if enabled and not automations.is_living(tx, who.scope, row.automation_id):
                raise Conflict(f"the automation of '{row.label}' was deleted", "change the schedule to another one")
            columns |= schedule_rules.due_after(row, columns, now)
            schedules.change(tx, who.scope, row.id, columns, now)
            act = "schedule.resume" if enabled else "schedule.pause"
            audit.record(tx, who.scope, act, row.label, now)
        return schedules.get(tx, who.scope, str(row.id))

    return _changed(site, who, site.store.write(make))


def _of_automation(
    tx: sa.Connection, who: Principal, label: str, parameters: dict[str, Any], *, loose: bool
) -> dict[str, Any]:
    """The columns that depend on the automation. The values as they were given: defaults are the task's affair."""
    try:
        automation = automations.get(tx, who.scope, label)
    except NotFound as error:
        raise NotFound(f"there is no automation '{checks.shortened(label)}'", error.hint, path="automation") from None
    check_parameters(automation, parameters, loose=loose)
    return {
        "automation_id": automation.id,
        "repository_id": workspaces.repository_id(tx, who.scope, automation.repository),
        "parameters": parameters,
    }


def _label_of_its_automation(tx: sa.Connection, who: Principal, row: Row) -> str:
    return str(tasks.rules_of(tx, who.scope, row.automation_id).label)


def _free_label(tx: sa.Connection, who: Principal, automation: str) -> str:
    start = automation[:90] if not automation.isdigit() else f"schedule-{automation[:80]}"
    taken = schedules.labels_like(tx, who.scope, start) | schedule_rules.TAKEN
    number = next(number for number in range(1, len(taken) + 2) if _numbered(start, number) not in taken)
    return _numbered(start, number)


def _numbered(start: str, number: int) -> str:
    return start if number == 1 else f"{start}-{number}"


def _told(found: wire.Schedule) -> wire.Schedule:
    """With words for its expression; without them when it cannot be read any more."""
    try:
        timing: Timing = read_timing(found.dialect, found.expression, found.zone)
    except BottoolError:
        return found
    return msgspec.structs.replace(found, words=timing.words)


def _changed(site: Site, who: Principal, schedule: wire.Schedule) -> wire.Schedule:
    site.hints.send(f"workspace:{who.workspace_id}")
    return _told(schedule)
