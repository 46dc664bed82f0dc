"""The files of a version: every one is kept, listed, fetched and can be put back."""

import io
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from bottool import wire
from bottool.errors import ArchiveError, Conflict, Forbidden, NotFound
from bottool_web.actions import bots, identity, inspections, revisions
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.store import tables
from bottool_web.store.scope import Principal

Package = Callable[..., bytes]
UNDO = wire.RestoreRevision()


@pytest.fixture
def put(site: Site, admin: Principal, package: Package) -> Callable[..., str]:
    """``put("print(1)")``: lay a package of that text under version 1.0 of ``hello``; its checksum."""

    patient = replace(site, settings=replace(site.settings, inspection_seconds=60.0))

    def put_(text: str, name: str = "hello.zip") -> str:
        if not bots.list_bots(site, admin):
            bots.announce_version(site, admin, "hello", wire.NewVersion(version="1.0", technology="PYTHON"))
        return bots.upload(patient, admin, "hello", "1.0", name, [package(text)]).versions[0].sha256

    return put_


def files_of(site: Site, who: Principal) -> list[tuple[int, str, bool, int | None]]:
    found = revisions.list_revisions(site, who, "hello", "1.0")
    return [(each.number, each.sha256, each.current, each.restored_from) for each in found]


def test_every_replaced_file_is_listed_newest_first(site: Site, admin: Principal, put: Callable[..., str]) -> None:
    first, second = put("print(1)", "a.zip"), put("print(2)", "b.zip")

    found = revisions.list_revisions(site, admin, "hello", "1.0")

    assert files_of(site, admin) == [(2, second, True, None), (1, first, False, None)]
    assert [each.file_name for each in found] == ["b.zip", "a.zip"]
    assert {each.created_by for each in found} == {admin.name}


def test_the_last_replacement_of_a_released_file_is_undone_and_audited(
    site: Site, admin: Principal, put: Callable[..., str]
) -> None:
    first = put("print(1)")
    bots.release(site, admin, "hello", "1.0")
    second = put("print(2)")

    bot = revisions.restore(site, admin, "hello", "1.0", UNDO)

    version = bot.versions[0]
    assert (version.sha256, version.released, version.state, version.inspection) == (first, True, "ready", "done")
    assert files_of(site, admin) == [(3, first, True, 1), (2, second, False, None), (1, first, False, None)]
    path, _ = bots.package_file(site, admin, "hello", "1.0")
    assert path.name == first
    acts = site.store.read(
        lambda tx: tx.execute(sa.select(tables.audit).where(tables.audit.c.act == "bot.restore")).all()
    )
    assert [(row.actor, row.subject, row.detail["sha256"], row.detail["was"]) for row in acts] == [
        (admin.name, "hello", first, second)
    ]
    # And the undoing can be undone.
    assert revisions.restore(site, admin, "hello", "1.0", UNDO).versions[0].sha256 == second


def test_any_older_file_is_put_back_with_what_is_known_of_it(
    site: Site, admin: Principal, put: Callable[..., str]
) -> None:
    sums = [put(f"print({number})") for number in range(3)]

    bot = revisions.restore(site, admin, "hello", "1.0", wire.RestoreRevision(revision=1))

    assert bot.versions[0].sha256 == sums[0]
    assert inspections.get_inspection(site, admin, "hello", "1.0").state == "done"
    path, name = revisions.revision_file(site, admin, "hello", "1.0", 2)
    assert (path.name, name) == (sums[1], "hello.zip")


def test_putting_back_what_is_there_changes_nothing(site: Site, admin: Principal, put: Callable[..., str]) -> None:
    put("print(1)")

    revisions.restore(site, admin, "hello", "1.0", wire.RestoreRevision(revision=1))

    assert len(files_of(site, admin)) == 1
    with pytest.raises(NotFound, match="no other file"):
        revisions.restore(site, admin, "hello", "1.0", UNDO)
    for number in (0, 2, 99):
        with pytest.raises(NotFound, match="no revision"):
            revisions.restore(site, admin, "hello", "1.0", wire.RestoreRevision(revision=number))


def test_a_file_that_was_refused_is_never_put_back(site: Site, admin: Principal, put: Callable[..., str]) -> None:
    good = put("print(1)")
    impatient = replace(site, settings=replace(site.settings, inspection_seconds=0.0))
    bots.upload(impatient, admin, "hello", "1.0", "bad.zip", [b"PK no archive"])
    who, ending = identity.acting_site(admin.workspace_id), threading.Event()
    while inspections.inspect_next(site, who, ending):
        pass

    assert [
        (each.number, each.state, each.current) for each in revisions.list_revisions(site, admin, "hello", "1.0")
    ] == [
        (2, "refused", False),
        (1, "done", True),
    ]
    with pytest.raises(Conflict, match="refused"):
        revisions.restore(site, admin, "hello", "1.0", wire.RestoreRevision(revision=2))
    assert bots.get_bot(site, admin, "hello").versions[0].sha256 == good


def test_a_file_that_was_never_inspected_is_before_it_runs_again(
    site: Site, admin: Principal, package: Package, put: Callable[..., str]
) -> None:
    put("print(1)")
    impatient = replace(site, settings=replace(site.settings, inspection_seconds=0.0))
    bots.upload(impatient, admin, "hello", "1.0", "two.zip", [package("print(2)")])
    put("print(3)")

    bot = revisions.restore(site, admin, "hello", "1.0", wire.RestoreRevision(revision=2))

    assert bot.versions[0].state == "checking"


def test_who_may_not_deploy_puts_nothing_back(site: Site, workspace: Any, put: Callable[..., str]) -> None:
    put("print(1)"), put("print(2)")

    for role in ("viewer", "operator"):
        with pytest.raises(Forbidden):
            revisions.restore(site, workspace.principal(role), "hello", "1.0", UNDO)


def test_another_workspaces_files_do_not_exist(site: Site, other_workspace: Any, put: Callable[..., str]) -> None:
    put("print(1)"), put("print(2)")
    stranger = other_workspace.principal("administrator")

    for ask in (
        lambda: revisions.list_revisions(site, stranger, "hello", "1.0"),
        lambda: revisions.restore(site, stranger, "hello", "1.0", UNDO),
        lambda: revisions.revision_file(site, stranger, "hello", "1.0", 1),
    ):
        with pytest.raises(NotFound):
            ask()


def test_an_archive_that_takes_long_to_check_is_answered_in_time_and_refused_behind(
    site: Site, admin: Principal
) -> None:
    impatient = replace(site, settings=replace(site.settings, inspection_seconds=0.0))
    bots.announce_version(site, admin, "hello", wire.NewVersion(version="1.0", technology="PYTHON"))

    begun = time.monotonic()
    bot = bots.upload(impatient, admin, "hello", "1.0", "bad.zip", [b"PK no archive"])

    assert time.monotonic() - begun < 3
    assert bot.versions[0].state == "checking"
    who = identity.acting_site(admin.workspace_id)
    assert inspections.inspect_next(site, who, threading.Event())
    after = bots.get_bot(site, admin, "hello").versions[0]
    assert after.state == "refused"
    assert "refused" in after.findings[0]
    with pytest.raises(ArchiveError):
        bots.upload(site, admin, "hello", "1.0", "bad.zip", [b"PK no archive"])


def test_notes_on_an_archive_that_was_checked_behind_are_told_once(
    site: Site, admin: Principal, package: Package
) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        packed.writestr("bot.py", "1")
        packed.writestr(".env", "1")
    impatient = replace(site, settings=replace(site.settings, inspection_seconds=0.0))
    bots.announce_version(site, admin, "hello", wire.NewVersion(version="1.0", technology="PYTHON"))
    bots.upload(impatient, admin, "hello", "1.0", "a.zip", [made.getvalue()])

    inspections.inspect_next(site, identity.acting_site(admin.workspace_id), threading.Event())

    after = bots.get_bot(site, admin, "hello").versions[0]
    assert after.state == "ready"
    assert sum(".env" in finding for finding in after.findings) == 1


@pytest.fixture
def signed_in(site: Site, account: int, workspace: Any) -> FlaskClient:
    client = create_app(site).test_client()
    cookie, _ = identity.start_session(site, workspace.email, workspace.password, "127.0.0.1")
    client.set_cookie("bottool_session", cookie)
    return client


def test_the_versions_page_lists_the_files_and_puts_one_back(
    signed_in: FlaskClient, site: Site, admin: Principal, put: Callable[..., str]
) -> None:
    first, second = put("print(1)"), put("print(2)")

    page = signed_in.get("/bots/hello/versions/1.0").get_data(as_text=True)
    assert first[:12] in page
    assert second[:12] in page
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = signed_in.post("/bots/hello/versions/1.0/revisions/1/restore", data={"csrf_token": token})

    assert answer.status_code == 302
    assert bots.get_bot(site, admin, "hello").versions[0].sha256 == first
    with signed_in.get("/bots/hello/versions/1.0/revisions/2/package") as fetched:
        assert fetched.status_code == 200
        assert len(fetched.data) > 50
    assert signed_in.post("/bots/hello/versions/1.0/revisions/1/restore").status_code == 400


def test_the_workspaces_page_switches_its_interfaces(signed_in: FlaskClient, workspace: Any) -> None:
    page = signed_in.get("/workspace").get_data(as_text=True)
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert workspace.key not in page

    signed_in.post("/workspace", data={"csrf_token": token, "maestro": "on"})

    body = {"userLogin": workspace.login, "key": workspace.key}
    assert signed_in.post("/app/api/login", data=body).status_code == 403
    login = {"login": workspace.login, "key": workspace.key}
    assert signed_in.post("/api/v2/workspace/login", json=login).status_code == 200
