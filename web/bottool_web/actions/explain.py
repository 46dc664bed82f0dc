"""Why a task waits: one sentence in all, and one for each runner that could take it."""

from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.states import FINAL, TaskState
from bottool_web.actions import changes, displays
from bottool_web.actions.claims import HAND_BACK_PAUSE_SECONDS, can_run
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import attempts, queue, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

_NOT_READY = {
    "empty": "has no file; upload one",
    "checking": "is being inspected; it can start when that is done",
    "refused": "was refused; upload another file, or release another version",
}


@action("task.read")
def explain(site: Site, who: Principal, task_id: int) -> wire.Explanation:
    """:raises NotFound: when there is no such task in this workspace."""
    return site.store.read(lambda tx: _explain(tx, site, who, tasks.row(tx, who.scope, task_id)))


def _explain(tx: sa.Connection, site: Site, who: Principal, task: Row) -> wire.Explanation:
    state = TaskState(task.state)
    if state is TaskState.SCHEDULED:
        when = task.earliest_at.isoformat(timespec="seconds")
        return wire.Explanation(task_id=task.id, waits=True, summary=f"it waits for its time, {when}")
    if state is not TaskState.QUEUED:
        said = _of_state(site, state)
        if state not in FINAL or state is TaskState.SUCCEEDED:
            return wire.Explanation(task_id=task.id, waits=False, summary=said)
        since = changes.since_it_worked(tx, who, task)
        return wire.Explanation(
            task_id=task.id,
            waits=False,
            summary=said,
            last_worked=since.task_id,
            changes=list(since.changes),
            unknown=list(since.unknown),
        )
    runs = queue.what_would_run(tx, who.scope, task.automation_id)
    linked = queue.linked_runners(tx, who.scope, task.automation_id)
    found = {row.machine_id: _of_runner(tx, site, who, task, (row, runs)) for row in linked}
    summary = _of_automation(runs, linked) or _of_queue(tx, who, task) or _of_runners(found)
    return wire.Explanation(task_id=task.id, waits=True, summary=summary, runners=found)


def _of_state(site: Site, state: TaskState) -> str:
    if state is TaskState.LOST:
        minutes = max(1, round(site.settings.lost_window_seconds / 60))
        return (
            "it is lost: its runner says nothing, and its bot may still run. Start that runner again, and what really"
            f" happened is told; without a word it fails after about {minutes} min"
        )
    return f"it is {state}" if state in FINAL else f"it does not wait: it is {state}"


def blocked(tx: sa.Connection, site: Site, who: Principal, automation_id: int) -> str:
    """Why no runner can take any task of this automation, for people; ``""`` when one can, were it only free."""
    runs = queue.what_would_run(tx, who.scope, automation_id)
    linked = queue.linked_runners(tx, who.scope, automation_id)
    if missing := _of_automation(runs, linked):
        return missing
    found = {row.machine_id: _cannot(site, row, runs) for row in linked}
    if not all(found.values()):
        return ""
    return "; ".join(f"runner '{machine}' {said}" for machine, said in found.items())


def _of_automation(runs: Row, linked: list[Row]) -> str:
    """What is missing before any runner could take it; ``""`` when nothing is."""
    if runs.deleted_at is not None:
        return f"automation '{runs.label}' was deleted; cancel the task"
    if runs.bot_id is None:
        return f"automation '{runs.label}' has no bot; choose one"
    if runs.version is None:
        return f"bot '{runs.bot_id}' has no released version; release one"
    if runs.state != "ready":
        return f"version '{runs.version}' of bot '{runs.bot_id}' {_NOT_READY[runs.state]}"
    return "" if linked else f"automation '{runs.label}' has no runner; link one"


def _of_queue(tx: sa.Connection, who: Principal, task: Row) -> str:
    before = queue.waits_behind(tx, who.scope, task)
    return f"it waits for the end of task {before}, which it tries again" if before is not None else ""


def _of_runners(found: dict[str, str]) -> str:
    if any(said.startswith("would take it") for said in found.values()):
        return "a runner would take it at its next call"
    if len(found) == 1:
        ((machine, said),) = found.items()
        return f"its only runner '{machine}' {said}"
    return f"none of its {len(found)} runners can take it now"


def _of_runner(tx: sa.Connection, site: Site, who: Principal, task: Row, found: tuple[Row, Row]) -> str:
    runner, runs = found
    if said := _cannot(site, runner, runs):
        return said
    held = attempts.held_by(tx, who.scope, runner.id)
    if len(held) >= runner.slots:
        return f"is busy with task {', '.join(map(str, held))} ({len(held)} of {runner.slots} slots)"
    back = queue.last_hand_back(tx, who.scope, task.id, runner.id)
    if back is not None and back.ended_at + timedelta(seconds=HAND_BACK_PAUSE_SECONDS) > site.now():
        hint = (back.fault or {}).get("hint", "")
        return f"handed it back a moment ago: {back.message or 'without a reason'}{f' ({hint})' if hint else ''}"
    ahead = queue.ahead_of(tx, who.scope, task)
    return f"would take it after {ahead} other tasks of this automation" if ahead else "would take it next"


def _cannot(site: Site, runner: Row, runs: Row) -> str:
    """Why it takes no task of this kind, however much room it has; ``""`` when it does."""
    if said := _of_machine(site, runner, site.now()):
        return said
    capabilities = msgspec.convert(runner.capabilities, wire.Capabilities, strict=False)
    if runs.technology is not None and not can_run(capabilities, runs.technology):
        return f"cannot run {runs.technology}: {_what_it_lacks(capabilities, runs.technology)}"
    return displays.missing(capabilities, runs)


def _of_machine(site: Site, runner: Row, now: datetime) -> str:
    if runner.seen_at is None:
        return "was never started; start it, and check that its machine id is the same"
    silent_seconds = (now - runner.seen_at).total_seconds()
    if silent_seconds > site.settings.lease_seconds:
        return f"is offline: last seen {runner.seen_at.isoformat(timespec='seconds')}"
    if runner.draining:
        said = "is paused" if runner.paused else "is draining"
        return f"{said}: {runner.reason or 'it takes no more work'}"
    return "; ".join(runner.capabilities.get("unready", []))


def _what_it_lacks(capabilities: wire.Capabilities, technology: str) -> str:
    missing = [
        f"'{tool.get('name', '')}' is missing" + (f" ({tool['hint']})" if tool.get("hint") else "")
        for tool in capabilities.tools
        if str(tool.get("language", "")).casefold() == technology.casefold() and not tool.get("found", True)
    ]
    return "; ".join(missing) or f"it has: {', '.join(capabilities.languages) or 'no language'}"
