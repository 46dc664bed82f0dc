"""The pages of credentials and of the audit trail: values only when asked for, and each time written down."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import audits, automations, credentials, identity
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal

SECRET = "<b>correct & horse</b>"


@pytest.fixture
def browser(site: Site, workspace: Any, account: int) -> FlaskClient:
    client = create_app(site).test_client()
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    client.set_cookie("bottool_session", cookie)
    return client


def get(browser: FlaskClient, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def post(browser: FlaskClient, path: str, form: str, **fields: Any) -> Any:
    """Send the fields with the token of the page ``form``."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', get(browser, form))
    assert found is not None
    return browser.post(path, data={"csrf_token": found[1], **fields}, follow_redirects=True)


def test_a_value_is_set_shown_once_and_removed(site: Site, admin: Principal, browser: FlaskClient) -> None:
    assert "Nothing is kept here yet" in get(browser, "/credentials")
    post(browser, "/credentials", "/credentials", label="bank")
    page = "/credentials/bank"
    said = post(browser, f"{page}/set", page, key="pass", value=SECRET).get_data(as_text=True)
    assert "correct" not in said
    assert "correct" not in get(browser, page) + get(browser, "/credentials")

    shown = post(browser, f"{page}/reveal", page, key="pass")

    assert "&lt;b&gt;correct &amp; horse&lt;/b&gt;" in shown.get_data(as_text=True)
    assert "no-store" in shown.headers["Cache-Control"]
    assert get(browser, f"{page}/reveal?key=pass", 405)
    trail = get(browser, "/audit?act=credential.use&subject=credential+bank")
    assert "pass" in trail
    assert "correct" not in trail + get(browser, "/audit")
    assert len(audits.list_audit(site, admin, act="credential.use")) == 1
    post(browser, f"{page}/remove", page, key="pass")
    assert credentials.get_credential(site, admin, "bank").keys == []
    post(browser, f"{page}/delete", page)
    assert credentials.list_credentials(site, admin) == []


@pytest.mark.parametrize(("key", "status"), [("none", 404), ("", 404), ("x" * 5000, 404)])
def test_what_cannot_be_shown_is_said(
    site: Site, admin: Principal, browser: FlaskClient, key: str, status: int
) -> None:
    credentials.create(site, admin, wire.NewCredential(label="bank"))

    answer = post(browser, "/credentials/bank/reveal", "/credentials/bank", key=key)

    assert answer.status_code == status
    assert "has no key" in answer.get_data(as_text=True)
    assert audits.list_audit(site, admin, act="credential.use") == []


def test_the_form_of_an_automation_lists_credentials(site: Site, admin: Principal, browser: FlaskClient) -> None:
    for label in ("bank", "mail"):
        credentials.create(site, admin, wire.NewCredential(label=label))
    form = "/automations/new"
    post(browser, form, form, label="daily", credentials_listed="on", credentials=["bank"])
    assert automations.get_automation(site, admin, "daily").credentials == ["bank"]
    change = "/automations/daily/change"
    assert re.search(r'name="credentials" value="bank" checked', get(browser, change))
    assert not re.search(r'name="credentials" value="mail" checked', get(browser, change))

    post(browser, change, change, credentials_listed="on")
    assert automations.get_automation(site, admin, "daily").credentials == []
    assert "none" in get(browser, "/automations/daily")
    post(browser, change, change, credentials=["bank"])
    assert automations.get_automation(site, admin, "daily").credentials is None


def test_the_audit_trail_is_filtered_by_what_begins_so(site: Site, admin: Principal, browser: FlaskClient) -> None:
    for label in ("bank", "Bank", "bank_2", "bank.3"):
        credentials.create(site, admin, wire.NewCredential(label=label))

    def subjects(text: str) -> list[str]:
        return [each.subject for each in audits.list_audit(site, admin, subject=text)]

    assert subjects("credential bank") == ["credential bank.3", "credential bank_2", "credential bank"]
    assert subjects("credential bank_") == ["credential bank_2"]
    assert subjects("credential Bank") == ["credential Bank"]
    assert subjects("credential %") == []
    assert "bank_2" in get(browser, "/audit?subject=credential+bank_")
