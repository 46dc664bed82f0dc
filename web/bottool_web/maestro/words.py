"""Maestro's words for ours, both ways: states, results, dates, and the objects of its wire.

Clients send enumerations as names or, from C#, as their ordinals; they always get names. Dates go out as ISO 8601 with
an offset; those that come in without one are UTC.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from bottool import wire
from bottool.errors import InvalidInput
from bottool.states import TaskState
from bottool_web.actions import checks

VERSION = "3.1.0"
"""What the version probe says: the SDKs switch features on from 3.0.2 at the latest."""

STATES = ("START", "RUNNING", "FINISHED", "CANCELED")
FINISH_STATUSES = ("SUCCESS", "FAILED", "PARTIALLY_COMPLETED")
ALERT_TYPES = ("INFO", "WARN", "ERROR")
RUNNER_TYPE = "BACKGROUND"
"""The one kind of runners that there is: several of their bots may run beside each other."""

_STATE_OF: dict[TaskState, str] = {
    TaskState.SCHEDULED: "START",
    TaskState.QUEUED: "START",
    TaskState.LEASED: "START",
    TaskState.STARTING: "START",
    TaskState.RUNNING: "RUNNING",
    TaskState.STOPPING: "RUNNING",
    # Old clients can parse four states only; a lost task may still come back, so it is not over for them.
    TaskState.LOST: "RUNNING",
    TaskState.CANCELLED: "CANCELED",
}
_FINISH_STATUS_OF: dict[TaskState, str] = {
    TaskState.SUCCEEDED: "SUCCESS",
    TaskState.PARTIAL: "PARTIALLY_COMPLETED",
    TaskState.FAILED: "FAILED",
    TaskState.TIMED_OUT: "FAILED",
    TaskState.EXPIRED: "FAILED",
}
_RESULT_OF: dict[str, Literal["succeeded", "partial", "failed"]] = {
    "SUCCESS": "succeeded",
    "PARTIALLY_COMPLETED": "partial",
    "FAILED": "failed",
}
_ALERT_OF: dict[str, Literal["info", "warn", "error"]] = {"INFO": "info", "WARN": "warn", "ERROR": "error"}


def literal(value: Any, names: tuple[str, ...], field: str) -> str:
    """The name that ``value`` means: a name of ``names``, or its place among them.

    :raises InvalidInput: for anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return names[value]
    if isinstance(value, str) and value.upper() in names:
        return value.upper()
    raise InvalidInput(f"'{field}' is '{shown(value)}'; one of {', '.join(names)} is wanted", path=field)


def date_out(value: datetime | None) -> str | None:
    return value.astimezone(UTC).isoformat(timespec="milliseconds") if value else None


def date_in(value: Any, field: str) -> datetime | None:
    """The moment that a client means; without an offset it is UTC. ``None`` and ``""`` are no moment.

    :raises InvalidInput: for what is no ISO 8601 date and time.
    """
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"'{field}' is '{shown(value)}'; a date like 2026-11-23T06:16:00+00:00 is wanted", path=field
        ) from None
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInput(f"'{field}' is too far away", path=field) from None


def result_in(status: Any) -> Literal["succeeded", "partial", "failed"]:
    return _RESULT_OF[literal(status, FINISH_STATUSES, "finishStatus")]


def state_of(state: str) -> str:
    return _STATE_OF.get(TaskState(state), "FINISHED")


def status_of(state: str) -> str | None:
    """How a task in this state ended; ``None`` before its end, and for one that was cancelled."""
    return _FINISH_STATUS_OF.get(TaskState(state))


def alert_type_in(value: Any) -> Literal["info", "warn", "error"]:
    return _ALERT_OF[literal(value, ALERT_TYPES, "type")]


def text_in(value: Any, field: str) -> str:
    """A text; ``None`` is the empty one.

    :raises InvalidInput: for an object or an array.
    """
    if isinstance(value, dict | list):
        raise InvalidInput(f"'{field}' is no text", path=field)
    return "" if value is None else str(value)


def count_in(value: Any, field: str) -> int | None:
    """A whole number, also as text; ``None`` stays ``None``.

    :raises InvalidInput: for anything else.
    """
    if value is None:
        return None
    try:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return int(str(value))
    except ValueError:
        raise InvalidInput(f"'{field}' is '{shown(value)}'; a whole number is wanted", path=field) from None


def flag_in(value: Any, field: str) -> bool:
    """True or false, also as text or as 0 and 1; ``None`` is false.

    :raises InvalidInput: for anything else.
    """
    meant = {"true": True, "1": True, "false": False, "0": False, "none": False, "": False}
    found = meant.get(str(value).casefold()) if isinstance(value, str | int | None) else None
    if found is None:
        raise InvalidInput(f"'{field}' is '{shown(value)}'; true or false is wanted", path=field)
    return found


def shown(value: Any) -> str:
    """``value`` fit for a message, however large it is."""
    return checks.shortened(value if isinstance(value, str) else json.dumps(value, default=str)[: 2 * checks.SHOWN])


def task_out(task: wire.Task, *, workspace: str, workspace_id: int) -> dict[str, Any]:
    """A task as Maestro's clients read it; what may not be null there is never null here."""
    return {
        "id": task.id,
        "state": state_of(task.state),
        "parameters": task.parameters,
        "inputFile": None,
        "activityId": task.automation_id,
        "activityLabel": task.automation,
        "activityName": task.automation_name or task.automation,
        "agentId": task.bot_id,
        "userEmail": task.created_by,
        "userCreationId": 0,
        "userCreationName": task.created_by,
        "organizationLabel": workspace,
        "organizationCreationId": workspace_id,
        "dateCreation": date_out(task.created_at),
        "dateLastModified": date_out(task.changed_at),
        "dateStartRunning": date_out(task.started_at),
        "minExecutionDate": date_out(task.earliest_at or task.created_at),
        "finishStatus": status_of(task.state),
        "finishMessage": task.message,
        "test": task.test,
        "interrupted": task.interrupted,
        "killed": task.killed,
        "machineId": task.machine_id or None,
        "priority": task.priority,
        "repositoryLabel": task.repository,
        "totalItems": task.total_items,
        "processedItems": task.processed_items,
        "failedItems": task.failed_items,
    }


def alert_out(alert: wire.Alert, *, workspace: str) -> dict[str, Any]:
    return {
        "id": str(alert.id),
        "organizationLabel": workspace,
        "taskId": alert.task_id,
        "activityName": alert.automation_name or alert.automation,
        "activityLabel": alert.automation,
        "botId": alert.bot_id,
        "title": alert.title,
        "message": alert.message,
        "type": alert.type.upper(),
        "date": date_out(alert.at),
        "repositoryLabel": alert.repository,
    }


def bot_out(bot: wire.Bot, *, workspace: str) -> dict[str, Any]:
    """One object per bot id; ``version`` is the released one, else the newest: clients update that one by default."""
    newest = bot.versions[0] if bot.versions else None
    return {
        "id": bot.id,
        "botId": bot.bot_id,
        "version": bot.release or (newest.version if newest else ""),
        "technology": bot.technology,
        "command": (newest.command or None) if newest else None,
        "organizationLabel": workspace,
        "repositoryLabel": bot.repository,
        "versions": [version.version for version in bot.versions],
        "dateCreation": date_out(bot.created_at),
    }


def bot_version_out(bot: wire.Bot, version: wire.BotVersion, *, workspace: str) -> dict[str, Any]:
    """One version of a bot. ``warnings`` is what was found in its file, or why it was refused."""
    return {
        **bot_out(bot, workspace=workspace),
        "version": version.version,
        "technology": version.technology,
        "command": version.command or None,
        "release": version.released,
        "status": version.state.upper(),
        "fileName": version.file_name or None,
        "fileSize": version.size_bytes,
        "checksum": version.sha256 or None,
        "warnings": version.findings,
        "dateCreation": date_out(version.created_at),
        "userCreationName": version.created_by,
    }


def automation_out(automation: wire.Automation, *, workspace: str) -> dict[str, Any]:
    """An automation as an activity; what bottool keeps elsewhere, or not at all, is empty and never null."""
    return {
        "id": automation.id,
        "label": automation.label,
        "name": automation.name,
        "icon": "",
        "description": automation.description,
        "agentId": automation.bot_id,
        "technology": automation.technology,
        "organizationLabel": workspace,
        "repositoryLabel": automation.repository,
        "machines": automation.runners,
        "priority": automation.priority,
        "humanTimePerItem": 0,
        "cron": "",
        "scheduleStrategy": "",
        "status": "ACTIVE",
        "user": automation.notify_users,
        "notification": [*(["EMAIL"] if automation.notify_users else []), *automation.notify_channels],
        "notificationType": [each.upper() for each in automation.notify_types if each.upper() in ALERT_TYPES],
        "dateCreation": date_out(automation.created_at),
        "parameters": [
            {
                "label": item.label,
                "type": item.type.upper(),
                "required": item.required,
                "defaultValue": item.default,
                "description": item.help,
            }
            for item in automation.parameters
        ],
    }


def is_online(runner: wire.Runner) -> bool:
    return runner.state in {"online", "late"}


def runner_out(runner: wire.Runner, *, workspace: str) -> dict[str, Any]:
    return {
        "id": runner.id,
        "machineId": runner.machine_id,
        "name": runner.machine_id,
        "label": runner.machine_id,
        "isOnline": is_online(runner),
        "status": runner.state.upper(),
        "type": RUNNER_TYPE,
        "organizationLabel": workspace,
        "repositoryLabel": "DEFAULT",
        "hostName": runner.hostname,
        "operatingSystem": runner.system,
        "version": runner.version,
        "slots": runner.slots,
        "technologies": [language.upper() for language in runner.languages],
        "activities": runner.automations,
        "tasks": runner.running,
        "dateCreation": date_out(runner.created_at),
        "dateLastContact": date_out(runner.last_seen_at),
    }


def page_out(
    content: Sequence[dict[str, Any]], *, number: int, size: int, total: int, ordered: bool = True
) -> dict[str, Any]:
    """A page as Spring shapes it; ``number`` counts from 0. ``ordered``: the client asked for an order."""
    pages = -(-total // size)
    sort = {"sorted": ordered, "unsorted": not ordered, "empty": not ordered}
    return {
        "content": content,
        "pageable": {
            "sort": sort,
            "pageNumber": number,
            "pageSize": size,
            "offset": number * size,
            "paged": True,
            "unpaged": False,
        },
        "totalPages": pages,
        "totalElements": total,
        "last": number >= pages - 1,
        "first": number == 0,
        "sort": sort,
        "numberOfElements": len(content),
        "size": size,
        "number": number,
        "empty": not content,
    }
