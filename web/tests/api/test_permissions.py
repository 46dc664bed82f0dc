"""Who may do what, asked of every route: the matrix comes from the table of permissions and the table of routes."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bottool import wire
from bottool.errors import PluginError
from bottool_web.actions.permissions import PERMISSIONS, PUBLIC
from bottool_web.actions.site import Site
from bottool_web.api.route import Route
from bottool_web.api.routes import ROUTES
from bottool_web.app import check_permissions
from bottool_web.store.tables import attempt, task

ROLES = ("viewer", "operator", "developer", "manager", "administrator", "workspace", "runner", "attempt")
GUARDED = [route for route in ROUTES if route.permission != PUBLIC]
BODIES: dict[Any, dict[str, Any]] = {
    wire.NewVersion: {"version": "9.9.9", "technology": "PYTHON"},
    wire.Release: {"version": "1.0.0"},
    wire.NewAutomation: {"label": "weekly"},
    wire.AutomationChange: {"priority": 3},
    wire.NewTask: {"automation": "daily"},
    wire.Finish: {"status": "succeeded"},
    wire.Progress: {"total_items": 3},
    wire.WorkspaceChange: {"maestro": True},
    wire.RestoreRevision: {"revision": 1},
    wire.NewRunner: {"machine_id": "box-9"},
    wire.NewCredential: {"label": "daily", "secrets": [{"key": "user", "value": "ana"}]},
    wire.SecretValue: {"value": "maria"},
    wire.NewLog: {"label": "daily", "columns": [{"label": "city"}]},
    wire.LogChange: {"columns": [{"label": "city"}]},
    wire.NewLogEntry: {"values": {"city": "Recife"}},
    wire.NewPool: {"label": "daily", "schema": [{"label": "cpf", "unique": True}]},
    wire.PoolChange: {"name": "Daily"},
    wire.NewEntry: {"values": {"cpf": "1"}},
    wire.EntryChange: {"message": "seen"},
    wire.EntryCancel: {},
    wire.EntriesChange: {"act": "cancel", "all": True},
    wire.NewArtifact: {"task_id": 1, "name": "report.csv"},
    wire.NewErrorReport: {"task_id": 1, "type": "ValueError"},
    wire.ErrorGroupChange: {"status": "resolved"},
    wire.NewAlert: {"task_id": 1, "title": "look", "message": "here"},
    wire.NewMessage: {"emails": ["ana@acme.example"], "subject": "look", "body": "here"},
    wire.NewChannel: {"label": "ops", "address": "json://127.0.0.1:9/"},
    wire.NewSchedule: {"automation": "daily", "label": "nightly", "expression": "0 0 2 * * ?"},
    wire.ScheduleChange: {"priority": 3},
    wire.Wish: {"expression": "0 0 2 * * ?"},
}
QUERIES = {"/dependencies": "?name=openpyxl", "PUT /artifacts": "?task_id=1&name=report.csv"}


def asked(route: Route, task_id: int = 1) -> tuple[str, dict[str, Any]]:
    """The address of the route for what the tests made, and a body that makes sense."""
    path = route.path
    for name, value in {
        "bot_id": "my-bot",
        "version": "1.0.0",
        "label": "daily",
        "schedule": "nightly",
        "int:task_id": task_id,
        "int:revision": 1,
        "int:artifact_id": 1,
        "int:entry_id": 1,
        "int:report_id": 1,
        "int:group_id": 1,
        "int:file_id": 1,
        "int:message_id": 1,
        "int:delivery_id": 1,
        "channel": "ops",
        "key": "user",
    }.items():
        path = path.replace(f"<{name}>", str(value))
    assert "<" not in path, f"the tests know no value for {path}"
    path += QUERIES.get(f"{route.method} {route.path}", QUERIES.get(route.path, ""))
    if route.body is not None:
        return path, {"json": BODIES[route.body]}
    return path, {"data": b"no archive"} if route.method == "PUT" else {}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_call_exactly_what_the_table_says(
    role: str, call: Callable[..., TestResponse], a_task: Callable[..., wire.Task]
) -> None:
    wrong = []

    for route in GUARDED:
        # A bot is the bot of one task, and finishes no other: its task is the first one.
        path, more = asked(route, 1 if role == "attempt" else a_task().id)
        with call(route.method, path, role=role, **more) as answer:
            status = answer.status_code
        refused, allowed = status == 403, role in PERMISSIONS[route.permission]
        if refused == allowed or status == 401 or status >= 500:
            wrong.append(f"{route.method} {route.path}: {status}, the table says {'yes' if allowed else 'no'}")

    assert wrong == []


def test_nobody_gets_in_without_a_token(client: FlaskClient) -> None:
    answers = {}

    for route in GUARDED:
        path, more = asked(route)
        answers[f"{route.method} {route.path}"] = client.open(
            f"/rest/v1{path}", method=route.method, **more
        ).status_code

    assert set(answers.values()) == {401}, answers


@pytest.mark.parametrize("said", ["Bearer nonsense", "Basic YTpi", "Bearer", "Bearer btl_workspace_" + "x" * 40])
def test_a_token_that_is_none_is_refused(client: FlaskClient, said: str) -> None:
    answer = client.get("/rest/v1/tasks", headers={"Authorization": said})

    assert answer.status_code == 401
    assert answer.json["code"] == "unauthorized"


def test_a_cookie_opens_no_door_of_the_interface(client: FlaskClient, token_of: Callable[..., str]) -> None:
    client.set_cookie("bottool_session", token_of("administrator"))

    assert client.get("/rest/v1/tasks").status_code == 401


# Not the one that makes a version: a new bot id of the stranger's own is no secret of anybody.
FOREIGN = [route for route in GUARDED if "<" in route.path and route.path != "/bots/<bot_id>/versions"]


def test_what_belongs_to_another_workspace_does_not_exist(
    call: Callable[..., TestResponse],
    token_of: Callable[..., str],
    other_workspace: Any,
    a_task: Callable[..., wire.Task],
) -> None:
    task, stranger = a_task(), token_of("administrator", of=other_workspace)
    found = []

    for route in FOREIGN:
        path, more = asked(route, task.id)
        answer = call(route.method, path, token=stranger, **more)
        if answer.status_code != 404 or answer.json["code"] != "not_found":
            found.append((route.method, path, answer.status_code))

    assert found == []


def test_a_bot_id_may_be_used_in_each_workspace_and_is_another_bot_there(
    call: Callable[..., TestResponse],
    token_of: Callable[..., str],
    other_workspace: Any,
    deploy: Callable[..., wire.Bot],
) -> None:
    deploy("my-bot", "1.0.0")
    stranger = token_of("administrator", of=other_workspace)

    answer = call("POST", "/bots/my-bot/versions", token=stranger, json={"version": "9.9.9", "technology": "PYTHON"})

    assert answer.status_code == 201
    assert [version["version"] for version in answer.json["versions"]] == ["9.9.9"]


def test_a_body_cannot_name_what_belongs_to_another_workspace(
    call: Callable[..., TestResponse],
    token_of: Callable[..., str],
    other_workspace: Any,
    a_task: Callable[..., wire.Task],
) -> None:
    task = a_task()
    stranger = token_of("administrator", of=other_workspace)

    new_task = call("POST", "/tasks", token=stranger, json={"automation": "daily"})
    new_alert = call("POST", "/alerts", token=stranger, json={"task_id": task.id, "title": "a", "message": "b"})
    automation = call("POST", "/automations", token=stranger, json={"label": "mine", "bot_id": "my-bot"})

    assert (new_task.status_code, new_alert.status_code, automation.status_code) == (404, 404, 422)


def test_lists_show_nothing_of_another_workspace(
    call: Callable[..., TestResponse],
    token_of: Callable[..., str],
    other_workspace: Any,
    a_task: Callable[..., wire.Task],
) -> None:
    a_task()
    stranger = token_of("administrator", of=other_workspace)

    seen = {path: call("GET", path, token=stranger).json for path in ("/bots", "/automations", "/tasks", "/runners")}

    assert all(page == {"items": [], "next": ""} for page in seen.values()), seen


def test_a_view_that_names_no_permission_keeps_the_server_from_starting(app: Flask) -> None:
    app.add_url_rule("/open-door", view_func=lambda: "everything")

    with pytest.raises(PluginError, match="/open-door"):
        check_permissions(app)


def test_a_view_with_a_misspelt_permission_keeps_the_server_from_starting(app: Flask) -> None:
    def view() -> str:
        return "everything"

    view.permission = "task.raed"
    app.add_url_rule("/open-door", view_func=view)

    with pytest.raises(PluginError, match="/open-door"):
        check_permissions(app)


def test_a_bots_token_ends_a_quarter_of_an_hour_after_its_attempt(
    site: Site, call: Callable[..., TestResponse], clock: Any
) -> None:
    assert call("GET", "/tasks/1", role="attempt").status_code == 200
    clock.advance(24 * 3600)
    assert call("GET", "/tasks/1", role="attempt").status_code == 200, "a bot may run for days"

    site.store.write(lambda tx: tx.execute(sa.update(attempt).values(ended_at=site.now(), state="ended")))
    clock.advance(15 * 60 - 1)
    assert call("GET", "/tasks/1", role="attempt").status_code == 200
    clock.advance(1)

    assert call("GET", "/tasks/1", role="attempt").status_code == 401


def test_a_bot_that_was_replaced_raises_no_alerts(site: Site, call: Callable[..., TestResponse]) -> None:
    said = {"json": {"task_id": 1, "title": "a", "message": "b"}}
    assert call("POST", "/alerts", role="attempt", **said).status_code == 201
    site.store.write(lambda tx: tx.execute(sa.update(task).values(attempt=2)))

    answer = call("POST", "/alerts", role="attempt", **said)

    assert answer.status_code == 409
    assert answer.json["code"] == "stale_attempt"
    assert len(call("GET", "/alerts").json["items"]) == 1
