"""What Newtonsoft's reader makes of JSON for the types of the C# SDK, and what it cannot read.

A type is a string: ``string`` and ``object`` may be null, ``int``, ``long``, ``bool``, ``DateTime`` and the names of
enumerations may not, unless a ``?`` follows. What is missing is fine, names are found in any case, others are ignored.
"""

import datetime
import json
from typing import Any

ENUMS = {
    "State": ("START", "RUNNING", "FINISHED", "CANCELED"),
    "FinishStatus": ("SUCCESS", "FAILED", "PARTIALLY_COMPLETED"),
    "AlertType": ("INFO", "WARN", "ERROR"),
    "Policy": ("FIFO", "LIFO"),
    "Trigger": ("ALWAYS", "NEVER", "NO_TASK_ACTIVE"),
    "EntryState": ("PENDING", "PROCESSING", "TIMEOUT", "DONE", "ERROR"),
}
INTEGERS = {"int": 2**31, "long": 2**63}
TASK = {
    **dict.fromkeys(("id", "agentId", "userCreationName", "organizationLabel", "activityLabel"), "string"),
    **dict.fromkeys(("repositoryLabel", "activityName"), "string"),
    **dict.fromkeys(("parameters", "inputFile", "userEmail", "finishMessage", "machineId"), "object"),
    **dict.fromkeys(("dateLastModified", "minExecutionDate", "dateStartRunning"), "DateTime?"),
    **dict.fromkeys(("test", "interrupted", "killed"), "bool"),
    **dict.fromkeys(("processedItems", "failedItems", "totalItems"), "long?"),
    "state": "State",
    "dateCreation": "DateTime",
    "finishStatus": "FinishStatus?",
    "priority": "long",
}
ALERT = {
    **dict.fromkeys(("id", "organizationLabel", "activityName", "activityLabel", "botId"), "string"),
    **dict.fromkeys(("title", "message", "repositoryLabel"), "string"),
    "taskId": "int",
    "type": "AlertType",
    "date": "DateTime",
}
COLUMN = {"name": "string", "label": "string", "width": "int", "visible": "bool"}
LOG = {
    **dict.fromkeys(("id", "organizationLabel", "label", "repositoryLabel"), "string"),
    "activityLabel": "object",
    "dateCreation": "DateTime",
    "columns": [COLUMN],
}
LINE = {"columns": {}}
ARTIFACT = {
    **dict.fromkeys(("type", "taskId", "taskName", "fileName", "storageFileName", "storageFilePath"), "string"),
    **dict.fromkeys(("organizationId", "user"), "string"),
    "id": "int",
    "dateCreation": "DateTime?",
}
POOL = {
    **dict.fromkeys(("label", "id", "defaultActivity", "dateTimeout", "repositoryLabel"), "string"),
    **dict.fromkeys(("autoRetry", "active", "abortOnError"), "bool"),
    **dict.fromkeys(("maxAutoRetry", "maxErrorsBeforeInactive", "itemMaxProcessingTime"), "long"),
    "consumptionPolicy": "Policy",
    "trigger": "Trigger",
    "schema": [{"label": "string", "type": "string"}],
}
SUMMARY = {
    **dict.fromkeys(("countProcessing", "countDone", "avgDone"), "string"),
    **dict.fromkeys(("countPending", "countTimeout"), "int"),
    "active": "bool",
}
ENTRY = {
    **dict.fromkeys(("datapoolLabel", "id", "taskId", "parent", "child"), "string"),
    **dict.fromkeys(("dateRegister", "dateProcessing", "dateFinished"), "DateTime?"),
    "priority": "int",
    "values": {},
    "state": "EntryState?",
}


def read(text: str, kind: Any) -> Any:
    """The object that the SDK holds: a value for each field of ``kind`` that came.

    :raises AssertionError: where Newtonsoft throws.
    """
    return convert(json.loads(text), kind, "$")


def convert(value: Any, kind: Any, place: str) -> Any:
    if isinstance(kind, list):
        assert value is None or isinstance(value, list), f"{place} is no array: {value!r}"
        return [convert(item, kind[0], f"{place}[]") for item in value or []]
    if isinstance(kind, dict):
        assert isinstance(value, dict), f"{place} is no object: {value!r}"
        return fields(value, kind, place) if kind else value
    if kind.endswith("?") or kind in {"string", "object"}:
        return None if value is None else scalar(value, kind.removesuffix("?"), place)
    assert value is not None, f"{place} is null, and a {kind} cannot be"
    return scalar(value, kind, place)


def fields(value: dict[str, Any], kind: dict[str, Any], place: str) -> dict[str, Any]:
    known = {name.lower(): name for name in kind}
    return {
        known[name.lower()]: convert(item, kind[known[name.lower()]], f"{place}.{name}")
        for name, item in value.items()
        if name.lower() in known
    }


def scalar(value: Any, kind: str, place: str) -> Any:
    if kind == "object":
        return value
    assert not isinstance(value, dict | list), f"{place} is no {kind}: {value!r}"
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value)
    if kind in INTEGERS:
        return integer(value, kind, place)
    if kind == "bool":
        assert isinstance(value, bool), f"{place} is no bool: {value!r}"
        return value
    if kind == "DateTime":
        moment = datetime.datetime.fromisoformat(value)
        assert moment.tzinfo is not None, f"{place} has no offset: {value!r}"
        return moment
    assert value in ENUMS[kind] or value in range(len(ENUMS[kind])), f"{place} is no {kind}: {value!r}"
    return value


def integer(value: Any, kind: str, place: str) -> int:
    assert not isinstance(value, bool | float), f"{place} is no {kind}: {value!r}"
    number = int(value)
    assert -INTEGERS[kind] <= number < INTEGERS[kind], f"{place} is too great for {kind}: {value!r}"
    return number
