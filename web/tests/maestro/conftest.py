"""Golden rows: a request as one of Maestro's clients sends it, and the reply that this client can read.

A row is written by hand from what clients send and parse, never recorded from this server::

    def test_a_task_is_created_as_the_python_sdk_does(golden):
        golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>", "state": "START"})
        golden("GET", "/task/{task}", reply={"id": "{task}", "finishStatus": None})

``reply`` names what must be there; a client ignores what it does not know, so more may come. A list must have exactly
the items that are named. Instead of a value may stand ``<int>`` ``<number>`` ``<bool>`` ``<text>`` ``<words>`` (a text
that is not empty) ``<date>`` (ISO 8601 with an offset) ``<object>`` ``<list>`` ``<any>``; with ``?`` before the ``>``
null is right too, and ``<int as NAME>`` keeps what came: ``{NAME}`` means it in later rows, in paths and values.
"""

import io
import json as jsons
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.actions import attempts
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal

WANTED = re.compile(r"<(int|number|bool|text|words|date|object|list|any)(?: as (\w+))?(\?)?>")
KEPT = re.compile(r"\{(\w+)\}")
MULTIPART = "multipart/form-data; boundary=golden"


def is_date(value: Any) -> bool:
    """As pandas, Gson and ``datetime.fromisoformat`` of old Pythons all read it."""
    text = isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?[+-]\d\d:\d\d", value)
    return bool(text) and datetime.fromisoformat(value).tzinfo is not None


KINDS: dict[str, Callable[[Any], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "text": lambda value: isinstance(value, str),
    "words": lambda value: isinstance(value, str) and bool(value.strip()),
    "date": is_date,
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "any": lambda value: value is not None,
}

# How each client sends the token, and what else it always sends.
DIALECTS: dict[str, Callable[[str], dict[str, str]]] = {
    "python": lambda token: {"token": token, "organization": "acme", "Content-Type": "application/json"},
    "javascript": lambda token: {
        "token": token,
        "organization": "acme",
        "Accept": "application/json, text/plain, */*",
        "User-Agent": "axios/1.7",
    },
    "csharp": lambda token: {"Authorization": f"Bearer {token}", "organization": "acme"},
    "shell": lambda token: {"Authorization": f"Bearer {token}"},
    "java": lambda token: {},
}


class Golden:
    """Plays rows against the whole application, as ``client`` unless a row says another."""

    def __init__(self, app: Flask, token: str) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = token
        self.kept: dict[str, Any] = {}

    def __call__(
        self,
        method: str,
        path: str,
        *,
        status: int | None = 200,
        reply: Any = "<any?>",
        client: str = "python",
        token: str | None = None,
        json: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Send one row and check its reply; ``path`` is below ``/api/v2`` unless it begins with ``/app`` or ``//``.
        A ``status`` of ``None`` takes any.

        ``json`` is sent as it is, ``data`` as a form. ``reply`` of bytes means exactly these bytes.
        """
        path = self.filled(path)
        where = path if path.startswith(("/app/", "//", "/api/")) else f"/api/v2{path}"
        sent = {**DIALECTS[client](self.token if token is None else token), **(headers or {})}
        body: dict[str, Any] = {"query_string": query} if query is not None else {}
        if json is not None:
            sent.setdefault("Content-Type", "application/json")
            body["data"] = jsons.dumps(self.meant(json))
        elif data is not None:
            sent.pop("Content-Type", None) if isinstance(data, dict) else None
            body["data"] = data
        answer = self.client.open(_base(where), method=method, headers=sent, buffered=True, **body)
        row = f"{method} {where}"
        right = status is None or answer.status_code == status
        assert right, f"{row}: {answer.status_code} {answer.get_data(as_text=True)[:500]}"
        self.check(row, answer, reply)
        return answer

    def error(self, method: str, path: str, status: int, **more: Any) -> str:
        """A row that must be refused: its reply is an object with a ``message``, which is returned."""
        answer = self(method, path, status=status, reply={"message": "<words>"}, **more)
        assert answer.mimetype == "application/json"
        return str(answer.json["message"])

    def upload(self, path: str, content: bytes, *, name: str = "file.bin", part: str = "name=file", **more: Any) -> Any:
        """A multipart row as C# and others spell it: without quotes around the part's name."""
        body = (
            f"--golden\r\nContent-Disposition: form-data; {part}; filename={name}\r\n"
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode() + content
        headers = {"Content-Type": MULTIPART, **more.pop("headers", {})}
        return self("POST", path, data=io.BytesIO(body + b"\r\n--golden--\r\n"), headers=headers, **more)

    def check(self, row: str, answer: TestResponse, reply: Any) -> None:
        if isinstance(reply, bytes):
            assert answer.data == reply, row
        elif reply != "<any?>":
            assert answer.mimetype == "application/json", f"{row}: {answer.mimetype}"
            self.compare(row, answer.json, reply)

    def compare(self, where: str, found: Any, wanted: Any) -> None:
        if isinstance(wanted, dict):
            assert isinstance(found, dict), f"{where}: {found!r} is no object"
            for name, value in wanted.items():
                assert name in found, f"{where}: there is no '{name}' in {found}"
                self.compare(f"{where}.{name}", found[name], value)
        elif isinstance(wanted, list):
            assert isinstance(found, list), f"{where}: {found!r} is no list"
            assert len(found) == len(wanted), f"{where}: {found} has {len(found)} items, not {len(wanted)}"
            for number, value in enumerate(wanted):
                self.compare(f"{where}[{number}]", found[number], value)
        elif isinstance(wanted, str) and (kind := WANTED.fullmatch(wanted)):
            assert (kind[3] and found is None) or KINDS[kind[1]](found), f"{where}: {found!r} is no {wanted}"
            if kind[2]:
                self.kept[kind[2]] = found
        else:
            wanted = self.meant(wanted)
            assert found == wanted, f"{where}: {found!r}, wanted {wanted!r}"
            assert type(found) is type(wanted), f"{where}: {found!r} is no {type(wanted).__name__}"

    def filled(self, path: str) -> str:
        return KEPT.sub(lambda name: str(self.kept[name[1]]), path)

    def meant(self, value: Any) -> Any:
        """``value`` with what was kept in place of ``{NAME}``."""
        if isinstance(value, dict):
            return {name: self.meant(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.meant(item) for item in value]
        if isinstance(value, str) and (name := KEPT.fullmatch(value)) and name[1] in self.kept:
            return self.kept[name[1]]
        return value


def _base(where: str) -> str:
    # The test client would take what follows two slashes for a host.
    return f"http://localhost{where}" if where.startswith("//") else where


@pytest.fixture
def app(site: Site) -> Flask:
    """Patient with uploads, so that a busy machine does not answer "checking"."""
    return create_app(replace(site, settings=replace(site.settings, inspection_seconds=60.0)))


@pytest.fixture
def golden(app: Flask, workspace: Any) -> Golden:
    """Plays rows with the token that the workspace's login and key give."""
    answer = app.test_client().post(
        "/api/v2/workspace/login", json={"login": workspace.login, "key": workspace.key}, base_url="http://localhost"
    )
    assert answer.status_code == 200, answer.data
    return Golden(app, answer.json["accessToken"])


@pytest.fixture
def daily(an_automation: Callable[..., wire.Automation]) -> wire.Automation:
    """The automation ``daily`` of the released bot ``my-bot``, which the runner ``box-1`` may run."""
    return an_automation(
        parameters=[wire.Parameter(label="month", type="integer", required=True), wire.Parameter(label="who")]
    )


@pytest.fixture
def running(site: Site, daily: wire.Automation, a_runner: Callable[..., Principal]) -> Callable[[int], str]:
    """``running(task_id)``: let the runner ``box-1`` start the task that waits; the token that its bot gets."""
    box = a_runner()

    def start(task_id: int) -> str:
        said = wire.Sync(
            session_id="s1",
            installation_id="of-box-1",
            claim_key=f"key-{task_id}",
            free_slots=1,
            capabilities=wire.Capabilities(languages=["python"]),
        )
        work = attempts.sync(site, box, said).work[0]
        assert work.task_id == task_id
        permit = attempts.permit(site, box, work.task_id, work.attempt)
        attempts.started(site, box, work.task_id, work.attempt, wire.Started(pid=7, boot_id="b"))
        return permit.token

    return start
