"""Runners, as Maestro calls them machines: read only."""

from typing import Any

from bottool_web.actions import runner_history, runners, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, call, in_order, paging
from bottool_web.store.scope import Principal

_SORTS = {"machineId": "machine_id", "name": "machine_id", "id": "id", "dateLastContact": "last_seen_at"}
DAYS = 30


@blueprint.get("/machine/pagination")
@call("runner.read")
def page_of_machines(site: Site, who: Principal) -> dict[str, Any]:
    """``machineId`` keeps what contains it, ``isOnline`` what is or is not, ``type`` what is of that type."""
    page, label, wanted = paging(), workspaces.label(site, who), asked("machineId").casefold()
    online, kind = asked("isOnline"), asked("type").upper()
    found = [
        each
        for each in in_order(runners.list_runners(site, who), page, _SORTS)
        if wanted in each.machine_id.casefold()
        and (not online or words.is_online(each) == words.flag_in(online, "isOnline"))
        and kind in {"", words.RUNNER_TYPE}
    ]
    rows = [words.runner_out(each, workspace=label) for each in page.of(found)]
    return words.page_out(rows, number=page.number, size=page.size, total=len(found), ordered=bool(page.sort))


@blueprint.get("/machine/<name>")
@call("runner.read")
def get(site: Site, who: Principal, name: str) -> dict[str, Any]:
    """By machine id, or by the number that the pages give."""
    return words.runner_out(runner_history.get_runner(site, who, name), workspace=workspaces.label(site, who))


@blueprint.get("/machine/log/<name>")
@call("runner.read")
def log(site: Site, who: Principal, name: str) -> list[dict[str, Any]]:
    """What the runner did with its tasks, newest first."""
    runner = runner_history.get_runner(site, who, name)
    lines = runner_history.history(site, who, runner.id, limit=paging(rows=100).size)
    return [
        {"date": words.date_out(line.at), "machineId": runner.machine_id, "taskId": line.task_id, "message": line.text}
        for line in lines
    ]


@blueprint.get("/machine/<name>/tasks-summary")
@call("runner.read")
def tasks_summary(site: Site, who: Principal, name: str) -> dict[str, Any]:
    """How many tasks of the last days are in which state, and their items."""
    runner = runner_history.get_runner(site, who, name)
    days = words.count_in(asked("days") or DAYS, "days") or DAYS
    found = runner_history.summary(site, who, runner.id, days=days)
    states = {state: sum(each.count for each in found if words.state_of(each.state) == state) for state in words.STATES}
    ends = {
        status: sum(each.count for each in found if words.status_of(each.state) == status)
        for status in words.FINISH_STATUSES
    }
    return {
        "machineId": runner.machine_id,
        "days": days,
        "total": sum(each.count for each in found),
        "states": states,
        "finishStatuses": ends,
        "totalItems": sum(each.total_items for each in found),
        "processedItems": sum(each.processed_items for each in found),
        "failedItems": sum(each.failed_items for each in found),
    }
