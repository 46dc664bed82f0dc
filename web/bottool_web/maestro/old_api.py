"""The old form interface ``/app/api``, for bots that are pinned to a client of its time: signing in, and tasks.

What such bots report is in ``old_reports``.
"""

import json
from typing import Any

from bottool import wire
from bottool_web.actions import tasks
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.old_calls import INTERFACE, Said, blueprint, call, done, public
from bottool_web.maestro.tasks import task_out, tasks_out
from bottool_web.maestro.workspace import signed_in
from bottool_web.store.scope import Principal

MOST_TASKS = 1000
_NO_PARAMETERS = frozenset({"access_token", "activityLabel", "taskForTest", "priority", "minExecutionDate"})


@blueprint.post("/login")
@public
def login(said: Said) -> dict[str, str]:
    return {"access_token": signed_in(said.text("userLogin"), said.text("key"), INTERFACE).token}


@blueprint.post("/task/create")
@call("task.create")
def create(site: Site, who: Principal, said: Said) -> dict[str, str]:
    """Whatever is no field of the call is a parameter of the task, as text. The payload is the task as a JSON text."""
    new = wire.NewTask(
        automation=said.text("activityLabel"),
        parameters={name: value for name, value in said.fields.items() if name not in _NO_PARAMETERS},
        priority=said.number("priority"),
        earliest_at=words.date_in(said.text("minExecutionDate"), "minExecutionDate"),
        test=words.flag_in(said.text("taskForTest"), "taskForTest"),
    )
    made = tasks.create(site, who, new, loose=True)
    return done(f"task {made.id} is created", json.dumps(task_out(site, who, made)))


@blueprint.get("/task/get")
@call("task.read")
def get(site: Site, who: Principal, said: Said) -> dict[str, Any]:
    """The bare task."""
    return task_out(site, who, tasks.get_task(site, who, said.id("id")))


@blueprint.get("/task/list")
@call("task.read")
def list_tasks(site: Site, who: Principal, said: Said) -> list[dict[str, Any]]:  # noqa: ARG001  # nothing is said
    """The newest as a bare array."""
    return tasks_out(site, who, tasks.list_tasks(site, who, limit=MOST_TASKS))


@blueprint.post("/task/finish")
@call("task.finish")
def finish(site: Site, who: Principal, said: Said) -> dict[str, str]:
    word = wire.Finish(
        status=words.result_in(said.text("finishStatus")),
        message=said.text("finishMessage"),
        processed_items=said.number("processedItems"),
    )
    ended = tasks.finish(site, who, said.id("taskId"), word)
    return done(f"task {ended.id} is finished")


@blueprint.post("/task/restart")
@call("task.restart")
def restart(site: Site, who: Principal, said: Said) -> dict[str, str]:
    again = tasks.restart(site, who, said.id("id"))
    return done(f"task {again.id} waits", json.dumps(task_out(site, who, again)))
