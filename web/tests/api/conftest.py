"""The whole application by Flask's test client, and somebody of every role to call it."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.actions import bots, identity, tasks
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store import tables, tokens, workspaces
from bottool_web.store.scope import Principal

PEOPLE = ("viewer", "operator", "developer", "manager", "administrator")
ROLES = (*PEOPLE, "workspace", "runner", "attempt")


@pytest.fixture
def app(site: Site) -> Flask:
    return create_app(site)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def token_of(site: Site, workspace: Any, a_task: Callable[..., wire.Task]) -> Callable[..., str]:
    """``token_of("viewer")``: a token of somebody with that role; for an attempt, of the bot of a running task."""

    def make(role: str, of: Any = workspace) -> str:
        scope = of.principal("administrator").scope
        task_id = a_task().id if role == "attempt" else 0

        def keep(tx: sa.Connection) -> str:
            secret = identity.new_secret("account" if role in PEOPLE else role)
            ids = _ids(tx, scope, role, task_id)
            kind = "account" if role in PEOPLE else role
            new = tokens.NewToken(kind=kind, token_hash=identity.hash_secret(secret), created_at=site.now(), **ids)
            tokens.add(tx, scope, new)
            return secret

        return site.store.write(keep)

    def _ids(tx: sa.Connection, scope: Any, role: str, task_id: int) -> dict[str, int]:
        if role in PEOPLE:
            email = f"{role}-{scope.workspace_id}@example.org"
            made = workspaces.add_account(tx, email=email, name=role, password_hash="", now=site.now())
            workspaces.add_membership(tx, scope, made, role)
            return {"account_id": made}
        if role == "runner":
            runner = tx.scalar(sa.select(tables.runner.c.id).where(tables.runner.c.workspace_id == scope.workspace_id))
            assert runner is not None
            return {"runner_id": runner}
        if role == "attempt":
            return {"attempt_id": an_attempt(tx, task_id)}
        return {}

    return make


def an_attempt(tx: sa.Connection, task_id: int, *, number: int = 1) -> int:
    """A running attempt, written as rows."""
    task = tx.execute(sa.select(tables.task).where(tables.task.c.id == task_id)).one()
    version = tx.execute(
        sa.select(tables.bot_version).where(
            tables.bot_version.c.workspace_id == task.workspace_id, tables.bot_version.c.revision_id.is_not(None)
        )
    ).first()
    assert version is not None
    runner_id = tx.scalar(sa.select(tables.runner.c.id).where(tables.runner.c.workspace_id == task.workspace_id))
    tx.execute(sa.update(tables.task).where(tables.task.c.id == task_id).values(attempt=number, state="running"))
    made: int = tx.execute(
        sa.insert(tables.attempt)
        .values(
            workspace_id=task.workspace_id,
            task_id=task_id,
            number=number,
            runner_id=runner_id,
            state="running",
            claim_key=f"key-{number}",
            revision_id=version.revision_id,
            bot_version_id=version.id,
            lease_until=task.created_at,
            leased_at=task.created_at,
            started_at=task.created_at,
            left_behind=[],
            usage={},
        )
        .returning(tables.attempt.c.id)
    ).scalar_one()
    return made


@pytest.fixture
def a_task(site: Site, admin: Principal, an_automation: Callable[..., wire.Automation]) -> Callable[..., wire.Task]:
    """``a_task()``: a queued task of the automation ``daily``."""

    def make(label: str = "daily", *, who: Principal = admin, **more: Any) -> wire.Task:
        if not bots.list_bots(site, who):
            an_automation(label, who=who)
        return tasks.create(site, who, wire.NewTask(automation=label, **more))

    return make


@pytest.fixture
def call(client: FlaskClient, token_of: Callable[..., str]) -> Callable[..., TestResponse]:
    """``call("POST", "/tasks", json={…}, role="operator")``: one request to /rest/v1 with a token of that role."""
    known: dict[str, str] = {}

    def send(method: str, path: str, *, role: str = "administrator", token: str = "", **more: Any) -> TestResponse:
        if not token and role not in known:
            known[role] = token_of(role)
        headers = {"Authorization": f"Bearer {token or known[role]}", **more.pop("headers", {})}
        return client.open(f"/rest/v1{path}", method=method, headers=headers, **more)

    return send
