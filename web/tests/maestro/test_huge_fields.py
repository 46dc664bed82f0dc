"""Texts of megabytes in every field of what clients send: refused at once, and never sent back."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire

HUGE = "x" * 9_000_000
TASK = ("activityLabel", "parameters", "test", "priority", "minExecutionDate")
UPDATE = ("state", "finishStatus", "finishMessage", "totalItems", "processedItems")
BOT = ("botId", "version", "technology", "command", "repositoryLabel")
ROWS = [
    *(("/task", {"activityLabel": "daily", name: HUGE}) for name in TASK),
    *(("/task/{task}", {"state": "FINISHED", "finishStatus": "SUCCESS", name: HUGE}) for name in UPDATE),
    *(("/task/{task}", {name: HUGE}) for name in ("interrupted", "killed", "finishMessage", "failedItems")),
    *(("/bot", {"botId": "a", "version": "1", "technology": "PYTHON", name: HUGE}) for name in BOT),
    *(("/bot/release", {"botId": "my-bot", "version": "1.0.0", name: HUGE}) for name in ("botId", "version")),
    *(("/workspace/login", {"login": "acme", "key": "x", name: HUGE}) for name in ("login", "key")),
    ("/task", {"activityLabel": "daily", "parameters": {"who": HUGE}}),
    ("/task", {"activityLabel": "daily", "parameters": {HUGE: 1}}),
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_megabytes_in_a_field_are_refused_at_once(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})

    for path, sent in ROWS:
        name = next(key for key, value in sent.items() if HUGE in (key, value) or isinstance(value, dict))
        begun = time.monotonic()
        answer = golden("POST", path, json=sent, status=None)
        assert time.monotonic() - begun < 5, (path, name)
        assert 400 <= answer.status_code < 500, (path, name, answer.status_code)
        assert len(answer.data) < 5000, (path, name)

    golden("GET", "/task/{task}", reply={"state": "START", "finishMessage": ""})
    golden("GET", "/task", reply={"totalElements": 1})


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_megabytes_in_the_old_interface_too(golden: Any, daily: wire.Automation, package: Callable[..., bytes]) -> None:
    for path, name in (("task/create", "activityLabel"), ("task/create", "who"), ("task/finish", "finishMessage")):
        fields = {
            "access_token": golden.token,
            "activityLabel": "daily",
            "taskId": "1",
            "finishStatus": "SUCCESS",
            name: HUGE,
        }
        answer = golden("POST", f"/app/api/{path}", client="java", data=fields, status=None)
        assert 400 <= answer.status_code < 500, (path, name, answer.status_code)
        assert len(answer.data) < 5000, (path, name)
