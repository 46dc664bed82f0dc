"""What bad input gets from every route: a right status, one shape, never a fault of the server."""

import gzip
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.actions.site import Site
from bottool_web.api.routes import ROUTES
from bottool_web.app import create_app

WITH_BODY = [route for route in ROUTES if route.body is not None]
NO_JSON = [
    b"",
    b"{",
    b"nonsense",
    b"{'a': 1}",
    b'{"a": 1,}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b'{"a": NaN}',
    b'{"a": 1e400}',
    b'{"a": "\\ud800"}',
    b"[" * 100_000,
]
NO_OBJECT = [b"null", b"[]", b"3", b'"text"', b'{"never_heard_of": 1}', b'{"label": 1, "version": 2, "status": 3}']
NAMES = ["\0", "..", "a/b", "a b", "", "é", "x" * 101, "-rf", ".", "{{7*7}}", "'; DROP TABLE task; --", "\u202e", "a\n"]


def check_shape(answer: TestResponse, *statuses: int) -> wire.Problem:
    assert answer.status_code in statuses, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    problem = msgspec.json.decode(answer.data, type=wire.Problem)
    assert problem.status == answer.status_code
    assert problem.message == problem.detail
    assert problem.message[:1].islower() or not problem.message[:1].isalpha()
    assert "Traceback" not in problem.message
    return problem


def filled(path: str) -> str:
    for name, value in {
        "bot_id": "my-bot",
        "version": "1.0.0",
        "label": "daily",
        "int:task_id": "1",
        "int:revision": "1",
    }.items():
        path = path.replace(f"<{name}>", value)
    # What has no name of its own here is a number, or a label.
    return re.sub(r"<\w+>", "daily", re.sub(r"<int:\w+>", "1", path))


def test_a_body_that_is_no_json_is_400_and_one_that_does_not_fit_is_422(
    call: Callable[..., TestResponse], a_task: Callable[..., wire.Task]
) -> None:
    a_task()

    for route in WITH_BODY:
        path = filled(route.path)
        for body in NO_JSON:
            problem = check_shape(call(route.method, path, data=body, content_type="application/json"), 400)
            assert problem.code == "bad_json"
        for body in NO_OBJECT:
            problem = check_shape(call(route.method, path, data=body, content_type="application/json"), 422)
            assert problem.code == "bad_field"
        form = call(route.method, path, data={"label": "form"})
        assert check_shape(form, 400).code == "bad_json"


def test_an_unknown_query_is_refused_by_name(
    call: Callable[..., TestResponse], a_task: Callable[..., wire.Task]
) -> None:
    a_task()

    for route in ROUTES:
        problem = check_shape(call(route.method, filled(route.path) + "?sort=1%3BDROP"), 422)
        assert problem.details["path"] == "sort"


def test_strange_names_in_an_address_are_not_found_and_never_a_fault(
    call: Callable[..., TestResponse], a_task: Callable[..., wire.Task]
) -> None:
    a_task()
    faults = []

    for route in [route for route in ROUTES if "<" in route.path]:
        body = {"json": {"version": "1.0.0", "technology": "PYTHON", "status": "failed"}} if route.body else {}
        for name in [*NAMES, "0", "-1", "1.5", "99999999999999999999", "٣"]:
            path = route.path
            for part in ("<bot_id>", "<version>", "<label>", "<int:task_id>", "<int:revision>"):
                path = path.replace(part, _quoted(name))
            status = call(route.method, path, **body).status_code
            if status not in {301, 308, 404, 405, 422}:
                faults.append((route.method, path, status))

    assert faults == []


def _quoted(name: str) -> str:
    return "".join(f"%{byte:02X}" for byte in name.encode())


WRONG_FIELDS = [
    ({"label": "a", "priority": "1"}, "priority"),
    ({"label": "a", "priority": True}, "priority"),
    ({"label": "a", "priority": 11}, "priority"),
    ({"label": "a", "priority": -1}, "priority"),
    ({"label": "a", "priority": 10**30}, "priority"),
    ({"label": "a b"}, "label"),
    ({"label": ""}, "label"),
    ({"label": "x" * 101}, "label"),
    ({"label": "a", "name": "two\nlines"}, "name"),
    ({"label": "a", "name": "nul\0"}, "name"),
    ({"label": "a", "description": "nul\0"}, "description"),
    ({"label": "a", "timeout_seconds": 0}, "timeout_seconds"),
    ({"label": "a", "max_attempts": 0}, "max_attempts"),
    ({"label": "a", "runners": ["box-1", "no label"]}, "runners[1]"),
    ({"label": "a", "runners": "box-1"}, "runners"),
    ({"label": "a", "bot_id": "nobody"}, "bot_id"),
    ({"label": "a", "parameters": [{"label": "x", "tpye": "text"}]}, "parameters[0].tpye"),
    ({"label": "a", "parameters": [{"label": "x", "type": "colour"}]}, "parameters[0].type"),
    ({"label": "a", "parameters": [{"label": "x"}, {"label": "x"}]}, "parameters[1].label"),
    ({"label": "a", "parameters": [{"label": "x", "type": "choice"}]}, "parameters[0].choices"),
    ({"label": "a", "parameters": [{"label": "x", "type": "integer", "default": "1"}]}, "parameters[0].default"),
]


def test_a_wrong_field_is_named_by_its_path(call: Callable[..., TestResponse]) -> None:
    for body, path in WRONG_FIELDS:
        problem = check_shape(call("POST", "/automations", json=body), 422)
        assert (problem.code, problem.details["path"]) == ("bad_field", path)

    assert call("GET", "/automations").json["items"] == []


@pytest.mark.parametrize(
    "when", ["2030-01-01T00:00:00", "2030-02-30T00:00:00Z", "tomorrow", "9999-12-31T23:59:59-10:00", 1_900_000_000]
)
def test_a_time_that_is_none_is_refused(
    call: Callable[..., TestResponse], an_automation: Callable[..., wire.Automation], when: object
) -> None:
    an_automation()

    problem = check_shape(call("POST", "/tasks", json={"automation": "daily", "earliest_at": when}), 422)

    assert problem.details["path"] == "earliest_at"


@pytest.mark.parametrize("query", ["before=x", "before=1&before=2", "limit=1.5", "days=-5", "state=%00", "state=gone"])
def test_a_filter_that_makes_no_sense_is_refused_or_finds_nothing(
    call: Callable[..., TestResponse], a_task: Callable[..., wire.Task], query: str
) -> None:
    a_task()

    answer = call("GET", f"/tasks?{query}")

    assert answer.status_code in {200, 422}, answer.data
    if answer.status_code == 200:
        assert answer.json["items"] == []


def test_huge_numbers_and_deep_nesting_in_parameters_are_no_fault(
    call: Callable[..., TestResponse], an_automation: Callable[..., wire.Automation]
) -> None:
    an_automation(parameters=[wire.Parameter(label="x", type="integer")])
    deep: Any = 1
    for _ in range(200):
        deep = [deep]

    answers = [
        call("POST", "/tasks", data=b'{"automation": "daily", "parameters": {"x": %s}}' % text, content_type=json)
        for json in ["application/json"]
        for text in (b"9" * 300, b"9" * 5000, b'"\\u0000"', msgspec.json.encode(deep), b"1.5", b"null")
    ]

    assert [answer.status_code in {201, 400, 422} for answer in answers] == [True] * 6, [a.data for a in answers]
    assert call("GET", "/tasks").status_code == 200


def test_a_wrong_method_says_which_are_allowed(call: Callable[..., TestResponse]) -> None:
    answer = call("DELETE", "/tasks")

    check_shape(answer, 405)
    assert "GET" in answer.headers["Allow"]


def test_an_upload_over_the_limit_is_413_and_leaves_the_version_empty(site: Site, token_of: Callable[..., str]) -> None:
    small = replace(site, settings=replace(site.settings, upload_limit_bytes=1000))
    client, token = create_app(small).test_client(), {"Authorization": f"Bearer {token_of('developer')}"}
    client.post("/rest/v1/bots/big/versions", json={"version": "1", "technology": "PYTHON"}, headers=token)

    answer = client.put("/rest/v1/bots/big/versions/1/package", data=b"x" * 1001, headers=token)

    assert check_shape(answer, 413).code == "too_big"
    assert client.get("/rest/v1/bots/big", headers=token).json["versions"][0]["state"] == "empty"
    assert [path for path in site.files.root.rglob("*") if path.is_file()] == []


def test_an_upload_of_exactly_the_limit_is_taken(site: Site, token_of: Callable[..., str], package: Any) -> None:
    data = package()
    small = replace(site, settings=replace(site.settings, upload_limit_bytes=len(data)))
    client, token = create_app(small).test_client(), {"Authorization": f"Bearer {token_of('developer')}"}
    client.post("/rest/v1/bots/big/versions", json={"version": "1", "technology": "PYTHON"}, headers=token)

    answer = client.put("/rest/v1/bots/big/versions/1/package", data=data, headers=token)

    assert answer.status_code == 200
    assert answer.json["versions"][0]["state"] == "ready"


def test_a_body_over_the_limit_is_413(call: Callable[..., TestResponse]) -> None:
    answer = call(
        "POST", "/automations", data=b'{"label": "' + b"x" * 11_000_000 + b'"}', content_type="application/json"
    )

    check_shape(answer, 413)


def an_escape() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("../outside.py", "")
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_an_archive"),
        (an_escape(), "path_outside"),
        (b"PK\x03\x04 but no zip", ""),
        (gzip.compress(b"no tar", mtime=0), ""),
    ],
)
def test_an_archive_that_is_refused_leaves_nothing(
    call: Callable[..., TestResponse], site: Any, data: bytes, reason: str
) -> None:
    call("POST", "/bots/bad/versions", json={"version": "1.0.0", "technology": "PYTHON"})

    answer = call("PUT", "/bots/bad/versions/1.0.0/package", data=data, headers={wire.FILE_NAME_HEADER: "bad.zip"})

    problem = check_shape(answer, 422)
    assert problem.code == "bad_archive"
    assert problem.details["reason"] == reason or not reason
    assert call("GET", "/bots/bad").json["versions"][0]["state"] == "empty"
    assert [path for path in site.files.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("path", ["/rest/v1/nowhere", "/rest/v1/bots/a/b/c", "/rest/v1"])
def test_an_address_that_does_not_exist_is_a_problem_too(client: FlaskClient, path: str) -> None:
    check_shape(client.get(path), 404)


def test_maestros_clients_get_json_with_a_message(client: FlaskClient) -> None:
    answer = client.get("/api/v2/nowhere")

    assert answer.status_code == 404
    assert answer.mimetype == "application/json"
    assert isinstance(answer.json["message"], str)


def test_a_double_slash_in_front_is_one(app: Flask) -> None:
    def start(status: str, headers: list[tuple[str, str]]) -> None:
        seen.append((status, dict(headers)["Content-Type"]))

    seen: list[tuple[str, str]] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "//rest/v1/status", "SERVER_NAME": "x", "SERVER_PORT": "80"}
    body = app.wsgi_app({**environ, "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO()}, start)

    assert b"".join(body)
    assert seen == [("200 OK", "application/json")]


def test_a_fault_of_ours_tells_the_caller_a_number_and_the_log_the_trace(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise RuntimeError("a secret that must not leave")

    broken.permission = "public"
    app.add_url_rule("/rest/v1/broken", view_func=broken)

    answer = app.test_client().get("/rest/v1/broken")

    problem = check_shape(answer, 500)
    assert "secret" not in answer.get_data(as_text=True)
    assert problem.details["fault"] in caplog.text
    assert "a secret that must not leave" in caplog.text


def test_a_protocol_that_is_too_new_is_refused(client: FlaskClient) -> None:
    answer = client.get("/rest/v1/status", headers={wire.PROTOCOL_HEADER: "99"})

    assert "protocol" in check_shape(answer, 400).message
