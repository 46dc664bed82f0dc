"""Schedules, which Maestro calls schedulings. Their cron is Quartz's, and in UTC: what was made here in another zone or
another dialect is told as what it means in UTC now.
"""

from typing import Any

import msgspec

from bottool import wire
from bottool.errors import BottoolError, InvalidInput
from bottool_web.actions import schedules, workspaces
from bottool_web.actions.site import Site
from bottool_web.cron.quartz_out import quartz_in_utc
from bottool_web.cron.timing import read_timing
from bottool_web.maestro import words
from bottool_web.maestro.calls import MOST_ROWS, asked, blueprint, body, call, in_order, paging
from bottool_web.store.scope import Principal

NAME_KEYS = ("name", "label")
_SORTS = {
    "id": "id",
    "dateCreation": "id",
    "dateLastModified": "changed_at",
    "nextExecution": "next_at",
    "activityLabel": "automation",
    "label": "label",
    "name": "label",
    "cron": "expression",
    "priority": "priority",
}


@blueprint.get("/scheduling")
@call("schedule.read")
def list_schedules(site: Site, who: Principal) -> dict[str, Any]:
    """A page of them, newest first unless ``sort`` says otherwise, which looks at the newest 1000."""
    page, automation = paging(), asked("activityLabel")
    if page.sort:
        newest = schedules.list_schedules(site, who, automation=automation, limit=MOST_ROWS)
        found = page.of(in_order(newest, page, _SORTS))
    else:
        found = schedules.list_schedules(site, who, automation=automation, offset=page.first, limit=page.size)
    total = schedules.count_schedules(site, who, automation=automation)
    workspace = workspaces.label(site, who)
    rows = [_row(site, each, workspace) for each in found]
    return words.page_out(rows, number=page.number, size=page.size, total=total, ordered=bool(page.sort))


@blueprint.post("/scheduling")
@call("schedule.change")
def create(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    if not sent.get("cron"):
        raise InvalidInput("'cron' is missing", "a Quartz expression in UTC, such as 0 30 8 ? * MON-FRI", path="cron")
    new = wire.NewSchedule(
        automation=words.text_in(sent.get("activityLabel"), "activityLabel"),
        expression=words.text_in(sent.get("cron"), "cron"),
        description=_name_in(sent),
        parameters=_parameters_in(sent),
        priority=words.count_in(sent.get("priority"), "priority"),
        enabled=sent.get("active") is None or words.flag_in(sent["active"], "active"),
    )
    return _out(site, who, schedules.create(site, who, new, loose=True))


@blueprint.get("/scheduling/<int:schedule_id>")
@call("schedule.read")
def get(site: Site, who: Principal, schedule_id: int) -> dict[str, Any]:
    return _out(site, who, schedules.get_schedule(site, who, str(schedule_id)))


@blueprint.put("/scheduling/<int:schedule_id>")
@call("schedule.change")
def change(site: Site, who: Principal, schedule_id: int) -> dict[str, Any]:
    """What is absent stays. A cron that is sent as it was told leaves zone and dialect as they are."""
    sent = body()
    before = schedules.get_schedule(site, who, str(schedule_id))
    said: dict[str, Any] = {}
    if sent.get("activityLabel") is not None:
        said["automation"] = words.text_in(sent["activityLabel"], "activityLabel")
    cron = words.text_in(sent.get("cron"), "cron")
    if sent.get("cron") is not None and cron != _cron(site, before):
        said |= {"dialect": "quartz", "expression": cron, "zone": "UTC"}
    if any(sent.get(key) is not None for key in NAME_KEYS):
        said["description"] = _name_in(sent)
    if sent.get("parameters") is not None:
        said["parameters"] = _parameters_in(sent)
    if sent.get("priority") is not None:
        said["priority"] = words.count_in(sent["priority"], "priority")
    if sent.get("active") is not None:
        said["enabled"] = words.flag_in(sent["active"], "active")
    wanted = msgspec.convert(said, wire.ScheduleChange)
    return _out(site, who, schedules.change(site, who, str(schedule_id), wanted, loose=True))


@blueprint.delete("/scheduling/<int:schedule_id>")
@call("schedule.delete")
def delete(site: Site, who: Principal, schedule_id: int) -> dict[str, Any]:
    schedules.delete(site, who, str(schedule_id))
    return {"message": f"schedule {schedule_id} is deleted"}


def _name_in(sent: dict[str, Any]) -> str:
    return next((words.text_in(sent[key], key) for key in NAME_KEYS if sent.get(key) is not None), "")


def _parameters_in(sent: dict[str, Any]) -> dict[str, Any]:
    parameters = sent.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise InvalidInput("'parameters' is no object", path="parameters")
    return parameters or {}


def _cron(site: Site, schedule: wire.Schedule) -> str:
    if schedule.dialect == "quartz" and schedule.zone == "UTC":
        return schedule.expression
    try:
        timing = read_timing(schedule.dialect, schedule.expression, schedule.zone)
    except BottoolError:
        return schedule.expression
    return quartz_in_utc(timing, site.now()) or schedule.expression


def _out(site: Site, who: Principal, schedule: wire.Schedule) -> dict[str, Any]:
    return _row(site, schedule, workspaces.label(site, who))


def _row(site: Site, schedule: wire.Schedule, workspace: str) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "name": schedule.description or schedule.label,
        "label": schedule.label,
        "activityLabel": schedule.automation,
        "activityName": schedule.automation_name or schedule.automation,
        "cron": _cron(site, schedule),
        "scheduleStrategy": schedule.words,
        "timeZone": schedule.zone,
        "parameters": schedule.parameters,
        "priority": schedule.priority or 0,
        "active": schedule.enabled,
        "nextExecution": words.date_out(schedule.next_at),
        "organizationLabel": workspace,
        "repositoryLabel": schedule.repository,
        "userCreationName": schedule.created_by,
        "dateCreation": words.date_out(schedule.created_at),
        "dateLastModified": words.date_out(schedule.changed_at),
    }
