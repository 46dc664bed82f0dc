"""Schedules over /rest/v1: what comes in and goes out, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bottool import wire
from bottool_web.actions import identity
from bottool_web.actions.site import Site
from bottool_web.app import create_app

Call = Callable[..., TestResponse]
SAID = {"automation": "daily", "label": "tens", "expression": "0 0/10 * * * ?"}


@pytest.fixture
def call(site: Site, workspace: Any, daily: wire.Automation) -> Call:
    """``call("POST", "/schedules", json={…})`` with the token of the workspace's login."""
    login = wire.Login(login=workspace.login, key=workspace.key)
    token = identity.login(site, login, address="127.0.0.1").token
    client: FlaskClient = create_app(site).test_client()

    def send(method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        return client.open(f"/rest/v1{path}", method=method, headers=headers, **more)

    return send


def test_a_repeated_request_makes_one_schedule(call: Call) -> None:
    key = {wire.IDEMPOTENCY_HEADER: "one"}

    first = call("POST", "/schedules", json=SAID, headers=key)
    again = call("POST", "/schedules", json=SAID, headers=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json["id"] == again.json["id"]
    assert first.json["words"] == again.json["words"] == "every 10 minutes"
    assert len(call("GET", "/schedules").json["items"]) == 1
    assert call("POST", "/schedules", json=SAID).status_code == 409


def test_parameters_that_an_automation_does_not_declare_are_taken_only_when_that_is_said(call: Call) -> None:
    said = {**SAID, "parameters": {"moth": 1}}

    refused = call("POST", "/schedules", json=said)
    taken = call("POST", "/schedules", json={**said, "undeclared_parameters": True})

    assert refused.status_code == 422
    assert "no parameter 'moth'" in refused.json["message"]
    assert (taken.status_code, taken.json["parameters"]) == (201, {"moth": 1})


def test_lists_are_filtered_and_go_on_by_a_cursor(call: Call) -> None:
    for number in range(5):
        call("POST", "/schedules", json={**SAID, "label": f"s{number}"})
    call("POST", "/schedules/s1/pause")

    first = call("GET", "/schedules?limit=3").json
    rest = call("GET", f"/schedules?limit=3&before={first['next']}").json
    paused = call("GET", "/schedules?state=paused").json

    assert [item["label"] for item in first["items"] + rest["items"]] == ["s4", "s3", "s2", "s1", "s0"]
    assert rest["next"] == ""
    assert [item["label"] for item in paused["items"]] == ["s1"]
    assert call("GET", "/schedules?state=nonsense").status_code == 422


def test_runs_go_on_by_a_cursor_too(call: Call) -> None:
    call("POST", "/schedules", json=SAID)
    made = [call("POST", "/schedules/tens/run").json["id"] for _ in range(5)]

    first = call("GET", "/schedules/tens/runs?limit=3").json
    rest = call("GET", f"/schedules/tens/runs?limit=3&before={first['next']}").json

    assert [item["task_id"] for item in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] == ""
    assert all(item["task_state"] == "queued" for item in first["items"])


def test_the_number_names_it_as_well_as_the_label(call: Call) -> None:
    made = call("POST", "/schedules", json=SAID).json

    for key in ("tens", made["id"]):
        assert call("GET", f"/schedules/{key}").json["label"] == "tens"
    for key in ("0", "99999", "9" * 30, "tons", "a%20b", "x" * 250):
        answer = call("GET", f"/schedules/{key}")
        assert (answer.status_code, answer.json["code"]) == (404, "not_found"), key


def test_a_preview_tells_words_moments_and_changes_of_clocks(call: Call) -> None:
    said = {
        "expression": "0 30 2 ? * SUN",
        "zone": "America/New_York",
        "count": 3,
        "after": "2026-03-01T12:00:00Z",
    }

    found = call("POST", "/schedule-preview", json=said).json

    assert found["words"] == "every Sunday at 02:30"
    assert found["fires"] == ["2026-03-08T07:00:00Z", "2026-03-15T06:30:00Z", "2026-03-22T06:30:00Z"]
    assert found["local"][0] == "2026-03-08 03:00:00-04:00"
    assert found["notes"] == ["clocks in America/New_York go forward on 2026-03-08, to 03:00"]
    wrong = call("POST", "/schedule-preview", json={"expression": "0 30 25 ? * SUN"})
    assert (wrong.status_code, wrong.json["details"]["position"]) == (422, 6)


WRONG: list[dict[str, Any]] = [
    {"automation": 7},
    {"automation": ""},
    {"automation": "x" * 10_000_00},
    {"label": "a b"},
    {"label": "a\0"},
    {"expression": None},
    {"expression": ["0"]},
    {"expression": "* " * 500_000},
    {"expression": "0 0 8 ? * \u202e"},
    {"expression": ""},
    {"dialect": "cron"},
    {"zone": ""},
    {"zone": "/etc/passwd"},
    {"zone": "UTC\0"},
    {"zone": "z" * 100_000},
    {"parameters": []},
    {"parameters": {"month": 1.5}},
    {"parameters": {"a\0": 1}},
    {"priority": 10**30},
    {"priority": -1},
    {"missed": "never"},
    {"missed_most": 101},
    {"overlap": "no"},
    {"ends_at": "2031-01-01T00:00:00"},
    {"ends_at": "0001-01-01T00:00:00+14:00"},
    {"ends_at": "soon"},
    {"calendar": {"repeat": "daily"}},
    {"calendar": {"repeat": "daily", "time": "8", "every": 2}},
    {"expression": "", "calendar": {"repeat": "monthly", "time": "08:00", "on": ["0"]}},
    {"expression": "", "calendar": {"repeat": "monthly", "time": "08:00", "on": ["9" * 5000]}},
    {"expression": "", "calendar": {"repeat": "once", "time": "08:00", "date": "2030-02-30"}},
    {"dialect": "once", "expression": "2030-06-01T08:00+02:00"},
    {"dialect": "once", "expression": "9999-99-99"},
    {"unknown": 1},
]


def test_what_makes_no_sense_is_refused_and_nothing_is_made(call: Call) -> None:
    call("POST", "/schedules", json={**SAID, "label": "there"})
    taken = []

    for wrong in WRONG:
        for method, path, body in (
            ("POST", "/schedules", {**SAID, **wrong}),
            ("PATCH", "/schedules/there", wrong),
        ):
            answer = call(method, path, json=body)
            if not 400 <= answer.status_code < 500 or not answer.json["message"] or len(answer.data) > 3000:
                taken.append((method, str(wrong)[:80], answer.status_code))

    assert taken == []
    (there,) = call("GET", "/schedules").json["items"]
    assert there["expression"] == SAID["expression"]


def test_far_ends_of_the_calendar_do_no_harm(call: Call) -> None:
    for expression, status in (("9999-12-31T23:59", 201), ("0001-01-01T00:00", 422)):
        for zone in ("America/Los_Angeles", "Pacific/Kiritimati", "UTC"):
            said = {**SAID, "label": "", "dialect": "once", "expression": expression, "zone": zone}
            answer = call("POST", "/schedules", json=said)
            assert answer.status_code in {status, 422}, answer.json
    ahead = {"expression": "0 0 0 1 1 ?", "after": "9999-12-30T00:00:00Z"}
    assert call("POST", "/schedule-preview", json=ahead).json["fires"] == []


def test_one_that_cannot_be_read_is_refused_also_when_it_comes_paused(call: Call) -> None:
    answer = call("POST", "/schedules", json={**SAID, "expression": "never", "enabled": False})

    assert (answer.status_code, answer.json["code"]) == (422, "bad_field")
    assert call("POST", "/schedules", json={**SAID, "enabled": False}).json["next_at"] is None
