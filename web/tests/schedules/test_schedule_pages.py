"""The pages of schedules, as a browser without scripts uses them."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import automations, identity, schedules, tasks
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal

Schedule = Callable[..., wire.Schedule]


class Browser:
    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def see(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def send(self, path: str, *, of: str = "", status: int = 302, **form: Any) -> str:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.see(of or path))
        assert token is not None
        answer = self.client.post(path, data={"csrf_token": token[1], **form})
        assert answer.status_code == status, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)


@pytest.fixture
def browser(site: Site, workspace: Any, account: int) -> Browser:
    """Ada is signed in."""
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    client = create_app(site).test_client()
    client.set_cookie("bottool_session", cookie)
    return Browser(client)


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


FORM = {
    "automation": "daily",
    "label": "mornings",
    "kind": "weekly",
    "time": "08:30",
    "weekday": ["MON", "TUE", "WED", "THU", "FRI"],
    "zone": "America/Sao_Paulo",
    "missed": "all",
    "missed_most": "3",
    "priority": "",
    "p.month": "7",
}


def test_a_schedule_is_made_seen_changed_and_deleted(
    browser: Browser, site: Site, admin: Principal, daily: Any
) -> None:
    assert "Which automation" in browser.see("/schedules/new")
    new = "/schedules/new?automation=daily"

    browser.send("/schedules/new", of=new, **FORM, key="k")
    browser.send("/schedules/new", of=new, **FORM, key="k")

    (made,) = schedules.list_schedules(site, admin)
    assert (made.label, made.expression, made.missed_most) == ("mornings", "0 30 8 ? * MON,TUE,WED,THU,FRI", 3)
    assert (made.parameters, made.overlap, made.priority) == ({"month": 7}, False, None)
    listed = text(browser.see("/schedules"))
    assert "mornings" in listed
    assert "every weekday at 08:30" in listed
    assert "Wed 2030-01-16 08:30:00 -0300" in listed
    shown = text(browser.see("/schedules/mornings"))
    assert shown.count("08:30:00 -0300") == 5
    assert "make up for the newest 3" in shown

    settings = browser.see("/schedules/mornings/change")
    assert 'value="MON" checked' in settings
    assert 'value="SUN" checked' not in settings
    changed = {**FORM, "kind": "quartz", "expression": "0 0 9 L * ?", "ends_at": "2030-06-01T12:00", "overlap": "on"}
    browser.send("/schedules/mornings/change", **changed)
    now = schedules.get_schedule(site, admin, "mornings")
    assert (now.words, now.overlap) == ("on the last day of the month at 09:00", True)
    assert now.ends_at is not None
    assert now.ends_at.isoformat() == "2030-06-01T15:00:00+00:00"
    assert 'value="2030-06-01T12:00"' in browser.see("/schedules/mornings/change")
    browser.send("/schedules/mornings/delete", of="/schedules/mornings")
    browser.see("/schedules/mornings", 404)


def test_a_form_without_scripts_shows_its_preview_and_saves_nothing(
    browser: Browser, site: Site, admin: Any, daily: Any
) -> None:
    new = "/schedules/new?automation=daily"

    page = text(browser.send("/schedules/new", of=new, status=200, **FORM, preview="1"))

    assert "every weekday at 08:30" in page
    assert "2030-01-16 08:30:00-03:00" in page
    assert schedules.list_schedules(site, admin) == []


def test_the_preview_alone_tells_what_is_wrong(browser: Browser, daily: Any) -> None:
    new = "/schedules/new?automation=daily"
    said = {**FORM, "kind": "quartz"}

    right = browser.send("/schedules/preview", of=new, status=200, **said, expression="0 30 2 ? * SUN")
    wrong = browser.send("/schedules/preview", of=new, status=200, **said, expression="0 30 25 ? * SUN")
    five = browser.send("/schedules/preview", of=new, status=200, **said, expression="30 8 * * <b>")

    assert "every Sunday at 02:30" in right
    assert "hours &#39;25&#39; at character 6" in wrong
    assert "Unix cron" in five
    assert "<b>" not in five


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "quartz", "expression": "0 0 0 31 2 ?"}, "never fires"),
    ({"time": "soon"}, "no time of day"),
    ({"zone": "Mars/Olympus"}, "no time zone"),
    ({"zone": "../x", "ends_at": "2030-06-01T12:00"}, "no time in"),
    ({"kind": "sometimes"}, "Invalid enum value"),
    ({"weekday": []}, "no weekday"),
    ({"priority": "high"}, "whole number"),
    ({"missed": "perhaps"}, "Invalid enum value"),
    ({"p.month": "x"}, "whole number"),
    ({"label": "a b"}, "label is"),
    ({"label": "new"}, "label is"),
]


def test_what_is_wrong_is_told_and_what_was_typed_stays(
    browser: Browser, site: Site, admin: Principal, daily: Any
) -> None:
    new = "/schedules/new?automation=daily"

    for wrong, words in WRONG:
        page = browser.send("/schedules/new", of=new, status=422, **{**FORM, "description": "kept", **wrong})

        assert words in text(page), wrong
        assert 'value="kept"' in page

    assert schedules.list_schedules(site, admin) == []


def test_it_is_paused_resumed_and_run(
    browser: Browser, site: Site, admin: Principal, schedule: Schedule, beat: Any
) -> None:
    schedule(label="tens")
    at = "/schedules/tens"

    browser.send(f"{at}/pause", of=at)
    assert schedules.get_schedule(site, admin, "tens").state == "paused"
    browser.send(f"{at}/resume", of=at)
    browser.send(f"{at}/run", of=at, key="one")
    browser.send(f"{at}/run", of=at, key="one")

    (task,) = tasks.list_tasks(site, admin)
    page = text(browser.see(at))
    assert f"#{task.id}" in page
    assert "asked for by" in page


def test_the_list_is_filtered_searched_and_paged(
    browser: Browser, site: Site, admin: Principal, schedule: Schedule
) -> None:
    for number in range(60):
        schedule(label=f"s{number:02}", description="<script>x</script> 100%" if number == 7 else "")
    schedules.pause(site, admin, "s03")

    assert re.findall(r"/schedules/(s\d\d)\"", browser.see("/schedules?state=paused")) == ["s03"]
    assert re.findall(r"/schedules/(s\d\d)\"", browser.see("/schedules?search=100%25")) == ["s07"]
    assert "<script>x" not in browser.see("/schedules?search=S07")
    assert re.findall(r"/schedules/(s\d\d)\"", browser.see("/schedules?automation=nobody")) == []
    first = browser.see("/schedules")
    assert len(re.findall(r"/schedules/(s\d\d)\"", first)) == 50
    older = re.search(r'href="(/schedules\?before=\d+)"', first)
    assert older is not None
    assert len(re.findall(r"/schedules/(s\d\d)\"", browser.see(older[1]))) == 10
    browser.see("/schedules?search=%00&before=x&state=nonsense")


def test_a_schedule_of_another_workspace_is_not_there(
    browser: Browser, other_workspace: Any, schedule: Schedule, site: Site, an_automation: Any
) -> None:
    stranger = other_workspace.principal("administrator")
    an_automation("theirs", who=stranger)
    made = schedules.create(
        site, stranger, wire.NewSchedule(automation="theirs", label="theirs", expression="0 0 8 * * ?")
    )

    for key in ("theirs", str(made.id)):
        browser.see(f"/schedules/{key}", 404)
        browser.see(f"/schedules/{key}/change", 404)
    assert "theirs" not in browser.see("/schedules")


def test_a_schedule_whose_automation_was_deleted_can_be_given_another(
    browser: Browser, site: Site, admin: Principal, schedule: Schedule, an_automation: Any
) -> None:
    schedule(label="tens")
    an_automation("weekly")
    automations.delete(site, admin, "daily")

    assert "Which automation" in browser.see("/schedules/tens/change")
    assert "weekly" in text(browser.see("/schedules/tens/change?automation=weekly"))
    browser.send(
        "/schedules/tens/change",
        of="/schedules/tens/change?automation=weekly",
        **{**FORM, "automation": "weekly"},
    )

    assert schedules.get_schedule(site, admin, "tens").automation == "weekly"


def test_parameters_that_the_automation_does_not_know_outlive_the_form(
    browser: Browser, site: Site, admin: Principal, daily: Any
) -> None:
    said = wire.NewSchedule(
        automation="daily", label="tens", expression="0 0 8 * * ?", parameters={"month": 1, "extra": [1, "<b>"]}
    )
    schedules.create(site, admin, said, loose=True)

    assert "extra" in text(browser.see("/schedules/tens/change"))
    browser.send("/schedules/tens/change", **FORM)

    assert schedules.get_schedule(site, admin, "tens").parameters == {"month": 7, "extra": [1, "<b>"]}
