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


def test_what_a_finish_leaves_out_stays_and_null_means_null(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})
    counts = {"totalItems": 3, "processedItems": 2, "failedItems": 1}
    none = {"totalItems": None, "processedItems": None, "failedItems": None}

    # A task that waits can be finished, and again with another status.
    said = {"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "done", **counts}
    golden("POST", "/task/{task}", json=said, reply={"state": "FINISHED", "finishStatus": "SUCCESS", **counts})
    # C# sends ordinals: state 2 is FINISHED, finishStatus 1 is FAILED.
    golden(
        "POST",
        "/task/{task}",
        client="csharp",
        json={"state": 2, "finishStatus": 1},
        reply={"finishStatus": "FAILED", "finishMessage": "done", **counts},
    )
    golden(
        "POST",
        "/task/{task}",
        client="javascript",
        json={"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "", **none},
        reply={"finishStatus": "SUCCESS", "finishMessage": "", **none},
    )
    golden("POST", "/task/{task}", json={"finishMessage": "late"}, reply={"finishMessage": "late", "state": "FINISHED"})
    golden("POST", "/task/{task}", json={}, reply={"finishMessage": "late", **none})
    assert golden.error(
        "POST", "/task/{task}", 422, json={"state": "FINISHED", "totalItems": 3, **counts, "failedItems": 5}
    )
    assert golden.error("POST", "/task/{task}", 422, json={"state": "DONE"})


def test_counts_come_before_the_end_too(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})

    golden("POST", "/task/{task}", json={"processedItems": 5}, reply={"state": "START", "processedItems": 5})
    golden(
        "POST",
        "/task/{task}",
        json={"state": "FINISHED", "finishStatus": "SUCCESS"},
        reply={"processedItems": 5, "totalItems": None},
    )
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as other>"})
    assert golden.error("POST", "/task/{other}", 422, json={"finishStatus": "SUCCESS"})
    assert golden.error("POST", "/task/{other}", 422, json={"state": "FINISHED"})


def test_a_task_is_restarted_interrupted_cancelled_and_stopped(
    golden: Any, daily: wire.Automation, running: Callable[[int], str]
) -> None:
    golden("POST", "/task", json={"activityLabel": "daily", "test": True}, reply={"id": "<int as task>", "test": True})
    golden(
        "POST",
        "/task/{task}",
        json={"interrupted": True},
        reply={"id": "{task}", "state": "START", "interrupted": True, "killed": False},
    )
    golden("POST", "/task/{task}", client="shell", json={"state": "CANCELED"}, reply={"state": "CANCELED"})
    golden(
        "POST",
        "/task/{task}",
        client="csharp",
        json={"state": 0},
        reply={"id": "{task}", "state": "START", "interrupted": False, "finishStatus": None},
    )
    running(golden.kept["task"])
    golden(
        "POST",
        "/task/{task}",
        client="shell",
        json={"interrupted": True, "killed": True},
        reply={"id": "{task}", "state": "RUNNING", "interrupted": True, "killed": True},
    )
    assert golden.error("POST", "/task/{task}", 409, json={"state": "CANCELED"})


def test_tasks_are_listed_as_spring_pages(golden: Any, daily: wire.Automation, an_automation: Any) -> None:
    an_automation("weekly")
    for number in range(3):
        golden(
            "POST", "/task", json={"activityLabel": "daily", "priority": number}, reply={"id": f"<int as t{number}>"}
        )
    golden("POST", "/task", json={"activityLabel": "weekly"}, reply={"id": "<int as w>"})
    golden("POST", "/task/{t0}", json={"state": "FINISHED", "finishStatus": "SUCCESS"})
    golden("POST", "/task/{t1}", json={"state": "CANCELED"})
    sort = {"sorted": True, "unsorted": False, "empty": False}

    golden(
        "GET",
        "/task?page=0&size=2&sort=dateCreation,asc&days=7",
        client="shell",
        reply={
            "content": [{"id": "{t0}", "parameters": {}}, {"id": "{t1}"}],
            "pageable": {"sort": sort, "pageNumber": 0, "pageSize": 2, "offset": 0, "paged": True, "unpaged": False},
            "totalPages": 2,
            "totalElements": 4,
            "last": False,
            "first": True,
            "sort": sort,
            "numberOfElements": 2,
            "size": 2,
            "number": 0,
            "empty": False,
        },
    )
    # n8n: a body with a GET.
    golden("GET", "/task?size=1000&days=7", json={"days": 7}, reply={"totalElements": 4, "totalPages": 1, "last": True})
    for query, tasks in {
        "": ["w", "t2", "t1", "t0"],
        "sort=": ["w", "t2", "t1", "t0"],
        "sort=id,desc&size=1&page=3": ["t0"],
        "page=7&size=3": [],
        "sort=priority,desc&activityLabel=daily": ["t2", "t1", "t0"],
        "stateFilter=START": ["w", "t2"],
        "stateFilter=FINISHED,CANCELED": ["t1", "t0"],
        "stateFilter=SUCCESS": ["t0"],
        "activityLabel=weekly": ["w"],
        "activityLabel=none": [],
        "machineId=box-1": [],
        "stateFilter=START&activityLabel=daily": ["t2"],
    }.items():
        golden("GET", f"/task?{query}", reply={"content": [{"id": f"{{{name}}}"} for name in tasks]})
    for query in ("sort=password,asc", "stateFilter=GONE", "days=soon"):
        assert golden.error("GET", f"/task?{query}", 422)
