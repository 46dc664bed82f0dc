"""Golden rows of tasks: what a partial update and the filters of the list do beyond what each SDK sends."""

from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import attempts
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

NONE = {"totalItems": None, "processedItems": None, "failedItems": None}


@pytest.fixture
def task(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})


def test_each_part_of_an_update_counts(golden: Any, task: None) -> None:
    counts = {"totalItems": 3, "processedItems": 2, "failedItems": 1}

    golden("POST", "/task/{task}", json={"interrupted": True, **counts}, reply={"interrupted": True, **counts})
    golden("POST", "/task/{task}", json={"killed": True, **NONE}, reply={"state": "CANCELED", **NONE})


def test_nothing_of_an_update_is_done_when_a_part_of_it_is_wrong(golden: Any, task: None) -> None:
    for wrong in ({"totalItems": -1}, {"processedItems": "x"}, {"killed": "perhaps"}):
        golden.error("POST", "/task/{task}", 422, json={"interrupted": True, "finishMessage": "m", **wrong})

    golden("GET", "/task/{task}", reply={"interrupted": False, "killed": False, **NONE})


def test_null_says_nothing_but_of_the_items(golden: Any, task: None) -> None:
    counts = {"totalItems": 3, "processedItems": 2, "failedItems": 1}
    golden("POST", "/task/{task}", json={**counts, "finishMessage": "so far"})
    names = ("state", "interrupted", "killed", "finishStatus", "finishMessage", "parameters", "priority", "test")

    said = {"state": "START", "finishMessage": "so far", "interrupted": False, "parameters": {}, "priority": 0}
    golden("POST", "/task/{task}", json=dict.fromkeys(names), reply={**said, **counts})
    golden("POST", "/task/{task}", json={"failedItems": None}, reply={**said, **counts, "failedItems": None})


def test_a_task_that_ran_out_of_time_is_over_and_can_still_be_finished(
    golden: Any, site: Site, task: None, running: Callable[[int], str], a_runner: Callable[..., Principal]
) -> None:
    running(golden.kept["task"])
    end = wire.Ended(report_key="r1", reason="timed_out", exit_code=-15)
    attempts.finish(site, a_runner(), golden.kept["task"], 1, end)
    golden("GET", "/task/{task}", reply={"state": "FINISHED", "finishStatus": "FAILED"})
    golden("GET", "/task?stateFilter=TIMEOUT", reply={"content": [{"id": "{task}"}]})
    golden("GET", "/task?stateFilter=FINISHED", reply={"content": [{"id": "{task}"}]})

    golden(
        "POST",
        "/task/{task}",
        json={"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "late"},
        reply={"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "late"},
    )


def test_the_list_keeps_what_ran_where_it_is_asked(
    golden: Any, task: None, running: Callable[[int], str], clock: Any, workspace: Any
) -> None:
    running(golden.kept["task"])
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as other>"})

    kept = {"content": [{"id": "{task}", "machineId": "box-1"}], "totalElements": 1}
    golden("GET", "/task?machineId=box-1", reply=kept)
    golden("GET", "/task?stateFilter=RUNNING&machineId=box-1&activityLabel=daily&days=7", reply=kept)
    # n8n and others put what they ask for into a body.
    golden("GET", "/task", json={"machineId": "box-1", "days": 7, "size": 1}, reply=kept)
    clock.advance(3 * 86400)
    login = {"login": workspace.login, "key": workspace.key}
    golden.token = golden("POST", "/workspace/login", json=login).json["accessToken"]
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as new>"})
    golden("GET", "/task?days=2", reply={"content": [{"id": "{new}"}]})
    golden("GET", "/task", json={"days": 2}, reply={"content": [{"id": "{new}"}]})
    golden("GET", "/task?days=4", reply={"totalElements": 3})


def test_pages_follow_each_other_and_say_where_they_are(golden: Any, daily: wire.Automation) -> None:
    for number in range(5):
        golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": f"<int as t{number}>"})

    for page, names in enumerate((("t4", "t3"), ("t2", "t1"), ("t0",), ())):
        reply = {
            "content": [{"id": f"{{{name}}}"} for name in names],
            "number": page,
            "numberOfElements": len(names),
            "totalPages": 3,
            "totalElements": 5,
            "first": page == 0,
            "last": page >= 2,
            "empty": not names,
            "pageable": {"pageNumber": page, "offset": page * 2},
            "sort": {"sorted": False, "unsorted": True, "empty": True},
        }
        golden("GET", f"/task?page={page}&size=2", reply=reply)
