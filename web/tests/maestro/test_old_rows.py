"""Golden rows of the old form interface: forms and queries, the token among the fields, one shape of replies."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import workspaces
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

DONE = {"message": "<words>", "type": "success", "payload": "<text>"}


@pytest.fixture
def old(golden: Any, workspace: Any) -> Callable[..., Any]:
    """``old("POST", "/task/get", {"id": "1"})``: a row as the Java client sends it, with the token among the fields."""
    answer = golden(
        "POST",
        "/app/api/login",
        client="java",
        data={"userLogin": workspace.login, "key": workspace.key},
        reply={"access_token": "<words>"},
    )
    golden.token = answer.json["access_token"]

    def send(method: str, path: str, fields: dict[str, Any], **more: Any) -> Any:
        said = {name: golden.filled(str(value)) for name, value in {"access_token": golden.token, **fields}.items()}
        sent = {"query": said} if method == "GET" else {"data": said}
        return golden(method, f"/app/api{path}", client="java", **sent, **more)

    return send


def test_a_wrong_key_is_an_error_of_the_same_shape(golden: Any, workspace: Any) -> None:
    golden(
        "POST",
        "/app/api/login",
        client="java",
        data={"userLogin": workspace.login, "key": "wrong"},
        status=401,
        reply={"message": "<words>", "type": "error", "payload": "<text>"},
    )


def test_tasks_of_a_pinned_java_bot(
    golden: Any, old: Callable[..., Any], daily: wire.Automation, running: Callable[[int], str]
) -> None:
    made = old(
        "POST",
        "/task/create",
        {"activityLabel": "daily", "taskForTest": "true", "month": "7", "who": "Zoë"},
        reply=DONE,
    )
    task = json.loads(made.json["payload"])
    golden.compare(
        "payload",
        task,
        {"id": "<int as task>", "state": "START", "test": True, "parameters": {"month": "7", "who": "Zoë"}},
    )

    golden.token = running(task["id"])
    old("GET", "/task/get", {"id": "{task}"}, reply={"id": "{task}", "state": "RUNNING", "dateCreation": "<date>"})
    old("GET", "/task/list", {}, reply=[{"id": "{task}"}])
    old(
        "POST",
        "/task/finish",
        {"taskId": "{task}", "finishStatus": "SUCCESS", "finishMessage": "feito", "processedItems": 1},
        reply=DONE,
    )
    old(
        "GET",
        "/task/get",
        {"id": "{task}"},
        reply={"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "feito"},
    )
    old("POST", "/task/restart", {"id": "{task}"}, reply=DONE)


def test_the_token_may_stand_anywhere(golden: Any, old: Callable[..., Any], daily: wire.Automation) -> None:
    task = {"id": "<int as task>"}
    golden("POST", "/task", json={"activityLabel": "daily"}, reply=task)

    golden("GET", "/app/api/task/get?id={task}", client="python", reply=task)
    golden("GET", "/app/api/task/get?id={task}", client="csharp", reply=task)
    golden("GET", "/app/api/task/get?id={task}&access_token=" + golden.token, client="java", reply=task)
    golden("POST", "/app/api/task/restart?id={task}", client="java", data={"access_token": golden.token}, reply=DONE)
    golden(
        "GET", "/app/api/task/get?id={task}", client="java", status=401, reply={"type": "error", "message": "<words>"}
    )


@pytest.mark.parametrize(
    ("method", "path", "fields", "status"),
    [
        ("GET", "/task/get", {}, 422),
        ("GET", "/task/get", {"id": "x"}, 422),
        ("GET", "/task/get", {"id": "9" * 30}, 404),
        ("POST", "/task/create", {}, 404),
        ("POST", "/task/create", {"activityLabel": "daily", "taskForTest": "perhaps"}, 422),
        ("POST", "/task/create", {"activityLabel": "daily", "month": "\0"}, 422),
        ("POST", "/task/finish", {"taskId": "1"}, 422),
        ("POST", "/task/finish", {"taskId": "1", "finishStatus": "FINE"}, 422),
        ("POST", "/task/restart", {"id": "77"}, 404),
        ("GET", "/task/finish", {"taskId": "1"}, 405),
        ("GET", "/nowhere", {}, 404),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_same_shape(
    old: Callable[..., Any], daily: wire.Automation, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    old(method, path, fields, status=status, reply={"message": "<words>", "type": "error", "payload": ""})


def test_no_log_of_the_server_holds_the_token(
    site: Site, golden: Any, old: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    old("GET", "/task/get", {"id": "1"}, status=404)
    site.store.write(lambda tx: tx.exec_driver_sql("ALTER TABLE task RENAME TO gone"))

    broken = [
        old(method, path, {"id": "1"}, status=None)
        for method, path in (("GET", "/task/get"), ("POST", "/task/restart"))
    ]

    assert [answer.status_code >= 500 for answer in broken] == [True, True]
    assert golden.token not in caplog.text
    assert all(golden.token not in answer.get_data(as_text=True) for answer in broken)


def test_a_workspace_switches_either_interface_off(
    site: Site, golden: Any, admin: Principal, old: Callable[..., Any], daily: wire.Automation, workspace: Any
) -> None:
    login = {"login": workspace.login, "key": workspace.key}

    workspaces.change(site, admin, wire.WorkspaceChange(maestro_old=False))
    old("GET", "/task/list", {}, status=403, reply={"message": "<words>", "type": "error"})
    old("POST", "/login", {"userLogin": workspace.login, "key": workspace.key}, status=403)
    golden("GET", "/task", reply={"content": []})

    workspaces.change(site, admin, wire.WorkspaceChange(maestro=False))
    assert "switched off" in golden.error("GET", "/task", 403)
    assert golden.error("POST", "/workspace/login", 403, json=login)
    golden("GET", "/maestro/version", reply={"version": "<words>"})

    workspaces.change(site, admin, wire.WorkspaceChange(maestro=True, maestro_old=True))
    golden("GET", "/task", reply={"content": []})
    old("GET", "/task/list", {}, reply=[])
