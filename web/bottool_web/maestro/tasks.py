"""Tasks: create, read, and the partial update that finishes, restarts, interrupts, cancels and stops."""

from collections.abc import Sequence
from typing import Any

from bottool import wire
from bottool.errors import InvalidInput
from bottool.states import TaskState
from bottool_web.actions import tasks, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, body, call, paging
from bottool_web.store.scope import Principal

_QUEUED = (TaskState.SCHEDULED, TaskState.QUEUED, TaskState.LEASED, TaskState.STARTING)
_RUNNING = (TaskState.RUNNING, TaskState.STOPPING, TaskState.LOST)
_FAILED = (TaskState.FAILED, TaskState.TIMED_OUT, TaskState.EXPIRED)
_STATES_OF: dict[str, tuple[TaskState, ...]] = {
    "START": _QUEUED,
    "RUNNING": _RUNNING,
    "FINISHED": (TaskState.SUCCEEDED, TaskState.PARTIAL, *_FAILED),
    "CANCELED": (TaskState.CANCELLED,),
    # Dashboards fold state and result into one word.
    "SUCCESS": (TaskState.SUCCEEDED,),
    "FAILED": _FAILED,
    "PARTIALLY_COMPLETED": (TaskState.PARTIAL,),
    "TIMEOUT": (TaskState.TIMED_OUT,),
    "ALL": (),
}
_SORTS = {
    "id": "id",
    "dateCreation": "id",
    "dateLastModified": "changed_at",
    "minExecutionDate": "earliest_at",
    "priority": "priority",
    "state": "state",
    "activityLabel": "automation",
}
_ITEMS = {"totalItems": "total_items", "processedItems": "processed_items", "failedItems": "failed_items"}


@blueprint.post("/task")
@call("task.create")
def create(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    parameters = sent.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise InvalidInput("'parameters' is no object", path="parameters")
    new = wire.NewTask(
        automation=words.text_in(sent.get("activityLabel"), "activityLabel"),
        parameters=parameters or {},
        priority=words.count_in(sent.get("priority"), "priority"),
        earliest_at=words.date_in(sent.get("minExecutionDate"), "minExecutionDate"),
        test=words.flag_in(sent.get("test"), "test"),
    )
    return task_out(site, who, tasks.create(site, who, new, loose=True))


@blueprint.get("/task/<int:task_id>")
@call("task.read")
def get(site: Site, who: Principal, task_id: int) -> dict[str, Any]:
    return task_out(site, who, tasks.get_task(site, who, task_id))


@blueprint.post("/task/<int:task_id>")
@call("task.read")
def update(site: Site, who: Principal, task_id: int) -> dict[str, Any]:
    """A partial update: what is absent stays. Each part is an action with a permission of its own."""
    sent = body()
    if sent.get("state") is not None:
        return task_out(site, who, _move(site, who, task_id, sent))
    # Each part that is there counts, so what is wrong in one is told before another is done.
    killed, interrupted = (words.flag_in(sent.get(name), name) for name in ("killed", "interrupted"))
    task = _said_more(site, who, task_id, sent)
    if killed:
        task = tasks.stop(site, who, task_id)
    elif interrupted:
        task = tasks.interrupt(site, who, task_id)
    return task_out(site, who, task)


def _move(site: Site, who: Principal, task_id: int, sent: dict[str, Any]) -> wire.Task:
    state = words.literal(sent["state"], words.STATES, "state")
    if state == "FINISHED":
        return tasks.finish(site, who, task_id, _finish_in(site, who, task_id, sent))
    if state == "START":
        return tasks.restart(site, who, task_id)
    if state == "CANCELED":
        return tasks.cancel(site, who, task_id)
    raise InvalidInput("'state' cannot be set to RUNNING", "only a runner says that a bot runs", path="state")


def _said_more(site: Site, who: Principal, task_id: int, sent: dict[str, Any]) -> wire.Task:
    """Counts, message or status without a state: the state stays."""
    if sent.get("finishStatus") is not None:
        if words.status_of(tasks.get_task(site, who, task_id).state) is None:
            raise InvalidInput("'finishStatus' comes without 'state'", "send state FINISHED with it", path="state")
        return tasks.finish(site, who, task_id, _finish_in(site, who, task_id, sent))
    said = _progress_in(sent)
    return tasks.report(site, who, task_id, said) if said != wire.Progress() else tasks.get_task(site, who, task_id)


def _finish_in(site: Site, who: Principal, task_id: int, sent: dict[str, Any]) -> wire.Finish:
    """What a client says of the end; without a status, the one that the task has already stays."""
    status = sent.get("finishStatus")
    if status is None:
        status = words.status_of(tasks.get_task(site, who, task_id).state)
    said = _progress_in(sent)
    return wire.Finish(
        status=words.result_in(status),
        message=said.message,
        total_items=said.total_items,
        processed_items=said.processed_items,
        failed_items=said.failed_items,
    )


def _progress_in(sent: dict[str, Any]) -> wire.Progress:
    """An absent count stays, and null means null; a message that is absent or null stays."""
    said: dict[str, Any] = {ours: words.count_in(sent[name], name) for name, ours in _ITEMS.items() if name in sent}
    if sent.get("finishMessage") is not None:
        said["message"] = words.text_in(sent["finishMessage"], "finishMessage")
    return wire.Progress(**said)


@blueprint.get("/task")
@call("task.read")
def list_tasks(site: Site, who: Principal) -> dict[str, Any]:
    """A page of at most 1000 rows, newest first unless ``sort`` says otherwise; ``days`` counts back from now."""
    page = paging()
    if page.sort and page.sort not in _SORTS:
        raise InvalidInput(f"'{page.sort}' is nothing to sort by", f"there are: {', '.join(_SORTS)}", path="sort")
    found, total = tasks.page_of_tasks(
        site,
        who,
        tasks.Asked(
            states=_states_in(asked("stateFilter")),
            automation=asked("activityLabel"),
            machine=asked("machineId"),
            days=words.count_in(asked("days") or None, "days"),
            first=page.first,
            limit=page.size,
            sort=_SORTS[page.sort or "id"],
            descending=page.descending or not page.sort,
        ),
    )
    rows = tasks_out(site, who, found)
    return words.page_out(rows, number=page.number, size=page.size, total=total, ordered=bool(page.sort))


def _states_in(wanted: str) -> tuple[TaskState, ...]:
    """One state or several, as a comma list; nothing means all."""
    names = [name.strip().upper() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in _STATES_OF:
            known = ", ".join(_STATES_OF)
            raise InvalidInput(f"there is no state '{words.shown(name)}'", f"there are: {known}", path="stateFilter")
    if "ALL" in names:
        return ()
    return tuple(dict.fromkeys(state for name in names for state in _STATES_OF[name]))


def tasks_out(site: Site, who: Principal, found: Sequence[wire.Task]) -> list[dict[str, Any]]:
    label = workspaces.label(site, who)
    return [words.task_out(task, workspace=label, workspace_id=who.workspace_id) for task in found]


def task_out(site: Site, who: Principal, task: wire.Task) -> dict[str, Any]:
    return words.task_out(task, workspace=workspaces.label(site, who), workspace_id=who.workspace_id)
