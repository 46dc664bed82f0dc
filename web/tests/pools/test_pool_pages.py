"""The pages of data pools, as a browser without scripts uses them."""

import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from bottool import wire
from bottool_web.actions import identity, pool_work, pools
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store.scope import Principal

FORM = {
    "label": "cases",
    "name": "Casos",
    "policy": "lifo",
    "automation": "daily",
    "trigger": "no_task_active",
    "max_auto_retry": "2",
    "max_errors": "5",
    "limit_minutes": "30",
    "on_attempt_end": "error",
    "field.label": ["cpf", "total", "", ""],
    "field.type": ["text", "double", "text", "text"],
    "field.unique": ["0"],
    "field.shown": ["1"],
}


class Browser:
    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def see(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.get_data(as_text=True)
        return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())

    def send(self, path: str, *, of: str, status: int = 302, **form: Any) -> str:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(of).get_data(as_text=True))
        assert token is not None
        answer = self.client.post(path, data={"csrf_token": token[1], **form}, follow_redirects=status == 302)
        assert answer.status_code == (200 if status == 302 else status), answer.get_data(as_text=True)
        return " ".join(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True)).split())


@pytest.fixture
def browser(site: Site, workspace: Any, account: int, an_automation: Any) -> Browser:
    an_automation()
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "")
    client = create_app(site).test_client()
    client.set_cookie("bottool_session", cookie)
    return Browser(client)


def test_a_pool_is_made_filled_seen_and_deleted(browser: Browser, site: Site, admin: Principal) -> None:
    assert "work that bots share" in browser.see("/pools")
    browser.send("/pools/new", of="/pools/new", **FORM)
    made = pools.get_pool(site, admin, "cases")
    assert (made.policy, made.trigger, made.max_errors, made.on_attempt_end) == ("lifo", "no_task_active", 5, "error")
    fields = [("cpf", "text", True, False), ("total", "double", False, True)]
    assert [(each.label, each.type, each.unique, each.shown) for each in made.schema] == fields

    assert "tried again 2 times; 5 on end" in browser.see("/pools/cases")
    pools.change(site, admin, "cases", wire.PoolChange(max_auto_retry=1, limit_minutes=1))
    assert "tried again 1 time; 5 on end" in (seen := browser.see("/pools/cases"))
    assert "1 minute When" in seen

    entry = {"v.cpf": "123", "v.total": "2.5", "more": '{"cidade": "Recife"}', "priority": "3", "key": "k"}
    for _ in range(2):
        assert "waits" in browser.send("/pools/cases/push", of="/pools/cases", **entry)
    assert "is no double" in browser.send("/pools/cases/push", of="/pools/cases", **{"v.total": "x"})
    pushed = pool_work.list_entries(site, admin, "cases", pool_work.Asked())
    assert [each.values for each in pushed] == [{"cpf": "123", "total": 2.5, "cidade": "Recife"}]

    table = (io.BytesIO(b"cpf,total\n7,1\n8,2\n"), "t.csv")
    assert "2 entries came in" in browser.send("/pools/cases/import", of="/pools/cases", file=table)
    bad = (io.BytesIO(b"cpf,total\n9,x\n"), "t.csv")
    assert "line 2" in browser.send("/pools/cases/import", of="/pools/cases", file=bad)
    with browser.client.get("/pools/cases/sample", buffered=True) as sample:
        assert sample.data.startswith(b"cpf,total,priority")
    with browser.client.get("/pools/cases/export?state=pending", buffered=True) as export:
        assert b"Recife" in export.data

    assert "Recife" in browser.see(f"/pools/cases/entries/{pushed[0].id}")
    browser.send("/pools/cases/switch", of="/pools/cases", active="no")
    assert "off" in browser.see("/pools")
    assert "Type the data pool" in browser.send("/pools/cases/delete", of="/pools/cases", label="x")
    assert "is gone" in browser.send("/pools/cases/delete", of="/pools/cases", label="cases")
    browser.see("/pools/cases", status=404)


def test_what_is_wrong_is_said_and_the_form_keeps_what_was_typed(browser: Browser) -> None:
    said = {**FORM, "field.label": ["cpf", "cpf", "", ""]}

    seen = browser.send("/pools/new", of="/pools/new", status=422, **said)

    assert "twice" in seen
    assert "100000000000" in browser.send(
        "/pools/new", of="/pools/new", status=422, **{**FORM, "max_errors": "100000000000"}
    )


def test_entries_are_searched_and_changed_many_at_a_time(browser: Browser, site: Site, admin: Principal) -> None:
    pools.create(site, admin, wire.NewPool(label="cases"))
    ids = [pool_work.push(site, admin, "cases", wire.NewEntry(values={"n": n})).id for n in range(3)]
    failed = pool_work.pull(site, admin, "cases").entry
    assert failed is not None
    change = wire.EntryChange(state="error", error_type="business", message="<script>não</script>")
    pool_work.change_entry(site, admin, "cases", failed.id, change)

    assert b"&lt;script&gt;n\xc3\xa3o" in browser.client.get("/pools/cases?search=n%C3%A3o").data
    assert f" #{ids[2]} " not in browser.see("/pools/cases?state=error")
    said = browser.send(
        "/pools/cases/bulk", of="/pools/cases", act="cancel", which="ticked", entry=[str(each) for each in ids]
    )
    assert "2 entries changed" in said
    again = browser.send("/pools/cases/bulk", of="/pools/cases", act="retry", which="all", state="error")
    assert "1 entry changed" in again
    assert "nothing says which" in browser.send("/pools/cases/bulk", of="/pools/cases", act="delete", which="ticked")
    assert "Tried again as" in browser.see(f"/pools/cases/entries/{failed.id}")
    assert "failed" in browser.see(f"/pools/cases/entries/{failed.id}")
    browser.send(f"/pools/cases/entries/{ids[1]}/retry", of=f"/pools/cases/entries/{ids[1]}")
    browser.send(f"/pools/cases/entries/{ids[2]}/delete", of=f"/pools/cases/entries/{ids[2]}")
    browser.see(f"/pools/cases/entries/{ids[2]}", status=404)
    assert pools.get_pool(site, admin, "cases").counts.pending == 2
