"""Every field of every route, spoilt in every way that is known to hurt: refused, said in JSON, and nothing changed."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.api.routes import ROUTES

from ..api import test_permissions as allowed  # noqa: TID252  # a body that makes sense for each route

SPOILT: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, 10**400, 1.5, -0.0, 1e308),
    *("", " ", "nonsense", "a/b", "..", "\0", "\ud800", "x\ny", "\u202e", "x" * 300, "x" * 30_000),
    *([], {}, [None], {"a": 1}, [[[]]], ["x" * 30_000]),
)
HUGE = "x" * 10_000_000
DEEP = b'{"values": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"
SLOWEST_SECONDS = 5.0
# A field that is missing is often allowed, and so may be any of the values.
MAESTRO: dict[str, dict[str, Any]] = {
    "POST task": {"activityLabel": "daily", "parameters": {}, "test": False, "priority": 0, "minExecutionDate": None},
    "POST task/1": {"state": "RUNNING", "finishStatus": "SUCCESS", "finishMessage": "m", "interrupted": False},
    "POST alerts": {"taskId": 1, "title": "t", "message": "m", "type": "INFO"},
    "POST message": {"emails": ["a@acme.example"], "logins": [], "subject": "s", "body": "b", "type": "TEXT"},
    "POST log": {"activityLabel": "other", "columns": [{"name": "a", "label": "a", "width": 9}], "repositoryLabel": ""},
    "POST log/daily/entry": {"city": "Recife"},
    "POST artifact": {"taskId": 1, "name": "a.csv", "filename": "a.csv"},
    "POST error": {"taskId": 1, "type": "t", "message": "m", "stackTrace": "s", "language": "PYTHON", "tags": {}},
    "POST credential": {"label": "bank", "secrets": [{"key": "a", "value": "b", "valid": True}]},
    "POST credential/daily": {"label": "daily", "secrets": [{"key": "a", "value": "b"}]},
    "POST credential/daily/key": {"key": "a", "value": "b"},
    "POST datapool": {"label": "p", "name": "n", "schema": [], "trigger": "NEVER", "maxAutoRetry": 0, "active": True},
    "POST datapool/daily": {"name": "n", "schema": [], "consumptionPolicy": 0, "maxErrorsBeforeInactive": 1},
    "POST datapool/daily/push": {"priority": 0, "values": {"cpf": "9"}},
    "POST datapool/daily/entry/1": {"state": "PENDING", "values": {}, "taskId": 1, "message": "m", "errorType": ""},
    "PUT datapool/daily/entry/1/cancel": {"state": "CANCELED", "message": "m"},
    "POST bot": {"botId": "b", "version": "1", "technology": "PYTHON", "command": "c", "repositoryLabel": "DEFAULT"},
    "POST bot/release": {"botId": "my-bot", "version": "1.0.0"},
    "POST scheduling": {
        "activityLabel": "daily",
        "cron": "0 0 1 * * ?",
        "parameters": {},
        "priority": 1,
        "active": True,
    },
    "PUT scheduling/1": {"cron": "0 0 1 * * ?", "parameters": {}, "priority": 1, "active": True},
    "POST workspace/login": {"login": "x", "key": "y"},
}
IGNORED = {"POST /api/v2/credential/daily label", "PUT /api/v2/datapool/daily/entry/1/cancel state"}
"""Maestro's clients send these beside what counts, whatever is in them."""
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def send(client: FlaskClient, token: str, filled: int) -> Callable[..., TestResponse]:
    """``send("POST", path, body)``: JSON, with whatever in it, by the workspace's login."""

    def send_(method: str, path: str, body: Any) -> TestResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return client.open(path, method=method, data=data, headers=headers, buffered=True)

    return send_


def rest_rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for route in ROUTES:
        if route.body is not None and route.body is not wire.Login:
            yield route.method, f"/rest/v1{allowed.asked(route)[0]}", allowed.BODIES[route.body]


def maestro_rows() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for row, body in MAESTRO.items():
        method, _, path = row.partition(" ")
        yield method, f"/api/v2/{path}", body


@pytest.mark.parametrize("rows", [rest_rows, maestro_rows], ids=["rest", "maestro"])
def test_a_field_that_is_spoilt_is_refused_and_changes_nothing(
    send: Callable[..., TestResponse], everything: Callable[[], dict[str, str]], rows: Callable[[], Any]
) -> None:
    wrong: list[str] = []
    refused = 0

    for method, path, body in rows():
        for field in body:
            before, accepted = everything(), 0
            for value in (*SPOILT, "(missing)"):
                spoilt = {name: item for name, item in body.items() if name != field}
                if value != "(missing)":
                    spoilt[field] = value
                fault, status = judged(send, f"{field}={str(value)[:30]!r}", (method, path, spoilt))
                wrong += [fault] if fault else []
                accepted += status < 400
                refused += status >= 400
            if not accepted and everything() != before:
                wrong.append(f"{method} {path} {field}: refused, and something changed")

    assert refused > 400
    assert wrong == [], f"{len(wrong)}:\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("rows", [rest_rows, maestro_rows], ids=["rest", "maestro"])
def test_what_is_huge_or_deep_is_refused_everywhere(send: Callable[..., TestResponse], rows: Callable[[], Any]) -> None:
    wrong = []

    for method, path, body in rows():
        field = next((name for name, value in body.items() if isinstance(value, str)), next(iter(body), "values"))
        for what, sent in (("10 MB", {**body, field: HUGE}), ("5,000 levels", DEEP)):
            fault, status = judged(send, what, (method, path, sent))
            wrong += [fault] if fault else []
            if status < 400 and what == "10 MB" and f"{method} {path} {field}" not in IGNORED:
                wrong.append(f"{method} {path} takes 10 MB in {field}")

    assert wrong == []


def judged(send: Callable[..., TestResponse], what: str, asked: tuple[str, str, Any]) -> tuple[str, int]:
    """What is wrong with the answer, and its status."""
    row, began = f"{asked[0]} {asked[1]} {what}", time.monotonic()
    answer = send(*asked)
    took = time.monotonic() - began
    status, text = answer.status_code, answer.get_data(as_text=True)[:200]
    if status >= 500 or took > SLOWEST_SECONDS:
        return f"{row}: {status} after {took:.1f} s {text}", status
    if status < 400:
        return "", status
    said = answer.get_json(silent=True)
    message = (said.get("message") or said.get("detail")) if isinstance(said, dict) else None
    good = isinstance(message, str) and message and len(message) <= 1000 and "Traceback" not in message
    return "" if good else f"{row}: {status} says nothing: {text}", status
