"""Golden rows of the old form interface: forms and queries, the token among the fields, one shape of replies."""

import io
import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import messages, workspaces
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


def test_alerts_and_result_files_of_a_pinned_bot(golden: Any, old: Callable[..., Any], daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})
    fields = {"taskId": "{task}", "title": "Look", "message": "it is late", "type": "WARN"}
    old("POST", "/alert/send", fields, reply=DONE)
    golden("GET", "/alerts?taskId={task}", reply={"content": [{"title": "Look", "type": "WARN"}]})
    old("POST", "/alert/send", {**fields, "type": "LOUD"}, status=422, reply={"type": "error"})

    sent = {"access_token": golden.token, "taskId": str(golden.kept["task"]), "name": "relatório.csv"}
    for content in (b"a;b\n1;2\n", b"x" * 300_000):
        body = {**sent, "body": (io.BytesIO(content), "relatório.csv")}
        made = golden("POST", "/app/api/newArtifact", client="java", data=body, reply=DONE)
        number = made.json["payload"]
        listed = old("GET", "/artifact/list", {}, reply={"message": "<words>", "type": "success"})
        newest = json.loads(listed.json["message"])[0]
        golden.compare("message", newest, {"id": int(number), "fileName": "relatório.csv", "taskId": "{task}"})
        with old("GET", "/artifact/get", {"id": number}, reply=content) as fetched:
            name = re.search(r'filename="([^"]*)"', fetched.headers["Content-Disposition"])
            assert name
            assert name[1] == f"relat-rio_{number}.csv"


def test_a_stranger_sends_no_file(golden: Any, old: Callable[..., Any], site: Site) -> None:
    body = b'--golden\r\nContent-Disposition: form-data; name="body"; filename="a"\r\n\r\n' + b"x" * 200_000
    late = b'\r\n--golden\r\nContent-Disposition: form-data; name="access_token"\r\n\r\n' + golden.token.encode()
    for tail in (b"", late):
        golden(
            "POST",
            "/app/api/newArtifact",
            client="java",
            data=io.BytesIO(body + tail + b"\r\n--golden--\r\n"),
            headers={"Content-Type": "multipart/form-data; boundary=golden"},
            status=401,
            reply={"type": "error", "message": "<words>"},
        )

    assert [path for path in site.files.root.rglob("*") if path.is_file()] == []


def test_a_message_of_a_pinned_bot(old: Callable[..., Any], site: Site, admin: Principal) -> None:
    fields = {"email": "ada@example.org, bob@example.org", "users": "", "subject": "Olá", "body": "<b>feito</b>"}

    old("POST", "/message/send", {**fields, "type": "HTML", "group": ""}, reply=DONE)

    sent = messages.list_messages(site, admin)[0]
    assert (sent.subject, sent.type) == ("Olá", "html")
    assert sorted(each.address for each in sent.deliveries) == ["ada@example.org", "bob@example.org"]
    old("POST", "/message/send", {**fields, "email": "nobody"}, status=422, reply={"type": "error"})
    old("POST", "/message/send", {**fields, "type": "SMS"}, status=422, reply={"type": "error"})


def test_logs_of_a_pinned_java_bot(old: Callable[..., Any]) -> None:
    columns = [{"name": "Data", "label": "date", "width": 100}, {"name": "Itens", "label": "items", "width": 50}]
    old("POST", "/log/create", {"activityLabel": "old-log", "columns": json.dumps(columns)}, reply=DONE)
    old("POST", "/newLogEntry", {"logName": "old-log", "columns": json.dumps({"items": 3})}, reply=DONE)

    # The clock of the tests stands at noon of 15 January 2030.
    found = {
        ("GET", "15/01/2030"): 1,
        ("POST", "Tue Jan 15 10:00:00 BRT 2030"): 1,
        ("POST", "2030-01-15"): 1,
        ("GET", ""): 1,
        ("GET", "17/01/2030"): 0,
    }
    for (method, date), count in found.items():
        answer = old(method, "/log/read", {"activityLabel": "old-log", "date": date}, reply=DONE)
        assert json.loads(answer.json["message"]) == [{"columns": {"date": None, "items": 3}}] * count
    assert b"Data,Itens" in old("POST", "/log/download", {"activityLabel": "old-log"}).data

    said = {"columns": "{", "activityLabel": "other", "date": "soon"}
    error = {"message": "<words>", "type": "error", "payload": "<text>"}
    old("POST", "/log/create", said, status=400, reply=error)
    old("POST", "/newLogEntry", {"logName": "old-log", "columns": "[1]"}, status=422, reply=error)
    old("GET", "/log/read", {"activityLabel": "old-log", "date": "soon"}, status=422, reply=error)
    old("POST", "/log/delete", {"activityLabel": "old-log"}, reply=DONE)
    old("POST", "/log/read", {"activityLabel": "old-log"}, status=404, reply=error)
