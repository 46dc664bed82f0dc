"""Golden rows of alerts and messages."""

from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import automations

ALERT = {
    "id": "<words>",
    "organizationLabel": "acme",
    "taskId": "{task}",
    "activityName": "<words>",
    "activityLabel": "daily",
    "botId": "<text>",
    "title": "Late",
    "message": "the train is late",
    "type": "WARN",
    "date": "<date>",
    "repositoryLabel": "<words>",
}


@pytest.fixture(autouse=True)
def a_task(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": daily.label}, reply={"id": "<int as task>"})


@pytest.mark.parametrize(
    ("client", "task", "kind"),
    [("python", "{task}", "WARN"), ("javascript", "{task}", "WARN"), ("csharp", "{task}", 1)],
)
def test_an_alert_is_raised_and_found(golden: Any, client: str, task: str, kind: Any) -> None:
    sent = {"taskId": task, "title": "Late", "message": "the train is late", "type": kind, "object": {"a": 1}}

    golden("POST", "/alerts", client=client, json=sent, reply=ALERT)

    golden("GET", "/alerts?taskId={task}", client=client, reply={"content": [ALERT], "totalElements": 1, "last": True})


def test_an_alert_of_no_type_is_an_information(golden: Any) -> None:
    for more in ({}, {"type": None}):
        sent = {"taskId": "{task}", "title": None, "message": "m", **more}
        golden("POST", "/alerts", json=sent, reply={"type": "INFO", "title": ""})


def test_pages_of_alerts_follow_each_other(golden: Any) -> None:
    for number in range(5):
        golden("POST", "/alerts", json={"taskId": "{task}", "title": f"a{number}", "message": "m", "type": 0})

    golden(
        "GET",
        "/alerts?page=1&size=2&sort=date,desc",
        reply={"content": [{"title": "a2"}, {"title": "a1"}], "totalElements": 5, "totalPages": 3, "last": False},
    )
    golden("GET", "/alerts?page=9&size=2", reply={"content": [], "totalElements": 5, "empty": True})


def test_an_alert_says_what_is_wrong_with_it(golden: Any) -> None:
    sent = {"taskId": "{task}", "title": "Late", "message": "m", "type": "WARN"}

    golden.error("POST", "/alerts", json={**sent, "type": "LOUD"}, status=422)
    golden.error("POST", "/alerts", json={**sent, "type": 3}, status=422)
    golden.error("POST", "/alerts", json={**sent, "taskId": 2**31 - 1}, status=404)
    golden.error("POST", "/alerts", json={"title": "Late"}, status=422)


@pytest.mark.parametrize(
    ("client", "more"),
    [
        ("python", {"type": "TEXT", "group": ""}),
        ("csharp", {"type": 1, "groups": None}),
        ("javascript", {"type": "HTML"}),
    ],
)
def test_a_message_is_taken_as_each_sdk_sends_it(golden: Any, client: str, more: dict[str, Any]) -> None:
    sent = {"emails": ["ana@acme.example"], "logins": [], "subject": "Done", "body": "all of it", **more}

    golden("POST", "/message", client=client, json=sent, reply={"message": "<words>", "type": "success"})


def test_a_message_to_too_many_or_to_nobody_is_refused(golden: Any) -> None:
    sent = {"emails": [f"a{number}@acme.example" for number in range(51)], "subject": "s", "body": "b", "type": "TEXT"}

    golden.error("POST", "/message", json=sent, status=422)
    golden.error("POST", "/message", json={**sent, "emails": []}, status=422)
    golden.error("POST", "/message", json={**sent, "emails": ["no address"]}, status=422)


def test_an_activity_says_whom_it_tells(golden: Any, site: Any, admin: Any, daily: wire.Automation) -> None:
    golden("GET", "/activity/daily", reply={"user": [], "notification": [], "notificationType": []})

    automations.change(site, admin, "daily", wire.AutomationChange(notify_types=["error", "failed"]))

    golden("GET", "/activity/daily", reply={"notificationType": ["ERROR"]})
