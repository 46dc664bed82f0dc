"""The bytes of result files: kept once, replaced at once or not at all, and gone when nobody needs them any more."""

import errno
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottool import wire
from bottool.errors import InvalidInput, NotFound, StaleAttempt, TooBig, Unavailable
from bottool_web.actions import artifacts, attempts, identity, swept, tasks
from bottool_web.actions.site import Site
from bottool_web.files import UNUSED_SECONDS, Files
from bottool_web.store.scope import Principal

Send = Callable[..., wire.Artifact]


def aged(site: Site, sha256: str) -> None:
    then = site.files.artifact(sha256).stat().st_mtime - UNUSED_SECONDS
    os.utime(site.files.artifact(sha256), (then, then))


def test_equal_bytes_are_kept_once_and_until_the_last_that_needs_them_is_gone(
    site: Site, admin: Principal, an_artifact: Send, stored: Callable[[], set[str]]
) -> None:
    first, second = an_artifact(), an_artifact()
    aged(site, first.sha256)
    assert stored() == {first.sha256}

    artifacts.delete(site, admin, first.id)
    assert artifacts.content(site, admin, second.id)[1].read_bytes() == b"a result"

    artifacts.delete(site, admin, second.id)
    assert stored() == set()
    with pytest.raises(NotFound):
        artifacts.get_artifact(site, admin, second.id)


def test_replaced_bytes_go_and_the_new_ones_stay(
    site: Site, admin: Principal, an_artifact: Send, stored: Callable[[], set[str]]
) -> None:
    before = an_artifact()
    aged(site, before.sha256)

    after = artifacts.upload(site, admin, before.id, [b"another ", b"result"])

    assert stored() == {after.sha256}
    assert artifacts.content(site, admin, before.id)[1].read_bytes() == b"another result"


def test_bytes_that_came_just_now_are_not_dropped_with_the_last_row(
    site: Site, admin: Principal, an_artifact: Send, stored: Callable[[], set[str]]
) -> None:
    """Somebody may have sent the same bytes and not yet written that he needs them."""
    made = an_artifact()

    artifacts.delete(site, admin, made.id)
    assert stored() == {made.sha256}
    assert swept.sweep(site) == 0

    aged(site, made.sha256)
    assert swept.sweep(site) == 1
    assert stored() == set()


def test_bytes_that_come_again_are_young_again(site: Site, an_artifact: Send, stored: Callable[[], set[str]]) -> None:
    made = site.files.add_artifact([b"from a server that was killed"], limit_bytes=100)
    aged(site, made.sha256)

    site.files.add_artifact([b"from a server that was killed"], limit_bytes=100)

    assert swept.sweep(site) == 0
    assert stored() == {made.sha256}


def test_no_sweep_takes_what_a_row_needs(site: Site, an_artifact: Send, stored: Callable[[], set[str]]) -> None:
    needed = [an_artifact(f"result {number}".encode()) for number in range(20)]
    for each in needed:
        aged(site, each.sha256)
    (site.files.root / "artifacts" / "00").mkdir(exist_ok=True)
    (site.files.root / "artifacts" / "00" / "no checksum").write_bytes(b"")

    assert swept.sweep(site) == 0
    assert {each.sha256 for each in needed} <= stored()


def test_bytes_that_another_part_of_the_site_needs_stay(
    site: Site, admin: Principal, an_artifact: Send, deploy: Callable[..., wire.Bot], package: Callable[..., bytes]
) -> None:
    deploy("other", "2.0")
    made = an_artifact(package("other 2.0"), "the same.zip")
    aged(site, made.sha256)

    artifacts.delete(site, admin, made.id)

    assert swept.sweep(site) == 0
    assert site.files.artifact(made.sha256).is_file()


def test_whoever_sends_and_deletes_the_same_bytes_at_once_loses_none(
    site: Site, admin: Principal, an_artifact: Send
) -> None:
    an_artifact()

    def send_and_delete(number: int) -> None:
        for _ in range(10):
            made = an_artifact()
            assert artifacts.content(site, admin, made.id)[1].read_bytes() == b"a result"
            if number % 2:
                artifacts.delete(site, admin, made.id)

    with ThreadPoolExecutor(5) as pool:
        working = [pool.submit(send_and_delete, number) for number in range(4)]
        pool.submit(lambda: [swept.sweep(site) for _ in range(20)])
        for each in working:
            each.result()

    for each in artifacts.list_artifacts(site, admin, artifacts.Asked(limit=1000)):
        assert artifacts.content(site, admin, each.id)[1].read_bytes() == b"a result"


def test_an_upload_that_breaks_off_leaves_what_was_there(
    site: Site, admin: Principal, an_artifact: Send, stored: Callable[[], set[str]]
) -> None:
    before = an_artifact()

    def broken() -> Iterator[bytes]:
        yield b"half of"
        raise ConnectionResetError("the line is dead")

    with pytest.raises(ConnectionResetError):
        artifacts.upload(site, admin, before.id, broken())

    assert artifacts.get_artifact(site, admin, before.id) == before
    assert stored() == {before.sha256}
    assert list((site.files.root / "incoming").iterdir()) == []


def test_a_file_beyond_the_limit_is_refused_at_the_first_piece_that_is_too_much(
    site: Site, admin: Principal, task: wire.Task
) -> None:
    small, sent = replace(site, settings=replace(site.settings, artifact_limit_bytes=1000)), []

    def endless() -> Iterator[bytes]:
        while True:
            sent.append(1)
            yield b"x" * 100

    with pytest.raises(TooBig):
        artifacts.send(small, admin, wire.NewArtifact(task_id=task.id, name="big"), endless())

    assert len(sent) == 11
    assert artifacts.list_artifacts(site, admin, artifacts.Asked()) == []


def test_a_disk_that_is_nearly_full_takes_no_file(
    site: Site, admin: Principal, task: wire.Task, tmp_path: Path
) -> None:
    full = replace(site, files=Files(tmp_path / "full", floor_bytes=2**62))

    with pytest.raises(Unavailable, match="nearly full"):
        artifacts.send(full, admin, wire.NewArtifact(task_id=task.id, name="a"), [b"x"])

    assert artifacts.list_artifacts(site, admin, artifacts.Asked()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_is_told_as_what_it_is(tmp_path: Path, code: int) -> None:
    files = Files(tmp_path)

    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise OSError(code, "no room")

    with pytest.raises(Unavailable, match="full"):
        files.add_artifact(pieces(), limit_bytes=10)

    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "file_name", "shown", "called"),
    [
        ("report", "C:\\bots\\out\\report.csv", "report", "report.csv"),
        ("", "/home/bot/../../etc/passwd", "passwd", "passwd"),
        ("only a name.txt", "", "only a name.txt", "only a name.txt"),
        ("a\nb\x00c\u202e", "x\r\ny.txt", "abc", "xy.txt"),
        ("relatório", "ação 日本.pdf", "relatório", "ação 日本.pdf"),
        ("long", "x" * 300 + ".pdf", "long", "x" * 196 + ".pdf"),
        ("dots", "..", "dots", "dots"),
        ("half \ud800", "a.txt", "half", "a.txt"),
    ],
)
def test_names_lose_paths_and_control_characters(
    site: Site, admin: Principal, task: wire.Task, name: str, file_name: str, shown: str, called: str
) -> None:
    made = artifacts.create(site, admin, wire.NewArtifact(task_id=task.id, name=name, file_name=file_name))

    assert (made.name, made.file_name, made.state) == (shown, called, "announced")


def test_a_file_without_any_name_is_refused(site: Site, admin: Principal, task: wire.Task) -> None:
    with pytest.raises(InvalidInput, match="no name"):
        artifacts.create(site, admin, wire.NewArtifact(task_id=task.id, name="\n", file_name="../.."))


@pytest.mark.parametrize(
    ("content", "name", "media_type"),
    [
        (b"\x89PNG\r\n\x1a\n rest", "a.txt", "image/png"),
        (b"\xff\xd8\xff\xe0", "a", "image/jpeg"),
        (b"GIF89a", "a.html", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8", "a", "image/webp"),
        (b"%PDF-1.7", "a", "application/pdf"),
        (b"PK\x03\x04", "a.zip", "application/zip"),
        (b"\xef\xbb\xbfa;b\n1;2", "a.CSV", "text/csv"),
        (b' {"a": 1}', "a.json", "application/json"),
        (b"  <!DOCTYPE html><p>", "a.txt", "text/html"),
        (b"<svg xmlns=''>", "a.png", "image/svg+xml"),
        ("ol\xe1".encode(), "a.log", "text/plain"),
        (("x" * 4095 + "\xe1").encode(), "a.log", "text/plain"),
        (b"\xff\xfe\x00", "a.csv", "application/octet-stream"),
        (b"a\0b", "a.txt", "application/octet-stream"),
        (b"", "a.bin", "text/plain"),
    ],
)
def test_the_bytes_say_what_a_file_is(an_artifact: Send, content: bytes, name: str, media_type: str) -> None:
    assert an_artifact(content, name).media_type == media_type


def test_a_request_that_is_sent_again_makes_one_artifact(site: Site, admin: Principal, task: wire.Task) -> None:
    new = wire.NewArtifact(task_id=task.id, name="a.txt")

    made = [artifacts.send(site, admin, new, [b"x"], idempotency_key="one") for _ in range(2)]

    assert made[0] == made[1]
    with pytest.raises(InvalidInput):
        artifacts.send(site, admin, replace_name(new), [b"x"], idempotency_key="one")


def replace_name(new: wire.NewArtifact) -> wire.NewArtifact:
    return wire.NewArtifact(task_id=new.task_id, name="other")


def test_a_bot_that_was_replaced_hands_nothing_in_any_more(
    site: Site, task: wire.Task, a_runner: Callable[..., Principal], an_artifact: Send
) -> None:
    box = a_runner()
    said = wire.Sync(
        session_id="s1",
        installation_id="of-box-1",
        claim_key="k",
        free_slots=1,
        capabilities=wire.Capabilities(languages=["python"]),
    )
    work = attempts.sync(site, box, said).work[0]
    bot = identity.principal_of_token(site, attempts.permit(site, box, work.task_id, work.attempt).token)
    sent = artifacts.send(site, bot, wire.NewArtifact(task_id=task.id, name="a.txt"), [b"mine"])
    assert sent.attempt == work.attempt
    stale = replace(bot, attempt=work.attempt - 1)

    for act in (
        lambda: artifacts.create(site, stale, wire.NewArtifact(task_id=task.id, name="b.txt")),
        lambda: artifacts.send(site, stale, wire.NewArtifact(task_id=task.id, name="b.txt"), [b"x"]),
        lambda: artifacts.upload(site, stale, sent.id, [b"x"]),
    ):
        with pytest.raises(StaleAttempt):
            act()

    assert artifacts.get_artifact(site, bot, sent.id) == sent


def test_nobody_sees_the_files_of_another_workspace(
    site: Site, other_workspace: Any, admin: Principal, an_artifact: Send, task: wire.Task
) -> None:
    stranger, made = other_workspace.principal("administrator"), an_artifact()

    for act in (
        lambda: artifacts.get_artifact(site, stranger, made.id),
        lambda: artifacts.content(site, stranger, made.id),
        lambda: artifacts.upload(site, stranger, made.id, [b"x"]),
        lambda: artifacts.delete(site, stranger, made.id),
        lambda: artifacts.create(site, stranger, wire.NewArtifact(task_id=task.id, name="x")),
        lambda: artifacts.send(site, stranger, wire.NewArtifact(task_id=task.id, name="x"), [b"x"]),
    ):
        with pytest.raises(NotFound):
            act()

    assert artifacts.list_artifacts(site, stranger, artifacts.Asked()) == []
    assert artifacts.list_artifacts(site, stranger, artifacts.Asked(task_id=task.id)) == []


def test_files_are_found_by_name_automation_task_and_period(
    site: Site, admin: Principal, an_artifact: Send, an_automation: Callable[..., Any], task: wire.Task, clock: Any
) -> None:
    old = an_artifact(name="Old 100%.csv")
    clock.advance(3 * 86400)
    an_automation("weekly")
    other = tasks.create(site, admin, wire.NewTask(automation="weekly"))
    new = artifacts.send(site, admin, wire.NewArtifact(task_id=other.id, name="new_1.csv"), [b"x"])

    def found(**asked: Any) -> list[int]:
        return [each.id for each in artifacts.list_artifacts(site, admin, artifacts.Asked(**asked))]

    assert found() == [new.id, old.id]
    assert found(name="CSV") == [new.id, old.id]
    assert found(name="0%") == [old.id]
    assert found(name="w_1") == [new.id]
    assert found(name="_") == [new.id]
    assert found(automation="weekly") == [new.id]
    assert found(task_id=task.id) == [old.id]
    assert found(days=2) == [new.id]
    assert found(before=new.id) == [old.id]
    assert found(limit=1, first=1) == [old.id]
    assert found(sort="name", descending=False) == [old.id, new.id]
    clock.advance(3 * 86400)
    assert found(days=2) == []
