import os
import subprocess
import sys
import threading

import pytest

from bottool import wire
from bottool_runner.journal import AttemptFolder, Intent, Next, NotPrepared, Process, Ticket, found, other_boot, settle
from bottool_runner.system import FileLock, is_locked

BOOT = "this boot"
ENDED = wire.Ended(report_key="key", reason="exited", exit_code=0)


@pytest.fixture
def folder(bench):
    return bench.attempt()


def by_keeper(folder, *, boot_id=BOOT):
    """What a keeper leaves that took the ticket."""
    folder.publish("keeper.pid", Process(pid=1, create_time=1.0, boot_id=boot_id))
    folder.publish("ready", {})
    folder.publish("intent", {})
    assert folder.take_ticket(Ticket.KEEPER)


@pytest.fixture
def held(folder):
    lock = FileLock(folder.lock)
    assert lock.acquire()
    yield
    lock.release()


def test_an_attempt_that_nobody_got_the_permit_for_begins_again(folder):
    folder.publish("ready", {})

    assert settle(folder) is Next.BEGIN
    assert folder.ticket() is Ticket.FREE


def test_an_intent_without_a_ticket_becomes_void_and_stays_void(folder):
    folder.publish("intent", {})

    assert settle(folder) is Next.VOID
    assert not folder.take_ticket(Ticket.KEEPER), "no keeper may start the bot after that"
    assert settle(folder) is Next.VOID


def test_a_void_ticket_is_void_even_without_an_intent(folder):
    assert folder.take_ticket(Ticket.VOID)

    assert settle(folder) is Next.VOID


def test_a_keeper_that_holds_its_lock_is_followed(folder, held):
    by_keeper(folder)

    assert settle(folder) is Next.FOLLOW


def test_a_keeper_that_published_an_exit_is_reported(folder):
    by_keeper(folder)
    folder.publish_once("exit", ENDED)

    assert settle(folder) is Next.REPORT


def test_a_keeper_with_neither_lock_nor_exit_has_died(folder):
    by_keeper(folder)

    assert settle(folder) is Next.DIED


def test_a_held_lock_proves_that_the_keeper_lives_whatever_the_boot_seems_to_be(folder, held):
    by_keeper(folder, boot_id="seems to be an earlier boot")

    assert settle(folder) is Next.FOLLOW


def test_an_exit_from_before_a_restart_of_the_machine_counts(folder):
    by_keeper(folder, boot_id="an earlier boot")
    folder.publish_once("exit", ENDED)

    assert settle(folder) is Next.REPORT


def test_a_bot_that_could_not_be_prepared_is_handed_back(folder):
    folder.publish("not_prepared", NotPrepared(reason="no interpreter"))

    assert settle(folder) is Next.HAND_BACK


def test_what_the_server_knows_is_only_deleted(folder):
    by_keeper(folder)
    folder.publish("acked", {})

    assert settle(folder) is Next.DELETE


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b'"kee', b"[]"])
def test_a_torn_ticket_counts_as_taken_by_the_keeper(folder, content):
    folder.publish("intent", {})
    (folder.path / "start.ticket").write_bytes(content)

    assert settle(folder) is Next.DIED
    assert not folder.take_ticket(Ticket.VOID)


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b'{"report_key":"k', b"{}"])
def test_a_torn_exit_is_no_exit(folder, content):
    by_keeper(folder)
    (folder.path / "exit").write_bytes(content)

    assert settle(folder) is Next.DIED


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 2}', b"[1]"])
def test_work_that_cannot_be_read_is_given_back_and_never_started(folder, content):
    (folder.path / "work.json").write_bytes(content)

    assert settle(folder) is Next.VOID
    assert not folder.take_ticket(Ticket.KEEPER)


def test_a_torn_not_prepared_begins_again(folder):
    (folder.path / "not_prepared").write_bytes(b'{"rea')

    assert settle(folder) is Next.BEGIN


@pytest.mark.parametrize("size", [0, 1, 5, 11])
def test_an_intent_counts_by_being_there_however_torn(folder, size):
    (folder.path / "intent").write_bytes(b'{"boot":"x"}'[:size])

    assert settle(folder) is Next.VOID


def test_of_many_who_reach_for_the_ticket_exactly_one_gets_it(folder):
    for _ in range(30):
        (folder.path / "start.ticket").unlink(missing_ok=True)
        barrier, won = threading.Barrier(4), []

        def reach(who, barrier=barrier, won=won):
            barrier.wait()
            if folder.take_ticket(who):
                won.append(who)

        threads = [threading.Thread(target=reach, args=(who,)) for who in [Ticket.KEEPER, Ticket.VOID] * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(won) == 1
        assert folder.ticket() is won[0]


def test_a_file_system_without_links_still_gives_the_ticket_once(folder, monkeypatch):
    def no_links(*_):
        raise OSError(95, "operation not supported")

    monkeypatch.setattr(os, "link", no_links)

    assert folder.take_ticket(Ticket.KEEPER)
    assert not folder.take_ticket(Ticket.VOID)
    assert folder.ticket() is Ticket.KEEPER


def test_publishing_leaves_no_temporary_files_and_never_a_torn_one(folder):
    before = set(os.listdir(folder.path))
    for number in range(20):
        folder.publish("started", Process(pid=number, create_time=0.0, boot_id=BOOT))
        assert folder.read("started", Process).pid == number

    assert set(os.listdir(folder.path)) == before | {"started"}


def test_half_made_and_half_removed_folders_are_taken_away_and_strangers_are_left(bench):
    folder = bench.attempt(task_id=7)
    older = bench.attempt(task_id=6, attempt=2)
    (bench.attempts / ".new-8-1-abc").mkdir()
    (bench.attempts / ".doomed-9-1-abc").mkdir()
    (bench.attempts / "notes").mkdir()

    assert [each.key for each in found(bench.attempts)] == [older.key, folder.key] == [(6, 2), (7, 1)]
    assert sorted(os.listdir(bench.attempts)) == ["6-2", "7-1", "notes"]


def test_a_deleted_folder_is_gone(folder, bench):
    (folder.path / "bot").mkdir()

    folder.delete()

    assert os.listdir(bench.attempts) == []


def test_what_an_unpermitted_keeper_made_is_wiped_and_the_work_stays(folder):
    for name in ("ready", "not_prepared", "stop"):
        folder.publish(name, {})
    (folder.path / "bot").mkdir()
    (folder.path / "bot" / "file").touch()

    folder.wipe()

    assert sorted(os.listdir(folder.path)) == ["package", "work.json"]
    assert folder.assignment() is not None


def test_a_lock_dies_with_its_holder(tmp_path, until):
    code = "import pathlib, time; from bottool_runner.system import FileLock; "
    code += f"l = FileLock(pathlib.Path({str(tmp_path / 'lock')!r})); print(l.acquire(), flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"True\n"
        assert is_locked(tmp_path / "lock")
        assert not FileLock(tmp_path / "lock").acquire(0.05)

        holder.kill()
        holder.wait()

        assert until(lambda: not is_locked(tmp_path / "lock"))


def test_a_folder_by_another_name_is_no_attempt(tmp_path):
    with pytest.raises(ValueError, match="no attempt"):
        AttemptFolder(tmp_path / "7")


def test_a_folder_with_the_work_of_another_attempt_is_not_begun(bench):
    folder = bench.attempt(task_id=7)
    other = folder.path.with_name("8-1")
    folder.path.rename(other)

    assert AttemptFolder(other).assignment() is None


def test_after_a_power_cut_the_intent_alone_says_that_the_machine_was_restarted(bench):
    folder = bench.attempt()
    folder.publish("intent", Intent(boot_id="the boot before"))

    assert other_boot(folder, "this boot")
    assert not other_boot(folder, "the boot before")
