"""Pages of result files: what is shown, what never is, and who may delete."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import artifacts, identity, previews
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal

Send = Callable[..., wire.Artifact]
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30


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


def test_the_list_is_filtered_and_goes_on(browser: FlaskClient, site: Site, an_artifact: Send) -> None:
    made = [an_artifact(name=f"report-{number:03}.csv") for number in range(52)]
    an_artifact(name="other.pdf")

    first = text_of(browser, "/artifacts?name=report&automation=daily&days=7")
    assert "report-051.csv" in first
    assert "report-001.csv" not in first
    assert "other.pdf" not in first
    assert f"before={made[2].id}" in first

    assert "report-001.csv" in text_of(browser, f"/artifacts?name=report&before={made[2].id}")
    assert "No file fits" in text_of(browser, "/artifacts?name=nothing")
    assert "other.pdf" in text_of(browser, "/artifacts?task=1")
    assert text_of(browser, "/artifacts?task=x&days=y&before=z")


def test_a_task_shows_its_files(browser: FlaskClient, an_artifact: Send, task: wire.Task) -> None:
    assert 'id="artifacts"' not in text_of(browser, f"/tasks/{task.id}")
    made = an_artifact(name="result of the day.csv")

    shown = text_of(browser, f"/tasks/{task.id}")

    assert "result of the day.csv" in shown
    assert f"/artifacts/{made.id}/file" in shown


def test_markup_is_shown_as_text_and_sent_as_bytes(browser: FlaskClient, an_artifact: Send) -> None:
    for name, content in (("a.html", b"<html><script>alert(1)</script>"), ("b.svg", b"<svg onload=alert(1)>")):
        made = an_artifact(content, name)
        page = text_of(browser, f"/artifacts/{made.id}")
        assert "<script>alert" not in page
        assert "<svg onload" not in page
        assert "&lt;" in page
        answer = browser.get(f"/artifacts/{made.id}/file", buffered=True)
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        text_of(browser, f"/artifacts/{made.id}/image", 404)


def test_a_picture_is_shown_as_the_kind_that_its_bytes_are(browser: FlaskClient, an_artifact: Send) -> None:
    made = an_artifact(PNG, "evil.html")

    assert f'src="/artifacts/{made.id}/image"' in text_of(browser, f"/artifacts/{made.id}")
    answer = browser.get(f"/artifacts/{made.id}/image", buffered=True)
    assert (answer.mimetype, answer.data) == ("image/png", PNG)
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_name_that_is_markup_is_text(browser: FlaskClient, an_artifact: Send, task: wire.Task) -> None:
    made = an_artifact(name="<img src=x onerror=alert(1)>.txt")

    for path in ("/artifacts", f"/artifacts/{made.id}", f"/tasks/{task.id}"):
        assert "<img src=x" not in text_of(browser, path)


def test_a_file_is_deleted_by_those_who_may(browser: FlaskClient, site: Site, an_artifact: Send, admin: Any) -> None:
    made = an_artifact()
    assert browser.post(f"/artifacts/{made.id}/delete").status_code == 400  # without the form's token
    page = text_of(browser, f"/artifacts/{made.id}")
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]

    answer = browser.post(f"/artifacts/{made.id}/delete", data={"csrf_token": token})

    assert answer.location == "/artifacts"
    text_of(browser, f"/artifacts/{made.id}", 404)
    assert artifacts.list_artifacts(site, admin, artifacts.Asked()) == []


@pytest.mark.parametrize(
    ("content", "name", "kind", "shown"),
    [
        (b"a;b\r\n1;2\r\n", "a.csv", "table", (("a", "b"), ("1", "2"))),
        (b'a,"b\nc"\n', "a.csv", "table", (("a", "b\nc"),)),
        (b"a\tb\n", "a.tsv", "table", (("a", "b"),)),
        (b'{"b":[1,"\xc3\xa1"]}', "a.json", "text", '{\n  "b": [\n    1,\n    "á"\n  ]\n}'),
        (b'{"half": "\\ud800"}', "a.json", "text", '{\n  "half": "?"\n}'),
        (b"{no json", "a.json", "text", "{no json"),
        (b"[" * 5000, "a.json", "text", "[" * 5000),
        (b"plain", "a.log", "text", "plain"),
        (b"", "a.log", "text", ""),
        (b"\0\1\2", "a.bin", "none", ""),
        (b"%PDF-1.7", "a.pdf", "none", ""),
    ],
)
def test_a_preview_shows_what_can_be_read(
    site: Site, admin: Principal, an_artifact: Send, content: bytes, name: str, kind: str, shown: Any
) -> None:
    made = an_artifact(content, name)

    preview = previews.preview(site, admin, made.id)

    assert preview.kind == kind
    assert (preview.rows if kind == "table" else preview.text) == shown
    assert not preview.cut


def test_of_what_is_long_the_beginning_is_shown(site: Site, admin: Principal, an_artifact: Send) -> None:
    table = previews.preview(site, admin, an_artifact(b"1,2\n" * 100, "a.csv").id)
    wide = previews.preview(site, admin, an_artifact(b"1," * 100, "a.csv").id)
    huge = previews.preview(site, admin, an_artifact("á".encode() * 100_000, "a.txt").id)
    wrong_later = previews.preview(site, admin, an_artifact(b"x" * 5000 + b"\xff\0", "a.txt").id)

    assert (len(table.rows), table.cut) == (previews.TABLE_ROWS, True)
    assert len(wide.rows[0]) == previews.TABLE_COLUMNS
    assert huge.cut
    assert set(huge.text[:-1]) == {"á"}
    assert wrong_later.text.endswith("x\ufffd\ufffd")
