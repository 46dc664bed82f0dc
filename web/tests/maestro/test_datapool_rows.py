"""Golden rows of data pools and their entries: as Python and C# write and read them, and n8n lists them."""

from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire

SCHEMA = [
    {"label": "cpf", "type": "TEXT", "uniqueId": True, "displayValue": False},
    {"label": "total", "type": "DOUBLE", "uniqueId": False, "displayValue": True},
]
MADE = {
    "label": "notas",
    "name": "Notas fiscais",
    "defaultAutomation": "daily",
    "consumptionPolicy": "LIFO",
    "schema": SCHEMA,
    "trigger": "NEVER",
    "autoRetry": True,
    "maxAutoRetry": 2,
    "abortOnError": True,
    "maxErrorsBeforeInactive": 5,
    "enableProcessingTime": True,
    "itemMaxProcessingTime": 30,
    "active": True,
    "repositoryLabel": "DEFAULT",
}
READ = {
    **{name: value for name, value in MADE.items() if name != "defaultAutomation"},
    "id": "<int as pool>",
    "defaultActivity": "daily",
}
ENTRY = {
    "id": "<int as entry>",
    "dataPoolLabel": "notas",
    "priority": 3,
    "values": {"cpf": "123", "total": 1.5, "more": "José"},
    "state": "PENDING",
    "uniqueKey": "123",
    "displayValue": "1.5",
    "message": "",
    "errorType": None,
    "retryIndex": 0,
    "runner": None,
    "taskId": None,
    "parent": None,
    "child": None,
    "dateRegister": "<date>",
    "dateProcessing": None,
    "dateFinished": None,
}
PUSHED = {"priority": 3, "values": {"cpf": "123", "total": 1.5, "more": "José"}}


@pytest.fixture
def pool(golden: Any, daily: wire.Automation) -> Callable[..., None]:
    """``pool(trigger="ALWAYS")``: the data pool ``notas``."""

    def make(**more: Any) -> None:
        golden("POST", "/datapool", json={**MADE, **more}, reply={"id": "<int as pool>"})

    return make


def test_a_pool_is_made_and_read(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/datapool", json=MADE, reply=READ)

    golden("GET", "/datapool/notas", reply=READ)
    golden("GET", "/datapool/notas", client="csharp", reply=READ)
    assert "notas" in golden.error("POST", "/datapool", 409, json=MADE)
    golden.error("GET", "/datapool/none", 404)


def test_csharp_makes_a_pool_with_numbers_for_words_and_without_a_schema(golden: Any, daily: wire.Automation) -> None:
    sent = {
        "label": "notas",
        "defaultAutomation": "daily",
        "consumptionPolicy": 1,
        "schema": None,
        "trigger": 2,
        "autoRetry": True,
        "maxAutoRetry": 0,
        "abortOnError": True,
        "maxErrorsBeforeInactive": 0,
        "itemMaxProcessingTime": 0,
        "active": True,
    }

    read = {"consumptionPolicy": "LIFO", "trigger": "NO_TASK_ACTIVE", "schema": [], "enableProcessingTime": "<bool>"}
    golden("POST", "/datapool", client="csharp", json=sent, reply=read)


def test_a_pool_is_switched_off_by_writing_back_what_was_read(golden: Any, pool: Callable[..., None]) -> None:
    pool()

    golden("POST", "/datapool/notas", json={**MADE, "active": False}, reply={**READ, "active": False})
    # C# knows of a field its label and type only, and sends more than is asked for.
    short = [{"label": field["label"], "type": number} for number, field in zip((0, 2), SCHEMA, strict=True)]
    whole = {**MADE, "defaultAutomation": None, "defaultActivity": "daily", "schema": short}
    more = {"Maestro": {"a": 1}, "id": "{pool}", "dateTimeout": None, "active": True}
    golden("POST", "/datapool/notas", client="csharp", json={**whole, **more}, reply=READ)
    golden("POST", "/datapool/notas", json={"active": None}, reply=READ)


def test_the_list_comes_whole_to_those_who_say_the_page_in_the_body(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    golden("POST", "/datapool", json={"label": "other"}, reply={"schema": []})

    page = {"content": [{"label": "other", "active": True}, {"label": "notas", "active": True}], "last": True}
    golden("GET", "/datapool", json={"page": 0, "size": 100}, reply=page)
    golden("GET", "/datapool", query={"page": "1", "size": "1"}, reply={"content": [READ], "totalElements": 2})


def test_a_pool_is_deleted_and_its_label_is_free(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    golden("POST", "/datapool/notas/push", json=PUSHED, reply=ENTRY)

    golden("DELETE", "/datapool/notas")

    golden.error("GET", "/datapool/notas/summary", 404)
    pool()
    golden("GET", "/datapool/notas/summary", reply={"countPending": 0})


def test_a_label_with_blanks_is_taken_as_it_is(golden: Any) -> None:
    golden("POST", "/datapool", json={"label": "Notas de maio", "schema": []}, reply={"label": "Notas de maio"})

    golden("POST", "/datapool/Notas%20de%20maio/push", json={"values": {"a": 1}}, reply={"id": "<int as entry>"})
    golden("GET", "/datapool/Notas de maio/pull", reply={"id": "{entry}", "dataPoolLabel": "Notas de maio"})
    golden("GET", "/datapool/Notas de maio/entry/{entry}", reply={"id": "{entry}"})


def test_an_entry_is_pushed_pulled_saved_and_done(golden: Any, pool: Callable[..., None]) -> None:
    pool()

    golden("POST", "/datapool/notas/push", json=PUSHED, reply=ENTRY)
    golden("GET", "/datapool/notas/summary", reply={"countPending": 1, "countProcessing": 0, "active": True})
    golden("GET", "/datapool/notas/entry/{entry}", reply=ENTRY)
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})
    pulled = golden("GET", "/datapool/notas/pull", reply={"id": "{entry}", "state": "PROCESSING"}).json
    assert pulled["dateProcessing"]
    sent = {
        **pulled,
        "values": {"cpf": "123", "total": 2},
        "taskId": str(golden.kept["task"]),
        "state": "PROCESSING",
    }
    saved = golden("POST", "/datapool/notas/entry/{entry}", json=sent, reply={"taskId": "{task}", "displayValue": "2"})
    golden("GET", "/datapool/notas/summary", reply={"countPending": 0, "countProcessing": 1})
    golden("POST", "/datapool/notas/entry/{entry}", json={**saved.json, "state": "DONE", "message": "feito"})

    done = {"state": "DONE", "message": "feito", "errorType": None, "taskId": "{task}", "dateFinished": "<date>"}
    golden("GET", "/datapool/notas/entry/{entry}", reply=done)
    reply = {"countDone": 1, "countPending": 0, "countError": 0, "countTimeout": 0, "avgDone": "<number>"}
    golden("GET", "/datapool/notas/summary", reply=reply)


def test_an_empty_pool_and_one_that_is_off_answer_204_with_nothing(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    answer = golden("GET", "/datapool/notas/pull", status=204, reply=b"")
    assert answer.headers["Cache-Control"] == "no-store"

    golden("POST", "/datapool/notas/push", json=PUSHED)
    golden("POST", "/datapool/notas", json={"active": False})
    golden("GET", "/datapool/notas/pull", status=204, reply=b"")


def test_a_look_at_the_head_of_a_pull_takes_nothing(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    golden("POST", "/datapool/notas/push", json=PUSHED)

    golden("HEAD", "/datapool/notas/pull", status=204)

    golden("GET", "/datapool/notas/summary", reply={"countPending": 1, "countProcessing": 0})


@pytest.mark.parametrize("task", [None, "None", "", "null", 0])
def test_clients_without_a_task_may_report_too(golden: Any, pool: Callable[..., None], task: Any) -> None:
    pool()
    golden("POST", "/datapool/notas/push", json=PUSHED, reply=ENTRY)
    golden("GET", "/datapool/notas/pull")

    golden(
        "POST",
        "/datapool/notas/entry/{entry}",
        client="csharp",
        json={"state": "ERROR", "taskId": task, "values": None, "priority": None},
        reply={"state": "ERROR", "errorType": "SYSTEM", "values": PUSHED["values"], "child": "<int>"},
    )


def test_a_business_error_is_not_tried_again_and_a_systems_is(golden: Any, pool: Callable[..., None]) -> None:
    pool(maxAutoRetry=1)
    for kind in ("SYSTEM", "SYSTEM", "BUSINESS"):
        if golden("GET", "/datapool/notas/summary").json["countPending"] == 0:
            golden("POST", "/datapool/notas/push", json=PUSHED)
        golden("GET", "/datapool/notas/pull", reply={"id": "<int as entry>"})
        said = {"state": "ERROR", "errorType": kind, "message": "x"}
        golden("POST", "/datapool/notas/entry/{entry}", json=said, reply={"errorType": kind, "message": "x"})

    golden("GET", "/datapool/notas/summary", reply={"countPending": 0, "countError": 3})
    seen = [
        (e["retryIndex"], bool(e["parent"]), bool(e["child"]))
        for e in golden("GET", "/datapool/notas/view").json["content"]
    ]
    assert seen == [(0, False, False), (1, True, False), (0, False, True)]


def test_what_does_not_follow_is_a_conflict(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    golden("POST", "/datapool/notas/push", json=PUSHED, reply=ENTRY)
    entry = "/datapool/notas/entry/{entry}"

    for state in ("DONE", "ERROR", "PROCESSING", "TIMEOUT"):
        golden.error("POST", entry, 409, json={"state": state})
    golden("PUT", f"{entry}/cancel", json={"state": "CANCELED", "message": "não"}, reply={"state": "CANCELED"})
    for state in ("DONE", "PENDING"):
        golden.error("POST", entry, 409, json={"state": state})
    golden("DELETE", entry)
    golden.error("GET", entry, 404)


def test_what_is_in_work_is_neither_cancelled_nor_deleted(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    golden("POST", "/datapool/notas/push", json=PUSHED, reply=ENTRY)
    golden("GET", "/datapool/notas/pull")

    golden.error("PUT", "/datapool/notas/entry/{entry}/cancel", 409, json={"state": "CANCELED"})
    golden.error("DELETE", "/datapool/notas/entry/{entry}", 409)


def test_a_unique_key_waits_or_is_in_work_once(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    golden("POST", "/datapool/notas/push", json=PUSHED, reply=ENTRY)

    assert "123" in golden.error("POST", "/datapool/notas/push", 409, json=PUSHED)
    golden("GET", "/datapool/notas/pull")
    golden.error("POST", "/datapool/notas/push", 409, json=PUSHED)
    golden("POST", "/datapool/notas/entry/{entry}", json={"state": "DONE"})
    golden("POST", "/datapool/notas/push", json=PUSHED, reply={"state": "PENDING"})


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        ({"values": {"total": "much"}}, "total"),
        ({"values": [1]}, "values"),
        ({"values": {}, "priority": 11}, "priority"),
        ({"values": {"cpf": {"a": 1}}}, "cpf"),
        ({"values": {"a": "\0"}}, "NUL"),
        ({"values": {"a": "x" * 2_000_000}}, "values.a"),
    ],
)
def test_an_entry_that_may_not_be_is_refused(
    golden: Any, pool: Callable[..., None], sent: dict[str, Any], word: str
) -> None:
    pool()

    assert word in golden.error("POST", "/datapool/notas/push", 422, json=sent)
    golden("GET", "/datapool/notas/summary", reply={"countPending": 0})


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        ({"trigger": "SOMETIMES"}, "trigger"),
        ({"consumptionPolicy": 7}, "consumptionPolicy"),
        ({"schema": {"a": 1}}, "schema"),
        ({"schema": [{"label": "a"}, {"label": "a"}]}, "twice"),
        ({"schema": [{"label": "a", "type": "DATE"}]}, "type"),
        ({"maxAutoRetry": -1}, "max_auto_retry"),
        ({"itemMaxProcessingTime": "x"}, "itemMaxProcessingTime"),
        ({"label": "a/b"}, "label"),
        ({"label": None}, "label"),
        ({"autoRetry": "perhaps"}, "autoRetry"),
    ],
)
def test_a_pool_that_may_not_be_is_refused(
    golden: Any, daily: wire.Automation, sent: dict[str, Any], word: str
) -> None:
    assert word in golden.error("POST", "/datapool", 422, json={**MADE, **sent})
    golden("GET", "/datapool", reply={"content": []})


def test_entries_are_listed_page_by_page(golden: Any, pool: Callable[..., None]) -> None:
    pool()
    for number in range(3):
        golden("POST", "/datapool/notas/push", json={"values": {"cpf": str(number)}})

    keys = [each["uniqueKey"] for each in golden("GET", "/datapool/notas/view").json["content"]]
    assert keys == ["2", "1", "0"]
    page = {"content": [{"uniqueKey": "1"}], "last": False, "totalElements": 3}
    golden("GET", "/datapool/notas/view", query={"page": "1", "size": "1", "sort": "id,asc"}, reply=page)


def test_a_running_bots_entry_is_its_attempts(
    golden: Any, pool: Callable[..., None], running: Callable[[int], str]
) -> None:
    pool()
    golden("POST", "/datapool/notas/push", json=PUSHED, reply=ENTRY)
    golden("POST", "/task", json={"activityLabel": "daily", "parameters": {"month": 1}}, reply={"id": "<int as task>"})
    token = running(golden.kept["task"])

    taken = {"taskId": "{task}", "runner": "box-1", "state": "PROCESSING"}
    golden("GET", "/datapool/notas/pull", token=token, reply=taken)
    golden("POST", "/datapool/notas/entry/{entry}", token=token, json={"state": "DONE"}, reply={"state": "DONE"})
