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


def test_automations_are_a_bare_array_a_page_and_one_by_label(
    golden: Any, daily: wire.Automation, an_automation: Any
) -> None:
    an_automation("weekly", name="Every week")
    activity = {
        "id": daily.id,
        "label": "daily",
        "name": "daily",
        "icon": "<text>",
        "description": "<text>",
        "agentId": "my-bot",
        "organizationLabel": "acme",
        "humanTimePerItem": "<number>",
        "parameters": [
            {"label": "month", "type": "INTEGER", "required": True},
            {"label": "who", "type": "TEXT", "required": False},
        ],
        "machines": ["box-1"],
        "cron": "<text>",
        "scheduleStrategy": "<text>",
        "technology": "PYTHON",
        "notification": [],
        "status": "<words>",
        "user": [],
        "notificationType": [],
    }
    golden("GET", "/activity", reply=[activity, {"label": "weekly"}])
    golden("GET", "/activity", json={"organization": "acme"}, reply=[activity, {"label": "weekly"}])
    golden("GET", "/activity?page=0&size=50&label=week", client="csharp", reply=[{"label": "weekly"}])
    golden("GET", "/activity/daily", reply=activity)
    golden(
        "GET",
        "/activity/pagination?page=0&size=1&sort=name,desc",
        reply={"content": [{"label": "weekly"}], "totalElements": 2},
    )
    golden("GET", "/activity/pagination?automation=every&label=&name=", reply={"content": [{"label": "weekly"}]})
    golden("GET", "/activity/pagination?name=DAI", reply={"content": [activity], "totalPages": 1, "last": True})
    assert golden.error("GET", "/activity/monthly", 404)
    assert golden.error("POST", "/task", 404, json={"activityLabel": "monthly"})
    assert golden.error("POST", "/task", 404, json={})


def test_machines_are_read(golden: Any, daily: wire.Automation, running: Callable[[int], str], clock: Any) -> None:
    machine = {"id": "<int as box>", "machineId": "box-1", "name": "box-1", "isOnline": True, "type": "<words>"}
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})
    running(golden.kept["task"])
    golden("POST", "/task/{task}", json={"state": "FINISHED", "finishStatus": "SUCCESS", "processedItems": 2})

    query = "machineId=box&isOnline=true&type=&page=0&size=10&sort=machineId,asc"
    golden("GET", f"/machine/pagination?{query}", reply={"content": [machine], "totalElements": 1, "number": 0})
    golden("GET", "/machine/pagination?isOnline=false", reply={"content": [], "empty": True})
    for name in ("box-1", "{box}"):
        golden("GET", f"/machine/{name}", reply={**machine, "activities": ["daily"]})
        golden("GET", f"/machine/log/{name}", reply=[{"date": "<date>", "message": "<words>", "taskId": "{task}"}] * 2)
        golden(
            "GET",
            f"/machine/{name}/tasks-summary?days=30",
            reply={
                "machineId": "box-1",
                "days": 30,
                "total": 1,
                "states": {"START": 0, "RUNNING": 0, "FINISHED": 1, "CANCELED": 0},
                "finishStatuses": {"SUCCESS": 1, "FAILED": 0, "PARTIALLY_COMPLETED": 0},
                "processedItems": 2,
            },
        )
    clock.advance(3600)
    golden("GET", "/machine/box-1", reply={"isOnline": False})
    assert golden.error("GET", "/machine/box-2", 404)


def test_a_pipeline_deploys_as_the_action_and_the_shell_script_do(golden: Any, package: Callable[..., bytes]) -> None:
    new = {
        "organization": "acme",
        "botId": "invoices",
        "version": "1.0",
        "technology": "PYTHON",
        "command": None,
        "repositoryLabel": "DEFAULT",
    }
    upload = "/bot/upload/invoices/version/1.0"
    golden("GET", "/bot?botId=invoices", json={"organizationLabel": "acme", "botId": "invoices"}, reply=[])
    golden("POST", "/bot", json=new, reply={"botId": "invoices", "version": "1.0"})
    # The step after it broke off, and the pipeline runs again.
    golden("POST", "/bot", client="shell", json=new, reply={"botId": "invoices", "version": "1.0"})
    assert golden.error("POST", "/bot/release", 409, json={"botId": "invoices", "version": "1.0"})
    golden.upload(
        upload, package(), name='"invoices.zip"', part='name="file"', reply={"version": "1.0", "status": "READY"}
    )
    golden(
        "POST", "/bot/release", client="shell", json={"botId": "invoices", "version": "1.0"}, reply={"version": "1.0"}
    )
    assert golden.error("POST", "/bot", 409, json=new)
    golden("GET", "/bot?botId=invoices", reply=[{"botId": "invoices", "version": "1.0"}])
    golden("GET", "/bot", json={"botId": "invoices"}, reply=[{"botId": "invoices", "version": "1.0"}])
    # An update overwrites the file of the released version; a C# client does not quote the part's name.
    golden.upload(
        upload,
        package("print(2)"),
        name="fatura.zip; filename*=utf-8''fatura%20ção.zip",
        client="csharp",
        reply={"release": True},
    )
    golden(
        "GET",
        "/bot/invoices/version/1.0",
        reply={"botId": "invoices", "version": "1.0", "technology": "PYTHON", "checksum": "<words>", "warnings": []},
    )
    golden(
        "GET",
        "/bot/pagination?botId=inv&page=0&size=10&sort=botId,asc",
        reply={"content": [{"botId": "invoices"}], "totalElements": 1},
    )
    golden("POST", "/bot", json={**new, "version": "1.1"}, reply={"version": "1.0"})
    golden("GET", "/bot?botId=invoices", reply=[{"version": "1.0"}])
    golden("DELETE", "/bot/invoices/version/1.1", reply={"botId": "invoices", "version": "1.1"})
    assert golden.error("DELETE", "/bot/invoices/version/1.0", 409)
    assert golden.error("GET", "/bot/invoices/version/1.1", 404)
    assert golden.error("POST", "/bot", 422, json={**new, "botId": "no label"})
    assert golden.error("POST", "/bot/release", 404, json={"botId": "invoices", "version": "9"})
