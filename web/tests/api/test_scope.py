"""No statement of the store reaches into another workspace, and no function of the store forgets to ask for one."""

import inspect
import io
import re
import sys
import threading
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.actions import (
    alerts,
    artifacts,
    attempts,
    bots,
    errors,
    firing,
    identity,
    inspections,
    logs,
    masking,
    messages,
    pool_work,
    pools,
    rotation,
    runners,
    schedules,
    setup,
    waiting,
)
from bottool_web.actions.site import Site
from bottool_web.store import audit, idempotency, pool_entries, tables, tokens, workspaces
from bottool_web.store import pools as store_pools
from bottool_web.store.scope import Principal

Sent = tuple[list[str], bool, str]
MODULES = (
    "alerts",
    "artifacts",
    "audit",
    "automations",
    "bots",
    "error_counts",
    "error_groups",
    "errors",
    "idempotency",
    "inspections",
    "kept_bytes",
    "pool_entries",
    "pool_lists",
    "pools",
    "revisions",
    "runners",
    "schedule_runs",
    "schedules",
    "tokens",
    "waiting",
    "workspaces",
)
SCOPED = {table.name for table in tables.metadata.sorted_tables if "workspace_id" in table.c}
# Before anybody is known, and the clock's care for all workspaces at once.
UNSCOPED = {
    "tokens.by_hash",
    "tokens.session_by_hash",
    "tokens.touch_session",
    "tokens.end_session",
    "tokens.use_code",
    "tokens.purge",
    "idempotency.purge",
    "kept_bytes.needed",
    "workspaces.memberships_of",
}
_TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+\"?(\w+)\"?", re.IGNORECASE)


def _store_functions(frame: FrameType | None) -> tuple[list[str], bool]:
    """The functions of the store that send a statement, innermost first, and whether one was given a scope."""
    found, scoped = [], False
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("bottool_web.store.") and not module.endswith(".database"):
            found.append(f"{module.rpartition('.')[2]}.{frame.f_code.co_name}")
            scoped = scoped or "scope" in frame.f_locals
        frame = frame.f_back
    return found, scoped


@pytest.fixture
def watched(site: Site) -> Any:
    """Every statement that is sent from now on, with the function of the store that sent it."""
    statements: list[Sent] = []

    def see(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        functions, scoped = _store_functions(sys._getframe())
        if functions:
            statements.append((functions, scoped, statement))

    engines = {site.store._reading, site.store._writing}
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", see)
    yield statements
    for engine in engines:
        sa.event.remove(engine, "before_cursor_execute", see)


A_SYNC = wire.Sync(session_id="s", installation_id="one", claim_key="k", free_slots=1)


def exercise(site: Site, call: Callable[..., TestResponse], a_task: Callable[..., wire.Task], ada: Principal) -> None:
    """Every route once in a sensible order, and what has no route."""
    task = a_task()
    key = {wire.IDEMPOTENCY_HEADER: "one"}
    call("GET", "/bots"), call("GET", "/bots/my-bot"), call("GET", "/automations"), call("GET", "/runners")
    call("POST", "/bots/my-bot/versions", json={"version": "2", "technology": "PYTHON"})
    call("DELETE", "/bots/my-bot/versions/2")
    inspect_two(site, call, ada)
    call("POST", "/automations", json={"label": "weekly", "runners": ["box-2"]}, headers=key)
    call("POST", "/automations", json={"label": "weekly", "runners": ["box-2"]}, headers=key)
    call("PATCH", "/automations/weekly", json={"name": "w", "runners": ["box-1"]})
    call("DELETE", "/automations/weekly")
    call("POST", "/runners", json={"machine_id": "box-9"})
    code = runners.create_code(site, ada, wire.NewRunner(machine_id="box-8"))
    made = runners.register(site, wire.Register(installation_id="one", code=code.code), "")
    for _ in range(2):  # the second time it has nothing new to say
        attempts.sync(site, identity.principal_of_token(site, made.token), A_SYNC)
    attempts.may_have_work(site, identity.acting_site(ada.workspace_id))
    schedule_daily(site, call, ada)
    call("POST", "/alerts", json={"task_id": task.id, "title": "a", "message": "b"})
    alerts.page_of_alerts(site, ada, alerts.Filter(search="a"), first=0, limit=5)
    with_messages(call, task.id)
    with_logs(site, call, ada)
    with_credentials(site, call, ada)
    with_artifacts(call, task.id)
    with_errors(site, call, task.id, ada)
    with_pools(site, call, ada)
    errors.page_of_errors(site, ada, errors.Asked())
    artifacts.page_of_artifacts(site, ada, artifacts.Asked(sort="name", descending=False))
    for path in ("/tasks", "/task-counts", "/alerts", f"/tasks/{task.id}", f"/tasks/{task.id}/events"):
        call("GET", path)
    call("GET", f"/tasks/{task.id}/explain")
    with_waiting(site, call, ada)
    call("POST", f"/tasks/{task.id}/cancel")
    call("PATCH", "/workspace", json={"maestro": True})


def schedule_daily(site: Site, call: Callable[..., TestResponse], ada: Principal) -> None:
    """Every route of schedules, and one that fires twice, the second time while its task waits."""
    said = {"automation": "daily", "label": "nightly", "expression": "0 0/10 * * * ?", "overlap": False}
    assert call("POST", "/schedules", json=said).status_code == 201
    call("POST", "/schedules", json={**said, "label": ""})
    for minutes in (10, 20):
        later = replace(site, now=lambda ahead=minutes: site.now() + timedelta(minutes=ahead))
        firing.fire_due(later, identity.acting_site(ada.workspace_id))
    for path in ("/schedules?search=x&automation=daily&state=active", "/schedules/nightly", "/schedules/nightly/runs"):
        assert call("GET", path).status_code == 200
    call("PATCH", "/schedules/nightly", json={"parameters": {}, "expression": "0 0 1 * * ?"})
    for verb in ("pause", "resume", "run"):
        call("POST", f"/schedules/nightly/{verb}")
    schedules.count_schedules(site, ada, state="over")
    firing.purge(site, identity.acting_site(ada.workspace_id))
    call("DELETE", "/schedules/nightly"), call("GET", "/schedules/nightly")


def with_waiting(site: Site, call: Callable[..., TestResponse], ada: Principal) -> None:
    """A task that no runner takes, of an automation that tells its users."""
    users = messages.list_users(site, ada)[:1]
    said = {"label": "stuck", "notify_users": users, "notify_types": ["waiting"]}
    assert call("POST", "/automations", json=said).status_code == 201
    call("POST", "/tasks", json={"automation": "stuck"})
    later = replace(site, now=lambda: site.now() + timedelta(hours=1))
    assert waiting.tell_of_waiting(later, identity.acting_site(ada.workspace_id)) == 1


def with_credentials(site: Site, call: Callable[..., TestResponse], ada: Principal) -> None:
    said = {"label": "bank", "secrets": [{"key": "user", "value": "ana"}, {"key": "pass", "value": "x"}]}
    assert call("POST", "/credentials", json=said).status_code == 201
    assert call("PATCH", "/credentials/bank/secrets/pass", json={"value": "y"}).status_code == 200
    assert call("POST", "/credentials/bank/secrets/pass/reveal").json == {"value": "y"}
    call("GET", "/credentials"), call("GET", "/credentials/none"), call("GET", "/audit?act=cred&before=99999")
    bot = Principal(kind="attempt", id=1, name="bot", role="attempt", workspace_id=ada.workspace_id)
    masking.masked(site, bot, "text")
    rotation.rotate(site)
    assert call("DELETE", "/credentials/bank/secrets/user").status_code == 200
    assert call("DELETE", "/credentials/bank").status_code == 204


def with_logs(site: Site, call: Callable[..., TestResponse], ada: Principal) -> None:
    said = {"label": "trips", "columns": [{"label": "city"}]}
    for _ in range(2):
        assert call("POST", "/logs", json=said, headers={wire.IDEMPOTENCY_HEADER: "l"}).status_code == 201
    assert call("PATCH", "/logs/trips", json={"columns": [{"label": "city"}, {"label": "day"}]}).status_code == 200
    for _ in range(2):
        assert call("POST", "/logs/trips/entries", json={"values": {"city": "São Paulo"}}).status_code == 201
    for query in ("", "?search=paulo&days=2&limit=1", "?until=2100-01-01T00:00:00Z&before=9"):
        assert call("GET", f"/logs/trips/entries{query}").status_code == 200
    assert "São Paulo" in call("GET", "/logs/trips/export?separator=;", buffered=True).data.decode()
    logs.page_of_entries(site, ada, "trips", logs.Asked(days=1))
    call("GET", "/logs"), call("GET", "/logs/acme-trips")
    assert call("DELETE", "/logs/trips").status_code == 204
    assert logs.purge(site, identity.acting_site(ada.workspace_id)) == 2


def with_messages(call: Callable[..., TestResponse], task_id: int) -> None:
    said = {"emails": ["ana@acme.example"], "subject": "s", "body": "b", "task_id": task_id}
    made = call("POST", "/messages", json=said, headers={wire.IDEMPOTENCY_HEADER: "m"})
    assert made.status_code == 201
    for query in ("", f"?task_id={task_id}&state=waiting&search=s&days=2&kind=message"):
        assert call("GET", f"/messages{query}").status_code == 200
    assert call("GET", f"/messages/{made.json['id']}").json["deliveries"][0]["state"] == "waiting"


def with_errors(site: Site, call: Callable[..., TestResponse], task_id: int, ada: Principal) -> None:
    said = {"task_id": task_id, "type": "ValueError", "message": "no", "tags": {"os": "x"}}
    made = call("POST", "/errors", json=said, headers={wire.IDEMPOTENCY_HEADER: "e"}).json
    for content in (b"1", b"2"):
        assert call("PUT", f"/errors/{made['id']}/screenshot", data=content).status_code == 200
    file = call("PUT", f"/errors/{made['id']}/attachments", data=b"3").json["id"]
    query = f"?task_id={task_id}&group_id={made['group_id']}&automation=daily&bot=my-bot&search=no&days=2&before=99"
    groups = "?status=open&search=no&automation=daily&bot=my-bot&before=99"
    for path in (f"/errors{query}", "/errors", f"/errors/{made['id']}", f"/error-groups{groups}", "/error-groups"):
        assert call("GET", path).status_code == 200
    with call("GET", f"/errors/{made['id']}/files/{file}") as answer:
        assert answer.data == b"3"
    group = f"/error-groups/{made['group_id']}"
    assert call("PATCH", group, json={"status": "resolved"}).json["status"] == call("GET", group).json["status"]
    assert call("POST", "/errors", json=said).status_code == 201
    errors.purge(site, identity.acting_site(ada.workspace_id))


def with_artifacts(call: Callable[..., TestResponse], task_id: int) -> None:
    for _ in range(2):
        call("PUT", f"/artifacts?task_id={task_id}&name=one.csv", data=b"1,2", headers={wire.IDEMPOTENCY_HEADER: "a"})
    made = call("POST", "/artifacts", json={"task_id": task_id, "name": "two.csv"}).json["id"]
    for content in (b"3,4", b"5,6"):
        assert call("PUT", f"/artifacts/{made}/file", data=content).status_code == 200
    for query in ("", f"?task_id={task_id}&automation=daily&name=tw&days=3&before=9"):
        assert call("GET", f"/artifacts{query}").status_code == 200
    assert call("GET", f"/artifacts/{made}/file", buffered=True).data == b"5,6"
    assert call("DELETE", f"/artifacts/{made}").status_code == 204


def with_pools(site: Site, call: Callable[..., TestResponse], ada: Principal) -> None:
    said = {"label": "cases", "schema": [{"label": "cpf", "unique": True}], "automation": "daily", "limit_minutes": 1}
    limits = {"trigger": "no_task_active", "max_auto_retry": 1, "max_errors": 2}
    assert call("POST", "/pools", json={**said, **limits}).status_code == 201
    for number in range(6):
        pushed = {"values": {"cpf": f"{number}é"}, "priority": number}
        assert call("POST", "/pools/cases/entries", json=pushed).status_code == 201
    for change in ({"state": "done"}, {"state": "error"}, {"state": "error"}):
        taken = call("POST", "/pools/cases/pull").json["entry"]["id"]
        assert call("PATCH", f"/pools/cases/entries/{taken}", json=change).status_code == 200
    assert call("PATCH", "/pools/cases", json={"active": True}).status_code == 200
    late = call("POST", "/pools/cases/pull").json["entry"]["id"]
    later = replace(site, now=lambda: site.now() + timedelta(minutes=2))
    assert pool_work.call_overdue(later, identity.acting_site(ada.workspace_id)) == 1
    bulk = [{"act": "retry", "ids": [late]}, {"act": "priority", "state": "pending", "priority": 3}]
    for change in (*bulk, {"act": "cancel", "search": "0é"}, {"act": "delete", "state": "cancelled"}):
        assert call("POST", "/pools/cases/change", json=change).status_code == 200
    assert call("PUT", "/pools/cases/import", data="cpf\n7\n8\n").json == {"count": 2}
    entry = f"/pools/cases/entries/{late}"
    for path in (
        entry,
        f"{entry}/moves",
        "/pools/cases/entries?state=done&search=5%C3%A9&before=99",
        "/pools?search=c",
    ):
        assert call("GET", path).status_code == 200
    assert call("GET", "/pools/cases/export", buffered=True).status_code == 200
    pools.count_pools(site, ada), pool_work.page_of_entries(site, ada, "cases", pool_work.Asked())
    over = SimpleNamespace(task_id=1, leased_at=site.now())

    def after_a_task(tx: sa.Connection) -> None:
        pool_entries.held_by(tx, ada.scope, 1)
        for pool_id in store_pools.with_trigger(tx, ada.scope, 1) or [1]:
            pool_entries.has_work_after(tx, ada.scope, pool_id, over)
        store_pools.automation_lives(tx, ada.scope, 1)

    site.store.write(after_a_task)
    assert call("DELETE", "/pools/cases").status_code == 204
    assert pools.purge(site, identity.acting_site(ada.workspace_id)) > 0


def inspect_two(site: Site, call: Callable[..., TestResponse], ada: Principal) -> None:
    """The one that was there uninspected, and one whose upload could not wait, and which could never start."""
    impatient = replace(site, settings=replace(site.settings, inspection_seconds=0.0))
    bots.announce_version(site, ada, "my-bot", wire.NewVersion(version="3", technology="PYTHON"))
    bots.upload(impatient, ada, "my-bot", "3", "three.zip", [a_zip({"README": "", "requirements.txt": "x==1"})])
    who, ending = identity.acting_site(ada.workspace_id), threading.Event()
    while inspections.inspect_next(site, who, ending):
        pass
    for again in (False, True):
        bots.announce_version(site, ada, "my-bot", wire.NewVersion(version="4", technology="PYTHON"), again=again)
    bots.upload(site, ada, "my-bot", "4", "four.zip", [a_zip({"bot.py": "", "requirements.txt": "openpyxl==3.1.2"})])
    bots.upload(site, ada, "my-bot", "4", "five.zip", [a_zip({"bot.py": "5"})])
    assert call("POST", "/bots/my-bot/versions/4/restore", json={}).status_code == 200
    assert call("GET", "/bots/my-bot/versions/4/revisions").status_code == 200
    for path in ("/dependencies?name=openpyxl", "/bots/my-bot/versions/4/inspection", "/bots/my-bot/versions/4/sbom"):
        assert call("GET", path).status_code == 200
    bots.release(site, ada, "my-bot", "1.0.0")


def a_zip(files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return made.getvalue()


def test_every_statement_of_a_scope_names_the_workspace(
    site: Site,
    admin: Principal,
    watched: list[Sent],
    call: Callable[..., TestResponse],
    a_task: Callable[..., wire.Task],
    account: int,
    workspace: Any,
) -> None:
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    identity.principal_of_session(site, cookie)
    exercise(site, call, a_task, admin)

    open_ended = {
        (functions[-1], statement)
        for functions, scoped, statement in watched
        if SCOPED & set(_TABLE.findall(statement)) and "workspace_id" not in _conditions(statement)
        if scoped or functions[-1] not in UNSCOPED
    }

    assert len(watched) > 100
    assert open_ended == set()


def _conditions(statement: str) -> str:
    """What narrows a statement: for an INSERT its columns, for the others what follows the first WHERE or ON."""
    if statement.lstrip().upper().startswith("INSERT"):
        return statement
    return re.split(r"\b(?:WHERE|ON)\b", statement, maxsplit=1)[-1]


def test_every_function_runs_on_this_database(
    site: Site,
    admin: Principal,
    watched: list[Sent],
    call: Callable[..., TestResponse],
    a_task: Callable[..., wire.Task],
    account: int,
    workspace: Any,
) -> None:
    exercise(site, call, a_task, admin)
    call("POST", "/login", json={"login": workspace.login, "key": "wrong"})
    setup.create_workspace(site, "second", "second", "a key of theirs")
    setup.create_account(site, "second", "bob@example.org", "another long password", "viewer")
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    identity.principal_of_session(site, cookie)
    identity.end_session(site, cookie)
    now, hashed = site.now(), identity.hash_secret(cookie)
    site.store.write(lambda tx: tokens.touch_session(tx, hashed, now))
    site.store.write(lambda tx: tokens.purge(tx, now=now, idle_before=now, kept_since=now))
    site.store.write(lambda tx: idempotency.purge(tx, now))
    site.store.write(lambda tx: workspaces.change_password_hash(tx, account, "another"))
    site.store.read(lambda tx: (workspaces.exists(tx), audit.newest(tx, admin.scope)))

    ran = {function for functions, _, _ in watched for function in functions}
    wanted = {name for module in MODULES for name in public_functions(import_module(f"bottool_web.store.{module}"))}
    assert wanted - ran == set()


def public_functions(module: ModuleType) -> set[str]:
    return {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for name, value in inspect.getmembers(module, inspect.isfunction)
        if value.__module__ == module.__name__ and not name.startswith("_")
    }


def test_every_function_takes_a_scope_or_is_known_to_need_none() -> None:
    named = set()
    for name in MODULES:
        module = import_module(f"bottool_web.store.{name}")
        for function in public_functions(module):
            parameters = inspect.signature(getattr(module, function.partition(".")[2])).parameters
            if "scope" not in parameters:
                named.add(function)

    # Of tables that belong to no workspace, or to find one; each has its reason in its docstring.
    assert named - UNSCOPED == {
        "tokens.failures",
        "tokens.add_failure",
        "tokens.forget_failures",
        "workspaces.exists",
        "workspaces.add_workspace",
        "workspaces.by_login",
        "workspaces.by_label",
        "workspaces.add_account",
        "workspaces.account_by_email",
        "workspaces.change_password_hash",
        "workspaces.member",
    }
