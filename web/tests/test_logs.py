"""Logs: what is kept, found, searched and taken away; pages show it and run none of it."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool.errors import Conflict, InvalidInput, NotFound
from bottool_web.actions import identity, logs
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal


@pytest.fixture
def trips(site: Site, admin: Principal) -> wire.Log:
    columns = [wire.LogColumn(label="city", name="Cidade"), wire.LogColumn(label="rows")]
    return logs.create(site, admin, wire.NewLog(label="trips", columns=columns))


def write(site: Site, who: Principal, **values: Any) -> wire.LogEntry:
    return logs.add_entry(site, who, "trips", wire.NewLogEntry(values=values))


def test_what_a_log_has_no_column_for_is_kept(site: Site, admin: Principal, trips: wire.Log) -> None:
    write(site, admin, city="Recife", surprise=[1, {"a": None}])

    (entry,) = logs.list_entries(site, admin, "trips", logs.Asked())
    assert entry.values == {"city": "Recife", "surprise": [1, {"a": None}]}
    assert logs.complete(trips, entry)["rows"] is None


def test_a_period_and_a_search_narrow(site: Site, admin: Principal, trips: wire.Log, clock: Any) -> None:
    for day in range(4):
        write(site, admin, city=f"São Paulo {day}", rows=day)
        clock.advance(24 * 3600)
    now = site.now()

    def found(**asked: Any) -> list[int]:
        return [each.values["rows"] for each in logs.list_entries(site, admin, "trips", logs.Asked(**asked))]

    assert found() == [3, 2, 1, 0]
    assert found(days=2) == [3, 2]
    assert found(since=now - timedelta(days=3), until=now - timedelta(days=1)) == [2, 1]
    assert found(search="são paulo 1") == [1]
    assert found(limit=1, search="SÃO") == [3]
    assert found(search="nothing like it") == []


def test_all_entries_come_however_many(site: Site, admin: Principal, trips: wire.Log, monkeypatch: Any) -> None:
    monkeypatch.setattr(logs, "AT_ONCE", 3)
    for row in range(10):
        write(site, admin, rows=row)

    assert [each.values["rows"] for each in logs.every_entry(site, admin, "trips", logs.Asked())] == [*range(9, -1, -1)]


def test_a_file_for_a_spreadsheet_runs_nothing(site: Site, admin: Principal, trips: wire.Log) -> None:
    dangerous = ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(A1)", "\tx", 'quoted "; and, split\nline']
    for text in dangerous:
        write(site, admin, city=text, rows=-1)

    for separator in (",", ";"):
        data = b"".join(logs.exported(site, admin, "trips", logs.Asked(), separator=separator)).decode("utf-8")
        assert data.startswith("\ufeff") == (separator == ";")
        head, *rows = csv.reader(io.StringIO(data.removeprefix("\ufeff"), newline=""), delimiter=separator)
        assert head == ["Date", "Cidade", "rows", "Task", "More"]
        assert [row[1] for row in rows] == [*reversed([f"'{text}" for text in dangerous[:5]] + dangerous[5:])]
        assert {row[2] for row in rows} == {"-1"}


@pytest.mark.parametrize(("separator", "shown"), [(",", "-12.5"), (";", "-12,5")])
def test_numbers_are_written_as_the_spreadsheet_of_that_separator_reads_them(
    site: Site, admin: Principal, trips: wire.Log, separator: Any, shown: str
) -> None:
    write(site, admin, rows=-12.5, city="1.5")

    data = b"".join(logs.exported(site, admin, "trips", logs.Asked(), separator=separator)).decode("utf-8")
    assert data.splitlines()[1].split(separator, 1)[1] == separator.join(["1.5", shown, "", ""])


def test_a_label_is_taken_until_its_log_is_deleted(site: Site, admin: Principal, trips: wire.Log) -> None:
    again = wire.NewLog(label="trips", columns=trips.columns)
    with pytest.raises(Conflict):
        logs.create(site, admin, again)
    write(site, admin, rows=1)

    logs.delete(site, admin, "trips")
    with pytest.raises(NotFound):
        write(site, admin, rows=2)
    logs.create(site, admin, again)

    assert logs.list_entries(site, admin, "trips", logs.Asked()) == []
    assert logs.purge(site, identity.acting_site(admin.workspace_id)) == 1


@pytest.mark.parametrize(
    "values",
    [{"a\nb": 1}, {"a": "x" * 20_001}, {"a": "\0"}, {"a": "\ud800"}, {str(number): 1 for number in range(501)}],
)
def test_values_that_cannot_be_kept_are_refused(
    site: Site, admin: Principal, trips: wire.Log, values: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        logs.add_entry(site, admin, "trips", wire.NewLogEntry(values=values))

    assert logs.list_entries(site, admin, "trips", logs.Asked()) == []


def test_pages_go_on_where_the_one_before_ended(site: Site, admin: Principal, trips: wire.Log, clock: Any) -> None:
    for row in range(7):
        write(site, admin, rows=row)
        clock.advance(60 * (row % 2))  # several are of one moment

    def page(before: int | None, **more: Any) -> list[wire.LogEntry]:
        return logs.list_entries(site, admin, "trips", logs.Asked(before=before, limit=3, **more))

    first = page(None)
    second = page(first[-1].id)
    third = page(second[-1].id, until=site.now())
    assert [each.values["rows"] for each in (*first, *second, *third)] == [6, 5, 4, 3, 2, 1, 0]
    assert page(third[-1].id) == []
    assert page(second[-1].id, since=site.now()) == []


def test_entries_are_in_the_order_of_time_when_the_clock_went_back(
    site: Site, admin: Principal, trips: wire.Log, clock: Any
) -> None:
    for row, seconds in ((3, -3600), (1, 600), (2, 0)):
        write(site, admin, rows=row)
        clock.advance(seconds)

    rows = logs.list_entries(site, admin, "trips", logs.Asked())
    assert [each.values["rows"] for each in rows] == [3, 2, 1]
    (last,) = logs.list_entries(site, admin, "trips", logs.Asked(before=rows[1].id))
    assert last.values["rows"] == 1


@pytest.fixture
def browser(site: Site, workspace: Any, account: int) -> FlaskClient:
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "127.0.0.1")
    client = create_app(site).test_client()
    client.set_cookie("bottool_session", cookie)
    return client


def test_pages_show_logs_and_their_entries(site: Site, admin: Principal, trips: wire.Log, browser: FlaskClient) -> None:
    write(site, admin, city="<script>alert(1)</script>", rows=[1, "<b>"], extra="<i>")

    shown = browser.get("/logs/trips").text

    assert "trips" in browser.get("/logs?search=TRI").text
    assert "No log fits" in browser.get("/logs?search=none").text
    assert "&lt;script&gt;" in shown
    assert not any(tag in shown for tag in ("<script>alert", "<b>", "<i>"))
    assert "Cidade" in shown
    assert "No entry fits" in browser.get("/logs/trips?search=nothing").text
    assert "is no day" in browser.get("/logs/trips?since=yesterday").text
    assert "is no day" not in browser.get("/logs/trips?since=0001-01-01&until=9999-12-30").text
    assert browser.get("/logs/none").status_code == 404


def test_a_page_gives_a_log_as_a_file(site: Site, admin: Principal, trips: wire.Log, browser: FlaskClient) -> None:
    write(site, admin, city="Recife")

    for form, beginning in (("csv", b"Date,Cidade"), ("excel", "\ufeffDate;Cidade".encode()), ("json", b"[\n{")):
        with browser.get(f"/logs/trips/export?format={form}", buffered=True) as answer:
            assert answer.data.startswith(beginning)
            assert "attachment" in answer.headers["Content-Disposition"]


def test_the_columns_that_a_page_changes_keep_what_it_does_not_show(
    site: Site, admin: Principal, browser: FlaskClient
) -> None:
    columns = [wire.LogColumn(label="city", width=300, visible=False), wire.LogColumn(label="rows")]
    logs.create(site, admin, wire.NewLog(label="wide", columns=columns))
    token = browser.get("/logs/wide/change").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    said = {"csrf_token": token, "column.label": ["city", "", "day"], "column.name": ["Cidade", "", ""]}

    assert browser.post("/logs/wide/change", data=said).status_code == 302

    assert logs.get_log(site, admin, "wide").columns == [
        wire.LogColumn(label="city", name="Cidade", width=300, visible=False),
        wire.LogColumn(label="day"),
    ]
