"""Bots and their versions: deploy, replace, release, exclude."""

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import ArchiveError, BottoolError, Conflict, InvalidInput, NotFound, TooBig
from bottool_web.actions import automations, bots
from bottool_web.actions.site import Site
from bottool_web.files import Files
from bottool_web.package_check import check_package
from bottool_web.store import tables
from bottool_web.store.scope import Principal

Deploy = Callable[..., wire.Bot]
NEW = wire.NewVersion(version="1.0.0", technology="PYTHON")


def test_versions_are_listed_newest_first_with_who_made_them(site: Site, admin: Principal, deploy: Deploy) -> None:
    deploy("hello", "1.0.0")
    deploy("hello", "1.1.0")

    bot = bots.get_bot(site, admin, "hello")

    assert [version.version for version in bot.versions] == ["1.1.0", "1.0.0"]
    assert [version.released for version in bot.versions] == [True, False]
    assert bot.release == "1.1.0"
    assert {version.created_by for version in bot.versions} == {admin.name}


def test_a_file_over_a_released_version_makes_a_new_revision(
    site: Site, admin: Principal, deploy: Deploy, package: Callable[..., bytes]
) -> None:
    before = deploy("hello", "1.0.0").versions[0]

    after = bots.upload(site, admin, "hello", "1.0.0", "new.zip", [package("print('new')")]).versions[0]

    assert after.sha256 != before.sha256
    assert (after.file_name, after.released, after.state) == ("new.zip", True, "ready")
    revisions = site.store.read(lambda tx: tx.execute(sa.select(tables.revision)).all())
    assert [row.sha256 for row in revisions] == [before.sha256, after.sha256]
    assert site.files.package(before.sha256).exists(), "what runs with the older file must still find it"


def test_a_refused_file_leaves_the_version_what_it_was(site: Site, admin: Principal, deploy: Deploy) -> None:
    before = deploy("hello", "1.0.0")

    with pytest.raises(ArchiveError):
        bots.upload(site, admin, "hello", "1.0.0", "new.zip", [b"no archive"])

    assert bots.get_bot(site, admin, "hello") == before


def test_an_upload_that_breaks_off_leaves_nothing(site: Site, admin: Principal) -> None:
    bots.announce_version(site, admin, "hello", NEW)

    def pieces() -> Iterator[bytes]:
        yield b"PK"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        bots.upload(site, admin, "hello", "1.0.0", "hello.zip", pieces())

    assert [path for path in site.files.root.rglob("*") if path.is_file()] == []
    assert bots.get_bot(site, admin, "hello").versions[0].state == "empty"


def test_an_endless_upload_ends_at_the_limit(site: Site, admin: Principal) -> None:
    bots.announce_version(site, admin, "hello", NEW)
    sent = []

    def pieces() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b"x" * 16 * 1024 * 1024

    with pytest.raises(TooBig):
        bots.upload(site, admin, "hello", "1.0.0", "hello.zip", pieces())

    assert len(sent) == site.settings.upload_limit_bytes // (16 * 1024 * 1024) + 1
    assert [path for path in site.files.root.rglob("*") if path.is_file()] == []


def test_a_package_that_is_here_already_is_left_alone_and_one_that_was_cut_short_is_made_good(tmp_path: Any) -> None:
    files = Files(tmp_path)
    path = files.package(files.add_package([b"the ", b"bytes"], limit_bytes=100).sha256)
    before = path.stat().st_ino

    assert files.add_package([b"the bytes"], limit_bytes=100).sha256 == path.name
    assert path.stat().st_ino == before, "somebody may be reading it: on Windows it could not be replaced"
    assert list((tmp_path / "incoming").iterdir()) == []

    path.write_bytes(b"the")
    files.add_package([b"the bytes"], limit_bytes=100)
    assert path.read_bytes() == b"the bytes"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.zip", "passwd.zip"),
        ("C:\\Users\\ada\\bot.zip", "bot.zip"),
        ("two\nlines.zip", "twolines.zip"),
        ("", "hello-1.0.0"),
        ("/", "hello-1.0.0"),
        ("x" * 500 + ".zip", "x" * 196 + ".zip"),
    ],
)
def test_a_files_name_is_a_label_and_no_path(
    site: Site, admin: Principal, package: Callable[..., bytes], given: str, kept: str
) -> None:
    bots.announce_version(site, admin, "hello", NEW)

    bot = bots.upload(site, admin, "hello", "1.0.0", given, [package()])

    assert bot.versions[0].file_name == kept


def test_secrets_and_heavy_folders_in_a_package_are_told(site: Site, admin: Principal) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name in ("bot.py", ".env", "web/node_modules/x/index.js", "venv/pyvenv.cfg"):
            packed.writestr(name, "1")
    bots.announce_version(site, admin, "hello", NEW)

    bot = bots.upload(site, admin, "hello", "1.0.0", "hello.zip", [made.getvalue()])

    told = " ".join(bot.versions[0].findings)
    assert len(bot.versions[0].findings) == 3
    assert all(word in told for word in (".env", "node_modules", "environment"))


def test_an_archive_that_eats_memory_ends_its_own_checker_only(tmp_path: Any) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("zeros", b"\0" * 300_000_000)

    with pytest.raises(ArchiveError) as refused:
        check_package(path, "bomb.zip")

    assert refused.value.reason in {"ratio", "too_big"}


def test_a_version_without_a_file_cannot_be_released(site: Site, admin: Principal) -> None:
    bots.announce_version(site, admin, "hello", NEW)

    with pytest.raises(Conflict, match="no file"):
        bots.release(site, admin, "hello", "1.0.0")


def test_releasing_an_older_version_rolls_back(site: Site, admin: Principal, deploy: Deploy) -> None:
    deploy("hello", "1.0.0")
    deploy("hello", "1.1.0")

    assert bots.release(site, admin, "hello", "1.0.0").release == "1.0.0"


def test_the_released_version_cannot_be_excluded_and_others_can(site: Site, admin: Principal, deploy: Deploy) -> None:
    deploy("hello", "1.0.0")
    deploy("hello", "1.1.0")

    with pytest.raises(Conflict, match="is released"):
        bots.exclude(site, admin, "hello", "1.1.0")
    bots.exclude(site, admin, "hello", "1.0.0")

    assert [version.version for version in bots.get_bot(site, admin, "hello").versions] == ["1.1.0"]
    with pytest.raises(NotFound, match=r"no version '1\.0\.0'"):
        bots.exclude(site, admin, "hello", "1.0.0")


def test_an_excluded_versions_name_may_be_used_again(site: Site, admin: Principal) -> None:
    bots.announce_version(site, admin, "hello", NEW)
    first = bots.get_bot(site, admin, "hello")

    bots.exclude(site, admin, "hello", "1.0.0")

    assert bots.list_bots(site, admin) == []
    assert bots.announce_version(site, admin, "hello", NEW).id != first.id, "ids are never used again"


def test_a_bot_that_an_automation_uses_stays_with_its_last_version_gone(site: Site, admin: Principal) -> None:
    bots.announce_version(site, admin, "hello", NEW)
    automations.create(site, admin, wire.NewAutomation(label="daily", bot_id="hello"))

    bots.exclude(site, admin, "hello", "1.0.0")

    bot = bots.get_bot(site, admin, "hello")
    assert (bot.versions, bot.automations) == ([], ["daily"])


@pytest.mark.parametrize(
    ("bot_id", "changed", "path"),
    [
        ("no label", {}, "bot_id"),
        ("../hello", {}, "bot_id"),
        ("hello", {"version": ""}, "version"),
        ("hello", {"version": "1 0"}, "version"),
        ("hello", {"technology": ""}, "technology"),
        ("hello", {"command": "two\nlines"}, "command"),
        ("hello", {"command": "nul\0"}, "command"),
    ],
)
def test_names_that_cannot_be_used_are_refused_by_field(
    site: Site, admin: Principal, bot_id: str, changed: dict[str, str], path: str
) -> None:
    said = {"version": "1.0.0", "technology": "PYTHON"} | changed

    with pytest.raises(InvalidInput) as refused:
        bots.announce_version(site, admin, bot_id, wire.NewVersion(**said))

    assert refused.value.details["path"] == path
    assert bots.list_bots(site, admin) == []


def test_an_unknown_repository_is_refused_and_no_bot_is_made(site: Site, admin: Principal) -> None:
    with pytest.raises(NotFound, match="no repository 'TEST'"):
        bots.announce_version(site, admin, "hello", wire.NewVersion(version="1", technology="JAVA", repository="TEST"))

    assert bots.list_bots(site, admin) == []


def test_a_misspelt_bot_is_guessed(site: Site, admin: Principal, deploy: Deploy) -> None:
    deploy("invoices")

    with pytest.raises(NotFound) as refused:
        bots.get_bot(site, admin, "invoises")

    assert refused.value.hint == "did you mean 'invoices'?"


def test_of_many_who_announce_one_version_at_once_one_succeeds(site: Site, admin: Principal) -> None:
    ends: list[str] = []

    def announce() -> None:
        try:
            bots.announce_version(site, admin, "hello", NEW)
            ends.append("made")
        except Conflict:
            ends.append("conflict")
        except BottoolError as error:
            ends.append(error.message)

    threads = [threading.Thread(target=announce) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(ends) == ["conflict"] * 7 + ["made"]
    assert len(bots.list_bots(site, admin)) == 1


def test_every_change_is_audited_with_who_did_it(site: Site, admin: Principal, deploy: Deploy) -> None:
    deploy("hello")

    acts = site.store.read(
        lambda tx: tx.execute(sa.select(tables.audit.c.act, tables.audit.c.actor, tables.audit.c.subject)).all()
    )

    assert ("bot.deploy", admin.name, "hello") in [tuple(row) for row in acts]
    assert ("bot.release", admin.name, "hello") in [tuple(row) for row in acts]
