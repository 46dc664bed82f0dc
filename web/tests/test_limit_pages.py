"""The limits of an automation in its form: read with their units, shown as they are, refused by their names."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import automations, identity
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal


@pytest.fixture
def browser(site: Site, workspace: Any, account: int) -> FlaskClient:
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    client = create_app(site).test_client()
    client.set_cookie("bottool_session", cookie)
    return client


def send(browser: FlaskClient, path: str, **form: str) -> tuple[int, str]:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).get_data(as_text=True))
    assert token is not None
    answer = browser.post(path, data={"csrf_token": token[1], **form})
    return answer.status_code, answer.get_data(as_text=True)


def test_limits_are_set_shown_and_taken_away(site: Site, admin: Principal, browser: FlaskClient) -> None:
    limits = {"timeout_seconds": "1.5 h", "silence_seconds": "10m", "memory_limit_bytes": "512 MiB"}
    status, _ = send(browser, "/automations/new", label="daily", **limits, process_limit="40", grace_seconds="0 s")
    assert status == 302

    made = automations.get_automation(site, admin, "daily")
    assert (made.timeout_seconds, made.silence_seconds, made.memory_limit_bytes) == (5400, 600, 512 * 2**20)
    assert (made.process_limit, made.disk_limit_bytes, made.interrupt_seconds, made.grace_seconds) == (40, None, 5, 0)
    shown = browser.get("/automations/daily").get_data(as_text=True)
    assert all(text in shown for text in ("90 min", "10 min", "512 MiB", "40"))
    form = browser.get("/automations/daily/change").get_data(as_text=True)
    fields = dict(re.findall(r'name="(\w+_(?:seconds|bytes|limit))" value="([^"]*)"', form))
    assert fields["memory_limit_bytes"] == "512 MiB"
    assert fields["disk_limit_bytes"] == ""

    status, _ = send(browser, "/automations/daily/change", **{**fields, "memory_limit_bytes": ""})

    assert status == 302
    after = automations.get_automation(site, admin, "daily")
    assert after.memory_limit_bytes is None
    assert (after.timeout_seconds, after.process_limit, after.grace_seconds) == (5400, 40, 0)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("memory_limit_bytes", "much", "Memory: &#39;much&#39; is no size"),
        ("silence_seconds", "10", "No output for: &#39;10&#39; has no unit"),
        ("process_limit", "few", "few"),
        ("disk_limit_bytes", "1 kB", "disk_limit_bytes is 1000"),
    ],
)
def test_what_makes_no_sense_is_refused_and_stays_in_the_form(
    site: Site, admin: Principal, browser: FlaskClient, field: str, value: str, said: str
) -> None:
    automations.create(site, admin, wire.NewAutomation(label="daily"))

    status, page = send(browser, "/automations/daily/change", **{field: value})

    assert status == 422
    assert said in page
    assert f'name="{field}" value="{value}"' in page
