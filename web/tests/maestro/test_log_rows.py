"""Golden rows of logs: make, write, read, take away."""

import json
from typing import Any
from urllib.parse import quote

import pytest

COLUMNS = [
    {"name": "Date/Time", "label": "timestamp", "width": 300},
    {"name": "# Records", "label": "records", "width": 200},
]
LOG = {
    "id": "acme-daily-log",
    "organizationLabel": "acme",
    "label": "daily-log",
    "activityLabel": "daily-log",
    "dateCreation": "<date>",
    "columns": [{**each, "visible": True} for each in COLUMNS],
    "repositoryLabel": "DEFAULT",
}
LINES = [
    {"columns": {"timestamp": None, "records": 0.5}, "dateCreation": "<date>"},
    {"columns": {"timestamp": "24/11/2026 é", "records": 10}, "dateCreation": "<date>"},
]


def make(golden: Any, client: str = "python") -> None:
    sent = {"activityLabel": "daily-log", "columns": COLUMNS, "organizationLabel": "a-login"}
    if client == "javascript":
        sent["columns"] = [{**each, "object": {"a": 1}} for each in COLUMNS]
    if client == "csharp":
        columns = [{**each, "visible": True} for each in COLUMNS]
        sent = {"label": "daily-log", "repositoryLabel": "DEFAULT", "columns": columns}
    golden("POST", "/log", client=client, json=sent, reply=LOG)


@pytest.mark.parametrize("client", ["python", "javascript", "csharp"])
def test_a_log_is_made_and_read_by_its_label_and_by_its_id(golden: Any, client: str) -> None:
    make(golden, client)

    for name in ("daily-log", "acme-daily-log"):
        golden("GET", f"/log/{name}", client=client, reply=LOG)
    golden("GET", "/log", client=client, reply=[LOG])


@pytest.mark.parametrize("days", ["?days=365", "?days=7", "", "?days=1"])
def test_every_entry_has_every_column(golden: Any, days: str) -> None:
    make(golden)
    golden("POST", "/log/daily-log/entry", json={"timestamp": "24/11/2026 é", "records": 10}, reply="<any>")
    golden("POST", "/log/acme-daily-log/entry", json={"records": 0.5}, reply="<any>")

    golden("GET", f"/log/daily-log/entry-list{days}", reply=LINES)


def test_old_clients_read_pages(golden: Any) -> None:
    make(golden)
    for number in range(5):
        golden("POST", "/log/daily-log/entry", json={"records": number})

    reply = {"content": [{"columns": {"timestamp": None, "records": number}} for number in (2, 1)], "totalElements": 5}
    golden("GET", "/log/acme-daily-log/entry?page=1&size=2&sort=date,desc", reply=reply)


def test_a_log_is_taken_away_as_csv_and_json(golden: Any) -> None:
    make(golden)
    golden("POST", "/log/daily-log/entry", json={"timestamp": "=1+1", "records": 10, "more": True})

    for path in ("/log/daily-log/export?days=7&format=csv", "/log/daily-log/csv?days=7"):
        head, line = golden("GET", path).get_data(as_text=True).splitlines()
        assert head == "Date,Date/Time,# Records,Task,More"
        assert line.split(",", 1)[1] == '\'=1+1,10,,"{""more"": true}"'
    (entry,) = json.loads(golden("GET", "/log/daily-log/export?format=json").data)
    assert entry["values"] == {"timestamp": "=1+1", "records": 10, "more": True}


def test_an_empty_log_is_a_list_and_a_file(golden: Any) -> None:
    make(golden)

    golden("GET", "/log/daily-log/entry-list", reply=[])
    assert json.loads(golden("GET", "/log/daily-log/export?format=json").data) == []


def test_a_deleted_log_is_gone_and_its_label_free(golden: Any) -> None:
    make(golden)
    golden("POST", "/log/daily-log/entry", json={"records": 1})

    golden("DELETE", "/log/daily-log")

    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/entry"), ("GET", "/entry-list"), ("GET", "/export")):
        golden.error(method, f"/log/daily-log{path}", 404, json={} if method == "POST" else None)
    make(golden)
    golden("GET", "/log/daily-log/entry-list", reply=[])


@pytest.mark.parametrize("label", ["Notas fiscais", "ação (SAP)", "2026", "a.b", "a+b & c: d@e"])
def test_a_label_is_what_code_written_for_maestro_says(golden: Any, label: str) -> None:
    golden("POST", "/log", json={"activityLabel": label, "columns": COLUMNS}, reply={"id": f"acme-{label}"})
    for name in (label, f"acme-{label}"):
        golden("POST", f"/log/{name}/entry", json={"records": 1})
        golden("GET", f"/log/{quote(name)}", reply={"label": label})
    golden("GET", f"/log/{label}/entry-list", reply=["<object>", "<object>"])
    golden("GET", f"/log/{label}/export?format=csv")
    golden("DELETE", f"/log/{label}")


@pytest.mark.parametrize(
    "label", ["a/b", "a?b", "a#b", "a%b", ".", "..", " a", "a ", "-a", "a\tb", "a\n", "x" * 101, ""]
)
def test_a_label_that_an_address_cannot_hold_is_refused(golden: Any, label: str) -> None:
    golden.error("POST", "/log", 422, json={"activityLabel": label, "columns": COLUMNS})
    golden.error("POST", "/credential", 422, json={"label": label, "secrets": []})
    golden.error("POST", "/datapool", 422, json={"label": label, "schema": []})


@pytest.mark.parametrize(
    "columns",
    [None, [], "date", [1], [{"name": "", "label": ""}], [COLUMNS[0], COLUMNS[0]], [{"label": "a", "width": -1}], {}],
)
def test_a_log_without_proper_columns_is_refused(golden: Any, columns: Any) -> None:
    golden.error("POST", "/log", 422, json={"activityLabel": "daily-log", "columns": columns})

    golden.error("GET", "/log/daily-log", 404)


def test_a_log_that_is_there_is_not_made_anew(golden: Any) -> None:
    make(golden)
    golden("POST", "/log/daily-log/entry", json={"records": 1})

    golden.error("POST", "/log", 409, json={"activityLabel": "daily-log", "columns": COLUMNS})

    golden("GET", "/log/daily-log/entry-list", reply=[LINES[1] | {"columns": {"timestamp": None, "records": 1}}])


@pytest.mark.parametrize("query", ["?days=x", "?days=1e9", "?format=xlsx"])
def test_a_query_that_means_nothing_is_refused(golden: Any, query: str) -> None:
    make(golden)

    golden.error("GET", f"/log/daily-log/export{query}", 422)
