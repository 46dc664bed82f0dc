"""A runner's status in words, for ``bottool runner status``."""

import time

from bottool.cli import present
from bottool_runner.status import InHand, Past, Status

_SILENT_SECONDS = 20.0
"""A working runner writes its status four times in this time."""


def fields_of(said: Status) -> dict[str, object]:
    """Name and text of each line, the most wanted first."""
    return {
        "runner": said.machine_id or "not registered",
        "mode": mode(said),
        "server": f"{said.server} ({connection(said)})" if said.server else "",
        "workspace": said.workspace,
        "process": f"{said.pid}, for {present.duration(time.time() - said.started_at)}" if said.pid else "",
        "version": said.version,
        "slots": f"{len(said.in_hand)} of {said.slots} busy" if said.pid else "",
        "languages": said.languages,
        "display": ("yes" if said.display else "no") if said.pid else "",
        "tags": said.tags,
        "conf": said.conf,
        **{f"task {each.task_id}": in_hand(each) for each in said.in_hand},
        **{f"ended {each.task_id}": past(each) for each in reversed(said.recent[:5])},
    }


def mode(said: Status) -> str:
    """What it does and why; a runner that is stopped, or cannot write, still holds its home and says nothing new."""
    text = f"{said.mode}: {said.reason}" if said.reason else said.mode
    if said.unready:
        text += f", but takes no task: {said.unready}"
    silent_seconds = time.time() - said.updated_at
    if said.pid and silent_seconds > _SILENT_SECONDS:
        text += f" (as of {present.duration(silent_seconds)} ago; it has written nothing since)"
    return text


def connection(said: Status) -> str:
    if said.mode == "ended":
        return "not connected: the runner has ended"
    if said.connected:
        return "connected"
    return f"no contact: {said.connection}" if said.connection else "connecting"


def in_hand(each: InHand) -> str:
    return f"{each.automation or each.bot_id}, {each.state} for {present.duration(time.time() - each.since)}"


def past(each: Past) -> str:
    return f"{each.automation or each.bot_id}, {each.how}, {present.duration(time.time() - each.ended_at)} ago"
