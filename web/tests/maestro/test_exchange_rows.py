"""Golden rows of login, version, tasks, automations, bots and machines."""

from collections.abc import Callable
from typing import Any

from bottool import wire


def test_the_version_is_told_to_anybody(golden: Any) -> None:
    answer = golden("GET", "/maestro/version", token="", reply={"version": "<words>", "date": "<date>"})

    assert tuple(int(part) for part in answer.json["version"].split(".")) >= (3, 0, 2)


def test_login_is_one_compact_line(golden: Any, workspace: Any) -> None:
    answer = golden(
        "POST",
        "/workspace/login",
        client="java",
        json={"login": workspace.login, "key": workspace.key},
        reply={"accessToken": "<words>", "organizationLabel": "acme", "refreshToken": "<text>"},
    )

    # A shell client cuts it out: sed 's/.*"accessToken":"\([^"]*\)".*/\1/'
    assert b'"accessToken":"' in answer.data
    assert b"\n" not in answer.data
    assert golden.error("POST", "/workspace/login", 401, json={"login": workspace.login, "key": "wrong"})


def test_a_task_is_created_as_each_sdk_sends_it(golden: Any, daily: wire.Automation) -> None:
    parameters = {"month": 1, "share": 0.5, "who": "ação", "yes": True, "none": None, "list": [1, "2"]}
    task = {
        "id": "<int as task>",
        "state": "START",
        "parameters": parameters,
        "inputFile": None,
        "activityId": daily.id,
        "activityLabel": "daily",
        "activityName": "<words>",
        "agentId": "my-bot",
        "userEmail": "<text>",
        "userCreationId": "<int>",
        "userCreationName": "<text>",
        "organizationLabel": "acme",
        "organizationCreationId": "<int>",
        "dateCreation": "<date>",
        "dateLastModified": "<date>",
        "dateStartRunning": "<date?>",
        "minExecutionDate": "<date>",
        "finishStatus": None,
        "finishMessage": "<text?>",
        "test": False,
        "interrupted": False,
        "killed": False,
        "machineId": None,
        "priority": 7,
        "repositoryLabel": "DEFAULT",
        "totalItems": None,
        "processedItems": None,
        "failedItems": None,
    }
    sent = {"activityLabel": "daily", "test": False, "priority": 7}
    dated = {**sent, "parameters": parameters}
    golden("POST", "/task", json=dated, reply=task)
    golden("POST", "/task", client="javascript", json={**dated, "minExecutionDate": None}, reply=task)
    golden(
        "POST",
        "/task",
        client="csharp",
        json={**sent, "parameters": None, "minExecutionDate": None, "Maestro": {"Server": "x"}},
        reply={**task, "parameters": {}},
    )


def test_a_task_is_read(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})

    for client in ("python", "javascript", "csharp", "shell"):
        golden("GET", "/task/{task}", client=client, reply={"id": "{task}", "parameters": {}, "priority": 0})


def test_a_bot_finishes_its_task(golden: Any, daily: wire.Automation, running: Callable[[int], str]) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})
    bot = running(golden.kept["task"])
    golden(
        "GET",
        "/task/{task}",
        token=bot,
        reply={"state": "RUNNING", "machineId": "box-1", "dateStartRunning": "<date>"},
    )

    golden(
        "POST",
        "/task/{task}",
        token=bot,
        json={
            "finishStatus": "PARTIALLY_COMPLETED",
            "state": "FINISHED",
            "finishMessage": "um falhou",
            "totalItems": 3,
            "processedItems": 2,
            "failedItems": 1,
        },
        reply={
            "id": "{task}",
            "state": "FINISHED",
            "finishStatus": "PARTIALLY_COMPLETED",
            "finishMessage": "um falhou",
            "totalItems": 3,
            "processedItems": 2,
            "failedItems": 1,
        },
    )
