"""Alerts that bots send."""

from typing import Any

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import alerts, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, body, call, paging
from bottool_web.store.scope import Principal

SORTS = ("id", "date")
"""Both are the order in which they came."""


@blueprint.post("/alerts")
@call("alert.create")
def create(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    task_id, kind = words.count_in(sent.get("taskId"), "taskId"), sent.get("type")
    if task_id is None:
        raise InvalidInput("'taskId' is missing", "an alert belongs to a task", path="taskId")
    new = wire.NewAlert(
        task_id=task_id,
        title=words.text_in(sent.get("title"), "title"),
        message=words.text_in(sent.get("message"), "message"),
        type=words.alert_type_in("INFO" if kind is None else kind),
    )
    return words.alert_out(alerts.create_alert(site, who, new), workspace=workspaces.label(site, who))


@blueprint.get("/alerts")
@call("alert.read")
def list_alerts(site: Site, who: Principal) -> dict[str, Any]:
    """Newest first; ``taskId``, ``type``, ``activityLabel``, ``days`` and ``search`` narrow."""
    page, task_id, days, kind = paging(), asked("taskId"), asked("days"), asked("type")
    said = alerts.Filter(
        task_id=words.count_in(task_id, "taskId") if task_id else None,
        type=words.alert_type_in(int(kind) if kind.isdecimal() else kind) if kind else "",
        automation=asked("activityLabel"),
        search=asked("search"),
        days=words.count_in(days, "days") if days else None,
    )
    if page.sort and page.sort not in SORTS:
        raise InvalidInput(f"'{page.sort}' is nothing to sort by", f"there are: {', '.join(SORTS)}", path="sort")
    found, total = alerts.page_of_alerts(
        site, who, said, first=page.first, limit=page.size, descending=page.descending or not page.sort
    )
    label = workspaces.label(site, who)
    rows = [words.alert_out(each, workspace=label) for each in found]
    return words.page_out(rows, number=page.number, size=page.size, total=total, ordered=bool(page.sort))
