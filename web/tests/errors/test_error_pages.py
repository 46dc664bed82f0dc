"""Errors in /rest/v1 and as pages: groups that open again, files that a browser never runs, who may resolve."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import errors, identity, tasks
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
TRACE = 'Traceback (most recent call last):\n  File "/b/bot.py", line {n}, in main\nValueError: <b>{n}</b>'
Report = Callable[..., wire.ErrorReport]


@pytest.fixture
def report(site: Site, admin: Principal, an_automation: Callable[..., wire.Automation]) -> Report:
    """``report(3)``: an error from line 3 of ``main`` in the task's bot."""
    an_automation()
    task = tasks.create(site, admin, wire.NewTask(automation="daily"))

    def make(line: int = 1, type_: str = "ValueError") -> wire.ErrorReport:
        trace, message = TRACE.replace("{n}", str(line)), f"<script>alert({line})</script>"
        new = wire.NewErrorReport(task_id=task.id, type=type_, message=message, stack_trace=trace, tags={"os": "x"})
        return errors.create(site, admin, new)

    return make


@pytest.fixture
def browser(site: Site, workspace: Any, account: int) -> FlaskClient:
    client = create_app(site).test_client()
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    client.set_cookie("bottool_session", cookie)
    return client


def text_of(browser: FlaskClient, path: str, status: int = 200) -> str:
    answer = browser.get(path, buffered=True)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_alike_errors_are_one_group_that_opens_when_it_comes_again(
    site: Site, admin: Principal, report: Report
) -> None:
    first, other = report(1), report(1, "KeyError")
    assert report(99).group_id == first.group_id != other.group_id
    group = errors.get_group(site, admin, first.group_id)
    assert (group.count, group.status, group.automations) == (2, "open", ["daily"])
    assert group.place == "bot.py in main"

    errors.change_group(site, admin, group.id, wire.ErrorGroupChange(status="resolved"))
    errors.change_group(site, admin, other.group_id, wire.ErrorGroupChange(status="ignored"))
    assert not errors.list_groups(site, admin, status="open")
    newest = report(7), report(7, "KeyError")

    assert errors.get_group(site, admin, group.id).status == "open"
    assert errors.get_group(site, admin, other.group_id).status == "ignored"
    found = errors.list_groups(site, admin)
    assert [(each.type, each.newest_id) for each in found] == [("KeyError", newest[1].id), ("ValueError", newest[0].id)]
    assert errors.list_groups(site, admin, before=newest[1].id, search="bot.py", automation="daily") == [found[1]]
    assert not errors.list_groups(site, admin, automation="other")


def test_files_are_kept_once_and_a_screenshot_is_replaced(site: Site, admin: Principal, report: Report) -> None:
    made = report()
    for content in (b"first", PNG):
        errors.set_screenshot(site, admin, made.id, "C:\\x\\s.png", [content])
    for name in ("a.log", "a.log", "../b.log"):
        errors.attach(site, admin, made.id, name, [b"x"])

    files = errors.get_error(site, admin, made.id).files
    assert [(file.kind, file.name, file.media_type) for file in files] == [
        ("screenshot", "s.png", "image/png"),
        ("attachment", "a.log", "text/plain"),
        ("attachment", "b.log", "text/plain"),
    ]
    for number in range(errors.MOST_FILES - 3):
        errors.attach(site, admin, made.id, f"{number}", [b""])
    with pytest.raises(InvalidInput):
        errors.attach(site, admin, made.id, "one more", [b""])


def test_pages_show_texts_as_texts_and_pictures_as_pictures(
    browser: FlaskClient, site: Site, admin: Principal, report: Report
) -> None:
    assert "No error is open" in text_of(browser, "/errors")
    made = report(3)
    screen = errors.set_screenshot(site, admin, made.id, "s.svg", [PNG])
    html = errors.attach(site, admin, made.id, "a.html", [b"<html><script>alert(1)</script>"])
    own = f"/errors/{made.id}"
    for path in ("/errors", "/errors?status=all&search=value&automation=daily", f"/errors/groups/{made.group_id}", own):
        shown = text_of(browser, path)
        assert "bot.py in main" in shown
        assert "&lt;script&gt;alert(3)" in shown
        assert "<script>alert" not in shown
    assert "/b/bot.py" in text_of(browser, own)
    assert f"{own}/files/{screen.id}/image" in text_of(browser, own)
    assert f'id="error-{made.id}"' in text_of(browser, f"/tasks/{made.task_id}")
    assert "No error fits" in text_of(browser, "/errors?search=nothing")

    image = browser.get(f"{own}/files/{screen.id}/image", buffered=True)
    assert (image.mimetype, image.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert browser.get(f"{own}/files/{html.id}/image", buffered=True).status_code == 404
    sent = browser.get(f"{own}/files/{html.id}", buffered=True)
    assert sent.mimetype == "application/octet-stream"
    assert sent.headers["Content-Disposition"].startswith("attachment")
    assert browser.get(f"/errors/999/files/{html.id}").status_code == 404


def test_a_group_is_changed_by_form(browser: FlaskClient, site: Site, admin: Principal, report: Report) -> None:
    group = report().group_id
    assert browser.post(f"/errors/groups/{group}/resolve").status_code == 400, "a form carries its own token"
    token = text_of(browser, f"/errors/groups/{group}").partition('name="csrf_token" value="')[2].partition('"')[0]
    for word, status in (("resolve", "resolved"), ("reopen", "open"), ("ignore", "ignored")):
        answer = browser.post(f"/errors/groups/{group}/{word}", data={"csrf_token": token})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        assert errors.get_group(site, admin, group).status == status
    assert browser.post(f"/errors/groups/{group}/burn", data={"csrf_token": token}).status_code == 404
