"""The list of tasks, and one task with its output and events."""

from flask import request, url_for

from bottool.states import FINAL, STARTED, TaskState
from bottool_web import downloads
from bottool_web.actions import alerts, artifacts, errors, evidence, evidence_file, tasks
from bottool_web.actions.site import Site
from bottool_web.pages import series
from bottool_web.pages.frame import Answer, act, blueprint, page, show
from bottool_web.store.scope import Principal

PAGE_ROWS = 50


@blueprint.get("/tasks")
@page("task.read")
def task_list(site: Site, who: Principal) -> Answer:
    """The filters live in the address: ``state`` (repeatable), ``automation``, ``machine``, ``before``."""
    states = tuple(state for state in request.args.getlist("state") if state in set(TaskState))
    automation, machine = request.args.get("automation", ""), request.args.get("machine", "")
    before = request.args.get("before", type=int)
    found = tasks.list_tasks(
        site, who, states=states, automation=automation, machine=machine, before=before, limit=PAGE_ROWS + 1
    )
    return show(
        "tasks.html",
        who,
        tasks=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        before=before,
        counts=tasks.count_by_state(site, who),
        chosen=states,
        all_states=list(TaskState),
        automation=automation,
        machine=machine,
    )


@blueprint.get("/tasks/<int:task_id>")
@page("task.read")
def task_page(site: Site, who: Principal, task_id: int) -> Answer:
    task = tasks.get_task(site, who, task_id)
    state = TaskState(task.state)
    return show(
        "task.html",
        who,
        task=task,
        final=state in FINAL,
        started=state in STARTED,
        explanation=tasks.explain(site, who, task_id) if state not in STARTED | {TaskState.SUCCEEDED} else None,
        usage=series.lines(evidence.usage_of(site, who, task_id)),
        events=tasks.list_events(site, who, task_id),
        alerts=alerts.list_alerts(site, who, task_id),
        errors=errors.list_errors(site, who, errors.Asked(task_id=task_id)),
        artifacts=artifacts.list_artifacts(site, who, artifacts.Asked(task_id=task_id)),
    )


@blueprint.get("/tasks/<int:task_id>/evidence")
@page("output.read")
def task_evidence(site: Site, who: Principal, task_id: int) -> Answer:
    name, pieces = evidence_file.pack(site, who, task_id)
    return downloads.sent(site, pieces, "application/zip", name)


@blueprint.post("/tasks/<int:task_id>/cancel")
@page("task.cancel")
def task_cancel(site: Site, who: Principal, task_id: int) -> Answer:
    return act(lambda: tasks.cancel(site, who, task_id), "The task is cancelled.", _at(task_id))


@blueprint.post("/tasks/<int:task_id>/interrupt")
@page("task.interrupt")
def task_interrupt(site: Site, who: Principal, task_id: int) -> Answer:
    return act(lambda: tasks.interrupt(site, who, task_id), "The bot is asked to end by itself.", _at(task_id))


@blueprint.post("/tasks/<int:task_id>/stop")
@page("task.stop")
def task_stop(site: Site, who: Principal, task_id: int) -> Answer:
    return act(lambda: tasks.stop(site, who, task_id), "The bot and all its processes are being stopped.", _at(task_id))


@blueprint.post("/tasks/<int:task_id>/restart")
@page("task.restart")
def task_restart(site: Site, who: Principal, task_id: int) -> Answer:
    target = [task_id]

    def restart() -> None:
        target[0] = tasks.restart(site, who, task_id).id

    answer = act(restart, "The task runs again.", _at(task_id))
    answer.location = _at(target[0])
    return answer


def _at(task_id: int) -> str:
    return url_for("pages.task_page", task_id=task_id)
