"""Golden rows of error reports: create, screenshot, attachments, list, get."""

from typing import Any

import pytest

from bottool import wire

TAGS = {"user_name": "me", "host_name": "PC", "os_name": "Linux", "os_version": "6.1", "python_version": "3.11"}
TRACE = 'Traceback (most recent call last):\n  File "/b/bot.py", line 3, in main\nValueError: Não deu'
SENT = {
    "taskId": "{task}",
    "type": "ValueError",
    "message": "Não deu",
    "stackTrace": TRACE,
    "language": "PYTHON",
    "tags": TAGS,
}
SEEN = {"id": "{error}", "taskId": "{task}", "type": "ValueError", "message": "Não deu", "dateCreation": "<date>"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30


@pytest.fixture(autouse=True)
def task(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})


def reported(golden: Any, **more: Any) -> None:
    golden("POST", "/error", json={**SENT, **more}, status=201, reply={"id": "<int as error>"})


def test_each_sdk_reports_an_error(golden: Any) -> None:
    made = {"status": 201, "reply": {"id": "<int as error>", "taskId": "{task}"}}
    golden("POST", "/error", json=SENT, **made)
    golden("POST", "/error", client="javascript", json={**SENT, "language": "JAVASCRIPT"}, **made)
    golden("POST", "/error", client="csharp", json={**SENT, "stackTrace": None, "language": "SHELL"}, **made)
    golden("POST", "/error", json={"taskId": "{task}", "tags": None}, **made)


def test_a_report_comes_with_a_screenshot_and_many_files(golden: Any) -> None:
    reported(golden)
    for content in (b"first", PNG):
        golden.upload("/error/{error}/screenshot", content, name="tela.png", client="csharp")
    for name in ("piplist.txt", "a.log", "a.log"):
        golden.upload("/error/{error}/attachments", b"x", name=name)

    golden(
        "GET",
        "/error/{error}",
        reply={
            **SEEN,
            "stackTrace": TRACE,
            "language": "PYTHON",
            "tags": TAGS,
            "screenshot": {"fileName": "tela.png", "fileSize": len(PNG)},
            "attachments": [{"fileName": "piplist.txt"}, {"fileName": "a.log"}],
        },
    )


def test_errors_are_listed_by_task_automation_and_period(golden: Any, clock: Any, workspace: Any) -> None:
    reported(golden)
    page = {"content": [SEEN], "totalElements": 1, "totalPages": 1, "number": 0, "last": True}
    for query in ({}, {"taskId": "1"}, {"automationLabel": "daily", "days": "30"}, {"AutomationLabel": "daily"}):
        golden("GET", "/error", query={"page": "0", "size": "50", **query}, reply=page)
    golden("GET", "/error", query={"sort": "dateCreation,desc"}, reply=page)
    for query in ({"taskId": "2"}, {"automationLabel": "other"}, {"AutomationLabel": "other"}, {"page": "1"}):
        golden("GET", "/error", query=query, reply={"content": []})
    clock.advance(3 * 86400)
    answer = golden(
        "POST",
        "/workspace/login",
        json={"login": workspace.login, "key": workspace.key},
        reply={"accessToken": "<words as token>"},
    )
    token = answer.json["accessToken"]
    golden("GET", "/error", query={"days": "2"}, token=token, reply={"content": [], "totalElements": 0})
    golden("GET", "/error", query={"days": "4"}, token=token, reply={"totalElements": 1})


def test_what_makes_no_sense_is_refused(golden: Any) -> None:
    reported(golden)
    for wrong in (
        {"taskId": None},
        {"taskId": "x"},
        {"taskId": 10**30},
        {"tags": [1]},
        {"tags": {"a": {}}},
        {"tags": {str(number): "x" for number in range(101)}},
        {"message": "\0"},
        {"message": "x" * 9_000_000},
        {"stackTrace": "x" * 9_000_000},
        {"type": "a\nb"},
        {"language": []},
    ):
        golden.error("POST", "/error", 422, json={**SENT, **wrong})
    golden.error("POST", "/error", 404, json={**SENT, "taskId": 999})
    golden.error("GET", "/error/999", 404)
    golden.error("POST", "/error/{error}/screenshot", 400, json={})
    for what in ("screenshot", "attachments"):
        golden.upload(f"/error/999/{what}", b"x", status=404)
    golden.error("GET", "/error?sort=nonsense", 422)
    golden.error("GET", "/error?days=x", 422)


def test_a_bot_reports_about_its_attempt_and_the_version_that_runs(golden: Any, running: Any) -> None:
    token = running(golden.kept["task"])

    golden("POST", "/error", token=token, json=SENT, status=201, reply={"id": "<int as error>"})

    golden("GET", "/error/{error}", token=token, reply={"botId": "my-bot", "botVersion": "1.0.0"})
