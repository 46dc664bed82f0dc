"""Golden rows of schedulings: Quartz's cron in UTC, as dashboards read them."""

from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import schedules
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

SORT = {"sorted": "<bool>", "unsorted": "<bool>", "empty": "<bool>"}


@pytest.fixture
def nightly(site: Site, admin: Principal, daily: wire.Automation) -> wire.Schedule:
    new = wire.NewSchedule(
        automation="daily", label="nightly", expression="0 30 22 ? * MON-FRI", parameters={"month": 7, "who": "ação"}
    )
    return schedules.create(site, admin, new)


def test_a_dashboard_reads_the_page_of_schedulings(golden: Any, nightly: wire.Schedule) -> None:
    page = {
        "content": [
            {
                "id": nightly.id,
                "name": "<words>",
                "activityLabel": "daily",
                "activityName": "<words>",
                "cron": "0 30 22 ? * MON-FRI",
                "scheduleStrategy": "every weekday at 22:30",
                "parameters": {"month": 7, "who": "ação"},
                "priority": "<int>",
                "active": True,
                "organizationLabel": "acme",
                "repositoryLabel": "DEFAULT",
                "dateCreation": "<date>",
                "nextExecution": "<date>",
            }
        ],
        "pageable": {
            "sort": SORT,
            "pageNumber": 0,
            "pageSize": 50,
            "offset": 0,
            "paged": True,
            "unpaged": False,
        },
        "totalPages": 1,
        "totalElements": 1,
        "last": True,
        "first": True,
        "sort": SORT,
        "numberOfElements": 1,
        "size": 50,
        "number": 0,
        "empty": False,
    }

    golden("GET", "/scheduling?page=0&size=50&sort=", reply=page)
    golden("GET", "/scheduling?page=0&size=50", client="shell", reply=page)


def test_a_page_that_lies_behind_the_end_is_empty(golden: Any, nightly: wire.Schedule) -> None:
    reply = {"content": [], "totalElements": 1, "number": 3, "last": True, "empty": True, "numberOfElements": 0}

    golden("GET", "/scheduling?page=3&size=10", reply=reply)


def test_a_page_is_sorted_as_it_is_asked_for(golden: Any, site: Site, admin: Principal, nightly: wire.Schedule) -> None:
    for label, expression in (("b", "0 0 1 * * ?"), ("a", "0 0 3 * * ?")):
        new = wire.NewSchedule(automation="daily", label=label, expression=expression, parameters={"month": 1})
        schedules.create(site, admin, new)

    for sort, labels in (
        ("id,asc", ["nightly", "b", "a"]),
        ("id,desc", ["a", "b", "nightly"]),
        ("label,asc", ["a", "b", "nightly"]),
        ("nextExecution", ["nightly", "b", "a"]),
    ):
        golden("GET", f"/scheduling?sort={sort}", reply={"content": [{"label": label} for label in labels]})
    golden("GET", "/scheduling?sort=label,asc&page=1&size=2", reply={"content": [{"label": "nightly"}]})
    golden.error("GET", "/scheduling?sort=secret,asc", 422)


def test_the_cron_of_another_zone_or_dialect_is_told_in_utc(
    golden: Any, site: Site, admin: Principal, daily: wire.Automation
) -> None:
    said = [
        ("quartz", "0 30 22 ? * MON-FRI", "America/Sao_Paulo"),
        ("unix", "*/20 8-10 * * *", "UTC"),
        ("once", "2030-06-01T09:00", "Europe/Lisbon"),
    ]
    for dialect, expression, zone in said:
        schedules.create(
            site,
            admin,
            wire.NewSchedule(
                automation="daily",
                dialect=dialect,  # type: ignore[arg-type]
                expression=expression,
                zone=zone,
                parameters={"month": 1},
            ),
        )

    golden(
        "GET",
        "/scheduling?page=0&size=50&sort=",
        reply={
            "content": [
                {"cron": "0 0 8 1 6 ? 2030", "timeZone": "Europe/Lisbon"},
                {"cron": "0 0/20 8-10 * * ?"},
                {"cron": "0 30 1 ? * TUE,WED,THU,FRI,SAT"},
            ]
        },
    )


def test_a_scheduling_is_made_read_changed_and_deleted(golden: Any, daily: wire.Automation) -> None:
    made = {
        "id": "<int as it>",
        "name": "Fechamento do mês",
        "activityLabel": "daily",
        "cron": "0 0 8 L * ?",
        "parameters": {"month": 1, "anything": [1, "2"]},
        "priority": 4,
        "active": True,
    }
    sent = {
        **made,
        "id": 0,
        "organizationLabel": "acme",
        "scheduleStrategy": "x",
        "Maestro": {"Server": "x"},
    }

    golden("POST", "/scheduling", json=sent, reply=made)
    golden("GET", "/scheduling/{it}", client="javascript", reply={**made, "id": "{it}"})
    golden(
        "PUT",
        "/scheduling/{it}",
        json={"cron": "0 0 9 L * ?", "active": "false"},
        reply={**made, "id": "{it}", "cron": "0 0 9 L * ?", "active": False},
    )
    golden("PUT", "/scheduling/{it}", json={}, reply={"id": "{it}", "cron": "0 0 9 L * ?", "active": False})
    golden("DELETE", "/scheduling/{it}", reply={"message": "<words>"})
    golden.error("GET", "/scheduling/{it}", 404)
    golden.error("DELETE", "/scheduling/{it}", 404)


def test_sending_back_the_cron_that_was_told_keeps_the_zone(
    golden: Any, site: Site, admin: Principal, daily: wire.Automation
) -> None:
    new = wire.NewSchedule(
        automation="daily",
        label="late",
        expression="0 0 20 * * ?",
        zone="America/Sao_Paulo",
        parameters={"month": 1},
    )
    made = schedules.create(site, admin, new)

    golden("PUT", f"/scheduling/{made.id}", json={"cron": "0 0 23 * * ?", "priority": 2}, reply={"priority": 2})

    kept = schedules.get_schedule(site, admin, "late")
    assert (kept.expression, kept.zone) == ("0 0 20 * * ?", "America/Sao_Paulo")
    golden("PUT", f"/scheduling/{made.id}", json={"cron": "0 0 22 * * ?"}, reply={"cron": "0 0 22 * * ?"})
    assert schedules.get_schedule(site, admin, "late").zone == "UTC"


WRONG: list[tuple[dict[str, Any], int]] = [
    ({"cron": None}, 422),
    ({"cron": "30 8 * * 1"}, 422),
    ({"cron": "0 0 0 31 2 ?"}, 422),
    ({"cron": ["0"]}, 422),
    ({"cron": "0" * 100_000}, 422),
    ({"cron": "0 0 8 * * ?\0"}, 422),
    ({"cron": "0 0 8 * * \ud800"}, 400),
    ({"activityLabel": "nobody"}, 404),
    ({"activityLabel": None}, 404),
    ({"parameters": [1]}, 422),
    ({"parameters": {"a": "\0"}}, 422),
    ({"priority": 11}, 422),
    ({"priority": 10**40}, 422),
    ({"priority": "high"}, 422),
    ({"active": "perhaps"}, 422),
    ({"name": {"a": 1}}, 422),
    ({"name": "n" * 100_000}, 422),
]


def test_what_makes_no_sense_is_refused_and_nothing_is_made(golden: Any, daily: wire.Automation) -> None:
    said = {"activityLabel": "daily", "cron": "0 0 8 * * ?", "name": "x", "parameters": {}}

    for change, status in WRONG:
        golden.error("POST", "/scheduling", status, json={**said, **change})

    golden("GET", "/scheduling", reply={"content": [], "totalElements": 0})
