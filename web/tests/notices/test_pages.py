"""Pages of alerts and messages: what was raised and sent is there, found by its words, and never run by a browser."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import alerts, automations, identity, messages, tasks
from bottool_web.app import create_app


@pytest.fixture
def browser(site: Any, workspace: Any, account: int) -> FlaskClient:
    """Somebody who is signed in as an administrator."""
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "127.0.0.1")
    client = create_app(site).test_client()
    client.set_cookie("bottool_session", cookie)
    return client


def test_alerts_are_listed_and_found(site: Any, admin: Any, an_automation: Any, browser: FlaskClient) -> None:
    an_automation()
    task = tasks.create(site, admin, wire.NewTask(automation="daily"))
    for title, kind in (("the disk is <b>full</b>", "error"), ("all is well", "info")):
        alerts.create_alert(site, admin, wire.NewAlert(task_id=task.id, title=title, message="m", type=kind))

    everything, errors = browser.get("/alerts").text, browser.get("/alerts?type=error&search=disk").text

    assert "all is well" in everything
    assert "&lt;b&gt;full" in errors
    assert "<b>full" not in errors
    assert "all is well" not in errors
    assert "No alert fits" in browser.get("/alerts?search=nothing+like+it").text


def test_a_message_shows_what_became_of_it(site: Any, admin: Any, browser: FlaskClient) -> None:
    new = wire.NewMessage(emails=["ana@acme.example"], logins=["nobody@acme.example"], subject="<i>Done</i>", body="b")
    made = messages.send(site, admin, new)

    listed, shown = browser.get("/messages?state=waiting").text, browser.get(f"/messages/{made.id}").text

    assert "&lt;i&gt;Done" in listed
    assert "no user of this workspace" in shown
    assert "No mail server is set" in listed
    assert browser.get(f"/messages/{made.id + 1}").status_code == 404


def test_the_settings_of_an_automation_keep_whom_it_tells(
    site: Any, admin: Any, an_automation: Any, add_user: Any, browser: FlaskClient
) -> None:
    add_user("ana@acme.example")
    an_automation(notify_users=["ana@acme.example"], notify_types=["error"])

    form = browser.get("/automations/daily/change").text

    assert 'value="ana@acme.example" checked' in form
    assert 'value="error" checked' in form
    assert automations.get_automation(site, admin, "daily").notify_types == ["error"]
    shown = browser.get("/automations/daily").text
    assert "ana@acme.example" in shown
    assert "alerts: ERROR" in shown


def test_the_form_of_an_automation_says_how_long_a_task_may_wait(
    site: Any, admin: Any, an_automation: Any, browser: FlaskClient
) -> None:
    an_automation(waiting_minutes=10)
    form = browser.get("/automations/daily/change").text
    token = form.partition('name="csrf_token" value="')[2].partition('"')[0]
    said = {"csrf_token": token, "name": "daily", "notify_types": "waiting", "waiting_minutes": "45"}

    saved = browser.post("/automations/daily/change", data=said)
    refused = browser.post("/automations/daily/change", data=said | {"waiting_minutes": "0"})

    assert 'name="waiting_minutes" type="number" min="1" max="43200" value="10"' in form
    assert (saved.status_code, refused.status_code) == (302, 422)
    found = automations.get_automation(site, admin, "daily")
    assert (found.notify_types, found.waiting_minutes) == (["waiting"], 45)


def test_a_channel_is_set_up_tried_and_deleted_and_its_address_never_shown(
    site: Any, admin: Any, an_automation: Any, browser: FlaskClient
) -> None:
    def post(path: str, **fields: str) -> None:
        token = browser.get("/messages").text.partition('name="csrf_token" value="')[2].partition('"')[0]
        assert browser.post(path, data={"csrf_token": token, **fields}).status_code == 302

    form = {"label": "ops", "address": "json://127.0.0.1:9/a-secret-token"}

    post("/messages/channels", **form)
    post("/messages/channels/ops/test")
    an_automation(notify_channels=["ops"])
    listed, settings = browser.get("/messages").text, browser.get("/automations/daily/change").text

    assert "ops" in listed
    assert "Test of &#39;ops&#39;" in listed
    assert 'value="ops" checked' in settings
    assert "a-secret-token" not in listed + settings
    post("/messages/channels/ops/delete")
    assert 'value="ops"' not in browser.get("/automations/daily/change").text
