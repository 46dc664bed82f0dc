"""A workspace with one of everything, and what the database holds, as one number."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import identity
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store import tables

NOT_COUNTED = frozenset({"audit", "idempotency", "login_failure", "session", "token", "refusal"})
"""What a refused call may leave behind: that it was refused, and its key."""


@pytest.fixture
def app(site: Site) -> Flask:
    return create_app(site)


@pytest.fixture
def token(site: Site, workspace: Any) -> str:
    login = wire.Login(login=workspace.login, key=workspace.key)
    return identity.login(site, login, address="127.0.0.1").token


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def filled(client: FlaskClient, token: str, an_automation: Callable[..., wire.Automation]) -> int:
    """One of everything; the id of the task."""
    an_automation()
    head = {"Authorization": f"Bearer {token}"}

    def post(path: str, body: Any) -> Any:
        answer = client.post(f"/rest/v1/{path}", json=body, headers=head)
        assert answer.status_code in {200, 201}, answer.get_data(as_text=True)
        return answer.json

    task: int = post("tasks", {"automation": "daily"})["id"]
    post("schedules", {"automation": "daily", "label": "nightly", "expression": "0 0 2 * * ?"})
    post("logs", {"label": "daily", "columns": [{"label": "city"}]})
    post("logs/daily/entries", {"values": {"city": "Recife"}})
    post("credentials", {"label": "daily", "secrets": [{"key": "user", "value": "ana"}]})
    post("pools", {"label": "daily", "schema": [{"label": "cpf", "unique": True}]})
    post("pools/daily/entries", {"values": {"cpf": "1"}})
    post("alerts", {"task_id": task, "title": "t", "message": "m"})
    post("errors", {"task_id": task, "type": "ValueError"})
    post("artifacts", {"task_id": task, "name": "a.csv"})
    post("messages", {"emails": ["ana@acme.example"], "subject": "s", "body": "b"})
    return task


@pytest.fixture
def everything(site: Site) -> Callable[[], dict[str, str]]:
    """``everything()``: a checksum of each table; a call that is refused leaves all of them as they were."""

    def look() -> dict[str, str]:
        def work(tx: sa.Connection) -> dict[str, str]:
            found = {}
            for table in tables.metadata.sorted_tables:
                if table.name not in NOT_COUNTED:
                    rows = sorted(map(str, tx.execute(sa.select(table))))
                    found[table.name] = hashlib.sha256("\n".join(rows).encode("utf-8", "replace")).hexdigest()
            return found

        return site.store.read(work)

    return look
