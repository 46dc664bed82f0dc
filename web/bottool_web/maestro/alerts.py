"""Alerts that bots send."""

from typing import Any

from flask import request

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import alerts, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import blueprint, body, call, whole
from bottool_web.store.scope import Principal


@blueprint.post("/alerts")
@call("alert.create")
def create(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    task_id = words.count_in(sent.get("taskId"), "taskId")
    if task_id is None:
        raise InvalidInput("'taskId' is missing", "an alert belongs to a task")
    new = wire.NewAlert(
        task_id=task_id,
        title=words.text_in(sent.get("title"), "title"),
        message=words.text_in(sent.get("message"), "message"),
        type=words.alert_type_in(sent.get("type", "INFO")),
    )
    return words.alert_out(alerts.create_alert(site, who, new), workspace=workspaces.label(site, who))


@blueprint.get("/alerts")
@call("alert.read")
def list_alerts(site: Site, who: Principal) -> dict[str, Any]:
    found = alerts.list_alerts(site, who, request.args.get("taskId", type=int))
    number, size = whole("page", 0, most=10**6), whole("size", 20, most=1000) or 20
    label = workspaces.label(site, who)
    rows = [words.alert_out(alert, workspace=label) for alert in found[number * size : (number + 1) * size]]
    return words.page_out(rows, number=number, size=size, total=len(found))
