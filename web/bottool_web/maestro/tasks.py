"""Tasks: create, read, and the partial update that finishes, restarts, interrupts, cancels and stops."""

from typing import Any

from flask import request

from bottool import wire
from bottool.errors import InvalidInput
from bottool.states import TaskState
from bottool_web.actions import tasks, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import blueprint, body, call, whole
from bottool_web.store.scope import Principal

_STATES_OF = {
    "START": (TaskState.SCHEDULED, TaskState.QUEUED, TaskState.LEASED, TaskState.STARTING),
    "RUNNING": (TaskState.RUNNING, TaskState.STOPPING, TaskState.LOST),
    "FINISHED": (
        TaskState.SUCCEEDED,
        TaskState.PARTIAL,
        TaskState.FAILED,
        TaskState.TIMED_OUT,
        TaskState.EXPIRED,
    ),
    "CANCELED": (TaskState.CANCELLED,),
}
MOST_ROWS = 1000


@blueprint.post("/task")
@call("task.create")
def create(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    parameters = sent.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise InvalidInput("'parameters' is no object")
    new = wire.NewTask(
        automation=words.text_in(sent.get("activityLabel"), "activityLabel"),
        parameters=parameters or {},
        priority=words.count_in(sent.get("priority"), "priority"),
        earliest_at=words.date_in(sent.get("minExecutionDate"), "minExecutionDate"),
        test=bool(sent.get("test")),
    )
    return _out(site, who, tasks.create(site, who, new, loose=True))


@blueprint.get("/task/<int:task_id>")
@call("task.read")
def get(site: Site, who: Principal, task_id: int) -> dict[str, Any]:
    return _out(site, who, tasks.get_task(site, who, task_id))


@blueprint.post("/task/<int:task_id>")
@call("task.read")
def update(site: Site, who: Principal, task_id: int) -> dict[str, Any]:
    """A partial update: what is absent stays. Each part is an action with a permission of its own."""
    sent = body()
    if sent.get("state") is not None:
        return _out(site, who, _move(site, who, task_id, sent))
    if sent.get("killed"):
        return _out(site, who, tasks.stop(site, who, task_id))
    if sent.get("interrupted"):
        return _out(site, who, tasks.interrupt(site, who, task_id))
    return _out(site, who, tasks.get_task(site, who, task_id))


def _move(site: Site, who: Principal, task_id: int, sent: dict[str, Any]) -> wire.Task:
    state = words.literal(sent["state"], words.STATES, "state")
    if state == "FINISHED":
        return tasks.finish(site, who, task_id, words.finish_in(sent))
    if state == "START":
        return tasks.restart(site, who, task_id)
    if state == "CANCELED":
        return tasks.cancel(site, who, task_id)
    raise InvalidInput("'state' cannot be set to RUNNING", "only a runner says that a bot runs")


@blueprint.get("/task")
@call("task.read")
def list_tasks(site: Site, who: Principal) -> dict[str, Any]:
    """Newest first; ``days`` counts back from now, and there is one page of at most 1000 rows a call."""
    number, size = whole("page", 0, most=10**6), whole("size", 20, most=MOST_ROWS) or 20
    wanted = request.args.get("stateFilter", "")
    found = tasks.list_tasks(
        site,
        who,
        states=_STATES_OF.get(wanted.upper(), ()),
        automation=request.args.get("activityLabel", ""),
        machine=request.args.get("machineId", ""),
        days=request.args.get("days", type=int),
        limit=(number + 1) * size + 1,
    )
    rows = [_out(site, who, task) for task in found[number * size : (number + 1) * size]]
    return words.page_out(rows, number=number, size=size, total=len(found))


def _out(site: Site, who: Principal, task: wire.Task) -> dict[str, Any]:
    return words.task_out(task, workspace=workspaces.label(site, who), workspace_id=who.workspace_id)
