"""Whatever goes wrong on any of Maestro's routes, its clients get a JSON object with a string ``message``.

Every route that there is comes from the application's own map, so that a new one is tried without being named here.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.actions.site import Site
from bottool_web.store import tables

THEIRS = ("/api/v2", "/app/api")
WITHOUT_TOKEN = {"/api/v2/maestro/version", "/api/v2/workspace/login", "/app/api/login"}
BODIES: dict[str, bytes] = {
    "no JSON": b"{",
    "a text": b"nonsense",
    "not a number": b'{"priority": NaN}',
    "no finite number": b'{"priority": 1e400}',
    "4,500 digits": b'{"priority": ' + b"9" * 4500 + b"}",
    "an array": b"[1]",
    "a string": b'"text"',
    "5,000 levels": b'{"parameters": ' * 5000 + b"1" + b"}" * 5000,
    "5,000 arrays": b"[" * 5000 + b"]" * 5000,
    "half a pair": b'{"activityLabel": "\\ud800", "label": "\\ud800", "title": "\\udfff"}',
    "half a pair as it is": b'{"activityLabel": "\xed\xa0\x80"}',
    "bytes": b"\xff\xfe\x00\x01",
}
Send = Callable[..., TestResponse]


def routes(app: Flask) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(THEIRS):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule


def address(rule: Rule, value: str = "1") -> str:
    path = rule.rule
    for name in rule.arguments:
        for kind in ("", "int:", "string:", "path:"):
            path = path.replace(f"<{kind}{name}>", value)
    assert "<" not in path, path
    return path


def fault(row: str, answer: TestResponse, *, at_least: int = 400) -> str:
    """What is wrong with the answer to ``row``; empty when it is one that every client can read."""
    text = answer.get_data(as_text=True)[:300]
    if answer.status_code < at_least:
        return f"{row}: {answer.status_code} {text}"
    kind = "application/problem+json" if row.startswith("/rest/") else "application/json"
    if answer.status_code >= 400 and (answer.mimetype != kind or not isinstance(answer.json, dict)):
        return f"{row}: {answer.status_code} is no JSON object: {answer.mimetype} {text}"
    message = answer.json.get("message") if answer.status_code >= 400 else "right"
    if not isinstance(message, str) or not message or "Traceback" in text or len(message) > 1000:
        return f"{row}: {answer.status_code} has no message: {text}"
    return ""


@pytest.fixture
def send(app: Flask, golden: Any) -> Send:
    """``send("GET", path)``: one request with the workspace's token in every place where a client may have it."""
    client = app.test_client()

    def send_(method: str, path: str, *, token: str = golden.token, **more: Any) -> TestResponse:
        headers = {"token": token, **more.pop("headers", {})} if token else more.pop("headers", {})
        return client.open(path, method=method, base_url="http://localhost", headers=headers, **more)

    return send_


def faults(found: Iterator[str]) -> list[str]:
    return [each for each in found if each]


def test_there_are_routes_of_both_interfaces(app: Flask) -> None:
    known = {rule.rule for _, rule in routes(app)}

    assert len(known) > 30
    for rule in ("/api/v2/task/<int:task_id>", "/api/v2/bot/release", "/app/api/task/finish", "/app/api/newArtifact"):
        assert rule in known


def test_nobody_gets_in_without_a_token(app: Flask, send: Send) -> None:
    wrong = []

    for method, rule in routes(app):
        if rule.rule in WITHOUT_TOKEN:
            continue
        for token in ("", "nonsense", "btl_workspace_" + "x" * 40):
            answer = send(method, address(rule), token=token)
            wrong.append(fault(f"{method} {rule.rule}", answer, at_least=401))
            if answer.status_code != 401:
                wrong.append(f"{method} {rule.rule} with '{token}': {answer.status_code}")

    assert faults(iter(wrong)) == []


@pytest.mark.parametrize("kind", BODIES)
def test_a_body_that_is_none_is_refused_everywhere(app: Flask, send: Send, kind: str) -> None:
    """Where a call reads no body, a wrong one may be ignored; no answer is a fault of the server."""
    wrong, refused = [], 0

    for method, rule in routes(app):
        answer = send(method, address(rule), data=BODIES[kind], content_type="application/json")
        wrong.append(fault(f"{method} {rule.rule}", answer, at_least=200))
        if answer.status_code >= 500:
            wrong.append(f"{method} {rule.rule}: {answer.status_code} {answer.get_data(as_text=True)[:300]}")
        if method == "POST" and answer.status_code < 400:
            wrong.append(f"{method} {rule.rule} takes {kind}: {answer.get_data(as_text=True)[:300]}")
        refused += answer.status_code in {400, 422}

    assert faults(iter(wrong)) == []
    assert refused > 10


def test_a_request_without_a_body_that_promises_json_is_no_fault(app: Flask, send: Send) -> None:
    answers = [
        fault(f"{method} {rule.rule}", answer, at_least=200)
        or (f"{rule.rule} {answer.status_code}" if answer.status_code >= 500 else "")
        for method, rule in routes(app)
        for answer in [send(method, address(rule), content_type="application/json")]
    ]

    assert faults(iter(answers)) == []


@pytest.mark.parametrize(
    "path", ["/nowhere", "/task/1/nothing", "/task/x", "/task/-1", "/task/99999999999999999999", "/bot/a/b/c/d"]
)
def test_an_address_that_does_not_exist(send: Send, path: str) -> None:
    for prefix in (*THEIRS, "//api/v2", "///app/api"):
        answer = send("GET", f"http://localhost{prefix}{path}")
        assert not fault(path, answer)
        assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/api/v1/task", "/api/v3/task/1", "/app/api", "/app/x"])
def test_an_address_beside_the_versions_that_there_are(send: Send, path: str) -> None:
    answer = send("GET", path)

    assert not fault(path, answer)
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/api/v2/log", "/app/api/log/create"])
def test_the_message_says_what_to_do(send: Send, path: str) -> None:
    """Of an error the SDKs show their bots nothing else."""
    columns = [{"label": "city", "name": "City", "width": 100}]
    said = {"activityLabel": "a/b", "columns": json.dumps(columns) if "app" in path else columns}

    assert "'a/b': use 1 to 100 letters" in send("POST", path, json=said).get_json()["message"]


def test_a_method_that_is_not_there(app: Flask, send: Send) -> None:
    there: dict[str, set[str]] = {}
    for method, rule in routes(app):
        there.setdefault(address(rule), set()).add(method)
    wrong = []

    for path, methods in there.items():
        # Another rule may have the same address with this value.
        for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE"} - methods):
            answer = send(method, path)
            wrong.append(fault(f"{method} {path}", answer, at_least=400))
            if answer.status_code != 405 or not answer.headers.get("Allow"):
                wrong.append(f"{method} {path}: {answer.status_code}")

    assert faults(iter(wrong)) == []


def test_a_body_over_the_limit(app: Flask, send: Send) -> None:
    wrong = []

    for method, rule in routes(app):
        # The length is told, so that nothing of it needs to be read.
        answer = send(
            method,
            address(rule),
            input_stream=io.BytesIO(b"{"),
            environ_overrides={"CONTENT_LENGTH": str(10**12)},
            content_type="application/json",
        )
        wrong.append(fault(f"{method} {rule.rule}", answer, at_least=200))
        # 503: the disk has no room for so much.
        if method == "POST" and answer.status_code not in {401, 404, 413, 422, 503}:
            wrong.append(f"{method} {rule.rule}: {answer.status_code}")

    assert faults(iter(wrong)) == []
    huge = b'{"activityLabel": "daily"}' + b" " * 11_000_000
    assert send("POST", "/api/v2/task", data=huge).status_code == 413


@pytest.mark.parametrize("path", ["/api/v2/task", "/api/v2/workspace/login", "/app/api/task/create", "/rest/v1/tasks"])
def test_a_body_over_the_limit_in_chunks_is_not_taken_for_its_beginning(
    app: Flask, golden: Any, daily: wire.Automation, path: str
) -> None:
    answer = app.test_client().post(
        path,
        input_stream=io.BytesIO(b'{"activityLabel": "daily"}' + b" " * 11_000_000),
        headers={
            "Transfer-Encoding": "chunked",
            "token": golden.token,
            "Authorization": f"Bearer {golden.token}",
            "Content-Type": "application/json",
        },
    )

    assert not fault(path, answer)
    assert answer.status_code == 413, answer.json


def test_a_file_that_is_none(app: Flask, send: Send) -> None:
    """A part without quotes around its name, no part at all, a part of another name, and no boundary."""
    unquoted = b"--b\r\nContent-Disposition: form-data; name=file; filename=a.txt\r\n\r\nx\r\n--b--\r\n"
    other = unquoted.replace(b"name=file", b"name=picture")
    wrong = []

    for method, rule in routes(app):
        for data, kind in (
            (unquoted, "; boundary=b"),
            (other, '; boundary="b"'),
            (b"", "; boundary=b"),
            (unquoted, ""),
        ):
            answer = send(method, address(rule), data=data, content_type=f"multipart/form-data{kind}")
            wrong.append(fault(f"{method} {rule.rule}", answer, at_least=200))
            if answer.status_code >= 500:
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")

    assert faults(iter(wrong)) == []


@pytest.mark.parametrize(
    "value", ["%00", "..", "%ED%A0%80", "x" * 400, "a%2Fb", "%7B%7B7*7%7D%7D", "'%20OR%201=1", "2147483648"]
)
def test_a_name_in_an_address_that_none_has(app: Flask, send: Send, value: str) -> None:
    wrong = []

    for method, rule in routes(app):
        if rule.arguments:
            answer = send(method, f"http://localhost{address(rule, value)}")
            wrong.append(fault(f"{method} {rule.rule}", answer, at_least=200))
            if answer.status_code >= 500 or (answer.is_json and answer.status_code in {301, 308}):
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")

    assert faults(iter(wrong)) == []


def test_a_database_that_fails_is_told_as_a_fault(app: Flask, site: Site, send: Send, daily: wire.Automation) -> None:
    """Every table is gone but those by which a token is known."""
    kept = {"workspace", "token", "attempt", "account", "membership"}
    said = {
        "label": "a",
        "activityLabel": "daily",
        "botId": "a",
        "version": "1",
        "technology": "PYTHON",
        "taskId": 1,
        "title": "a",
        "message": "a",
        "type": "INFO",
    }

    def drop(tx: sa.Connection) -> None:
        cascade = "" if site.store.is_sqlite else " CASCADE"
        tx.exec_driver_sql("PRAGMA defer_foreign_keys=ON") if site.store.is_sqlite else None
        for table in tables.metadata.sorted_tables:
            if table.name not in kept:
                tx.exec_driver_sql(f'DROP TABLE IF EXISTS "{table.name}"{cascade}')

    site.store.write(drop)
    wrong, failed = [], set()

    for method, rule in routes(app):
        answer = send(method, address(rule), json=said) if method != "GET" else send(method, address(rule))
        wrong.append(fault(f"{method} {rule.rule}", answer, at_least=200))
        if answer.status_code >= 500:
            failed.add(rule.rule)
            if "SELECT" in answer.json["message"] or "Traceback" in answer.json["message"]:
                wrong.append(f"{method} {rule.rule} tells too much: {answer.json['message']}")

    assert faults(iter(wrong)) == []
    assert {"/api/v2/task/<int:task_id>", "/api/v2/bot", "/api/v2/activity", "/api/v2/machine/pagination"} <= failed


def test_a_database_that_is_gone_is_told_as_a_fault(app: Flask, site: Site, send: Send) -> None:
    site.store.write(lambda tx: tx.exec_driver_sql("ALTER TABLE token RENAME TO gone"))

    for method, rule in routes(app):
        answer = send(method, address(rule))
        assert not fault(f"{method} {rule.rule}", answer, at_least=200)
        assert answer.status_code >= 500 or rule.rule in WITHOUT_TOKEN
