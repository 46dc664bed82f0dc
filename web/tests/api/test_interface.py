"""What /rest/v1 does when everything is right: a bot's way from deploy to task, paging, repeats, its own description."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.api.routes import ROUTES

Call = Callable[..., TestResponse]


def test_the_status_needs_no_token(client: FlaskClient) -> None:
    answer = client.get("/rest/v1/status")

    assert msgspec.json.decode(answer.data, type=wire.Status).ready
    assert answer.headers[wire.PROTOCOL_HEADER] == str(wire.PROTOCOL)


def test_a_login_and_key_give_a_token_that_works(client: FlaskClient, workspace: Any) -> None:
    answer = client.post("/rest/v1/login", json={"login": workspace.login, "key": workspace.key})

    given = msgspec.json.decode(answer.data, type=wire.LoggedIn)
    assert given.workspace == "acme"
    listed = client.get("/rest/v1/tasks", headers={"Authorization": f"Bearer {given.token}"})
    assert listed.status_code == 200


def test_a_bot_goes_from_its_first_version_to_a_task(call: Call, package: Callable[..., bytes]) -> None:
    first = call("POST", "/bots/hello/versions", json={"version": "1.0.0", "technology": "PYTHON"})
    assert first.status_code == 201
    assert first.json["versions"][0]["state"] == "empty"
    assert call("POST", "/bots/hello/release", json={"version": "1.0.0"}).status_code == 409

    name = {wire.FILE_NAME_HEADER: "hello%20w%C3%B6rld.zip"}
    uploaded = call("PUT", "/bots/hello/versions/1.0.0/package", data=package(), headers=name)
    assert uploaded.json["versions"][0]["file_name"] == "hello wörld.zip"
    released = call("POST", "/bots/hello/release", json={"version": "1.0.0"})
    assert released.json["release"] == "1.0.0"

    made = call("POST", "/automations", json={"label": "daily", "bot_id": "hello", "runners": ["box-1"]})
    assert made.status_code == 201
    task = call("POST", "/tasks", json={"automation": "daily", "priority": 5})
    assert (task.status_code, task.json["state"], task.json["priority"]) == (201, "queued", 5)
    assert call("GET", f"/tasks/{task.json['id']}/events").json["items"][0]["kind"] == "created"
    assert call("GET", "/automations/daily").json["waiting"] == 1


def test_a_download_gives_the_bytes_of_the_upload(call: Call, package: Callable[..., bytes]) -> None:
    call("POST", "/bots/hello/versions", json={"version": "1.0.0", "technology": "PYTHON"})
    assert call("GET", "/bots/hello/versions/1.0.0/package").status_code == 404
    call("PUT", "/bots/hello/versions/1.0.0/package", data=package(), headers={wire.FILE_NAME_HEADER: "hello.zip"})

    with call("GET", "/bots/hello/versions/1.0.0/package") as answer:
        assert answer.data == package()
        assert answer.headers["Content-Disposition"] == "attachment; filename=hello.zip"


def test_a_version_that_exists_is_a_conflict(call: Call, deploy: Callable[..., wire.Bot]) -> None:
    deploy("hello", "1.0.0")

    answer = call("POST", "/bots/hello/versions", json={"version": "1.0.0", "technology": "PYTHON"})

    assert answer.status_code == 409
    assert "'1.0.0'" in answer.json["message"]


def test_pages_of_tasks_follow_each_other_without_gap_or_repeat(call: Call, a_task: Callable[..., wire.Task]) -> None:
    made = [a_task().id for _ in range(7)]
    seen, cursor, pages = [], "", 0

    while True:
        page = call("GET", f"/tasks?limit=3{f'&before={cursor}' if cursor else ''}").json
        seen += [task["id"] for task in page["items"]]
        cursor, pages = page["next"], pages + 1
        if not cursor:
            break

    assert seen == made[::-1]
    assert pages == 3


def test_tasks_are_found_by_state_and_automation(call: Call, a_task: Callable[..., wire.Task]) -> None:
    first, second = a_task(), a_task()
    call("POST", f"/tasks/{first.id}/cancel")

    queued = call("GET", "/tasks?state=queued&state=running&automation=daily").json["items"]

    assert [task["id"] for task in queued] == [second.id]
    assert call("GET", "/task-counts").json["counts"] == {"queued": 1, "cancelled": 1}


def test_an_alert_is_listed_with_its_task(call: Call, a_task: Callable[..., wire.Task]) -> None:
    task, other = a_task(), a_task()
    made = call("POST", "/alerts", json={"task_id": task.id, "title": "Look", "message": "here", "type": "warn"})

    assert made.status_code == 201
    assert made.json["automation"] == "daily"
    assert call("GET", f"/alerts?task_id={task.id}").json["items"] == [made.json]
    assert call("GET", f"/alerts?task_id={other.id}").json["items"] == []


REPEATED = {
    "/tasks": {"automation": "daily"},
    "/automations": {"label": "weekly"},
    "/runners": {"machine_id": "box-9"},
    "/alerts": {"task_id": 1, "title": "a", "message": "b"},
}


@pytest.mark.parametrize("path", REPEATED)
def test_a_request_that_is_repeated_with_its_key_makes_one_thing(
    call: Call, a_task: Callable[..., wire.Task], path: str
) -> None:
    a_task()
    key = {wire.IDEMPOTENCY_HEADER: "the same"}
    before = len(call("GET", path).json["items"])

    first = call("POST", path, json=REPEATED[path], headers=key)
    again = call("POST", path, json=REPEATED[path], headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert len(call("GET", path).json["items"]) == before + 1


def test_a_key_that_comes_with_another_request_is_refused(call: Call, a_task: Callable[..., wire.Task]) -> None:
    a_task()
    key = {wire.IDEMPOTENCY_HEADER: "the same"}
    call("POST", "/tasks", json={"automation": "daily"}, headers=key)

    other_body = call("POST", "/tasks", json={"automation": "daily", "priority": 9}, headers=key)
    other_route = call("POST", "/runners", json={"machine_id": "daily"}, headers=key)

    assert (other_body.status_code, other_route.status_code) == (422, 422)
    assert len(call("GET", "/tasks").json["items"]) == 2


def test_a_request_that_failed_may_come_again_with_its_key(call: Call, an_automation: Any) -> None:
    key = {wire.IDEMPOTENCY_HEADER: "the same"}
    assert call("POST", "/tasks", json={"automation": "daily"}, headers=key).status_code == 404
    an_automation("daily")

    assert call("POST", "/tasks", json={"automation": "daily"}, headers=key).status_code == 201


def test_the_key_of_somebody_else_is_another_key(call: Call, a_task: Callable[..., wire.Task]) -> None:
    a_task()
    key = {wire.IDEMPOTENCY_HEADER: "the same"}

    mine = call("POST", "/tasks", json={"automation": "daily"}, headers=key)
    theirs = call("POST", "/tasks", json={"automation": "daily"}, headers=key, role="operator")

    assert mine.json["id"] != theirs.json["id"]


def test_the_description_names_every_route_with_its_permission(client: FlaskClient) -> None:
    document = client.get("/rest/v1/openapi.json").json

    described = {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert document["openapi"].startswith("3.1")
    assert len(described) == len(ROUTES)
    assert len({operation["operationId"] for operation in described.values()}) == len(ROUTES)
    for route in ROUTES:
        path = "/rest/v1" + route.path.replace("<int:", "{").replace("<", "{").replace(">", "}")
        operation = described[route.method, path]
        assert operation["x-permission"] == route.permission
        assert str(route.status) in operation["responses"]
        assert ("requestBody" in operation) == (route.body is not None or route.method == "PUT")


def test_every_reference_in_the_description_leads_somewhere(client: FlaskClient) -> None:
    document = client.get("/rest/v1/openapi.json").json
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update([value["$ref"]] if isinstance(value.get("$ref"), str) else [])
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(document)

    assert "#/components/schemas/Task" in found
    assert {name.rpartition("/")[2] for name in found} <= set(document["components"]["schemas"])


def test_every_answer_carries_the_headers_that_protect_a_browser(app: Flask) -> None:
    client = app.test_client()

    for path in ("/rest/v1/status", "/rest/v1/nowhere", "/api/v2/nowhere", "/sign-in", "/nowhere"):
        with client.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "Strict-Transport-Security" not in answer.headers
    secure = client.get("/rest/v1/status", base_url="https://site.example")
    assert "max-age" in secure.headers["Strict-Transport-Security"]
