"""The fence: a bot whose machine lost contact is ended by its keeper well before its lease ends."""

import signal
import sys
import time

import psutil
import pytest

from bottool import process, wire
from bottool_runner import fence
from bottool_runner.handover import HandedPermit, KeeperProcess
from bottool_runner.journal import Next, Process, Ticket, settle
from bottool_runner.system import steady_clock

PERMIT = HandedPermit(server="http://127.0.0.1:1", workspace="workspace", token="secret-token-of-this-bot")
TELL = "import sys, time; open(WITNESS, 'a').write('start\\n'); "
LEASE = 9.0
LONG = TELL + "time.sleep(60)"
DEAF = (
    TELL.replace("import sys", "import signal, sys") + "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
)


def is_alive(started):
    return psutil.pid_exists(started.pid) and process.create_time_of(started.pid) == started.create_time


def draw(folder, *, ago=0.0, lease=LEASE, boot=None):
    fence.draw(folder, boot or process.boot_id(), sent_at=steady_clock() - ago, lease_seconds=lease)


def test_a_fence_is_only_ever_moved_forwards_and_only_where_there_is_one(bench):
    folder, plain = bench.attempt(fenced=True), bench.attempt(task_id=2)
    draw(folder, ago=1)
    first = folder.read(fence.FILE, fence.Fence)
    draw(folder, ago=2)
    draw(plain)

    assert folder.read(fence.FILE, fence.Fence) == first
    assert not plain.has(fence.FILE)
    draw(folder)
    assert folder.read(fence.FILE, fence.Fence).passes_at > first.passes_at + 0.9


@pytest.mark.parametrize("what", ["nothing", "torn", "another boot"])
def test_a_fence_that_says_nothing_has_passed(bench, what):
    folder = bench.attempt(fenced=True)
    if what == "torn":
        (folder.path / fence.FILE).write_bytes(b'{"boot_id": "')
    elif what == "another boot":
        draw(folder, boot="another boot")

    watch = fence.Watch(folder, process.boot_id(), fenced=True)

    assert watch.has_passed()
    assert watch.grace_seconds(10.0) == 0.0


def test_a_fence_passes_at_two_thirds_of_the_lease_and_stays_passed(bench):
    folder, now = bench.attempt(fenced=True), [steady_clock()]
    watch = fence.Watch(folder, process.boot_id(), fenced=True, clock=lambda: now[0])
    fence.draw(folder, process.boot_id(), sent_at=now[0], lease_seconds=60.0)

    now[0] += 39.9
    before = watch.has_passed()
    now[0] += 0.2
    after = watch.has_passed()
    fence.draw(folder, process.boot_id(), sent_at=now[0], lease_seconds=60.0)

    assert (before, after, watch.has_passed()) == (False, True, True)
    assert watch.grace_seconds(30.0) == pytest.approx(10.0)
    assert watch.grace_seconds(2.0) == 2.0


def test_an_attempt_without_a_fence_never_passes_one(bench):
    watch = fence.Watch(bench.attempt(), process.boot_id(), fenced=False)

    assert not watch.has_passed()
    assert watch.grace_seconds(10.0) == 10.0


def kept(folder, until):
    keeper = KeeperProcess(folder.path)
    until(lambda: folder.has("ready") or keeper.has_ended())
    folder.publish("intent", {"boot_id": process.boot_id()})
    keeper.hand_over(PERMIT)
    return keeper


@pytest.mark.parametrize(
    "code", [LONG, pytest.param(DEAF, marks=pytest.mark.skipif(sys.platform == "win32", reason="no signals to ignore"))]
)
def test_a_keeper_ends_its_bot_when_nobody_draws_its_fence_anew(bench, until, code):
    folder = bench.attempt(code, fenced=True)
    draw(folder)
    drawn = steady_clock()
    keeper = kept(folder, until)
    started = until(lambda: folder.read("started", Process))

    ended = until(lambda: folder.read("exit", wire.Ended))

    assert (ended.reason, ended.message) == ("fenced", fence.MESSAGE)
    assert LEASE * 2 / 3 - 0.5 < steady_clock() - drawn < LEASE + 1.5
    assert not is_alive(started)
    until(keeper.has_ended)
    assert settle(folder) is Next.REPORT


def test_a_bot_goes_on_while_its_fence_is_drawn_anew(bench, until):
    folder = bench.attempt(TELL + "time.sleep(5)", fenced=True)
    draw(folder, lease=3.0)
    keeper = kept(folder, until)

    while not folder.has("exit"):
        draw(folder, lease=3.0)
        time.sleep(0.3)

    assert folder.read("exit", wire.Ended).reason == "exited"
    until(keeper.has_ended)


def test_a_bot_whose_fence_has_passed_is_not_started(bench, until):
    folder = bench.attempt(TELL, fenced=True)
    draw(folder, ago=60)
    keeper = kept(folder, until)

    until(keeper.has_ended)

    assert bench.starts() == []
    assert folder.ticket() is Ticket.VOID
    assert settle(folder) is Next.VOID


def followed(machine, bench, server, until):
    """A runner whose bot runs behind a fence, with a lease that a test can wait for."""
    server.lease_seconds, server.hold_seconds = LEASE, 0.3
    task = server.add(bench.package(LONG), fenced=True)
    runner = machine.start()
    until(lambda: bench.starts() == ["start"])
    until(lambda: "started" in server.kinds(task))
    return task, runner, machine.attempts[0]


def test_a_bot_is_ended_when_its_runner_was_killed_and_the_next_one_reports_it(machine, bench, server, until):
    task, runner, folder = followed(machine, bench, server, until)

    runner.kill()
    runner.wait()
    ended = until(lambda: folder.read("exit", wire.Ended))
    machine.start()

    assert ended.reason == "fenced"
    until(lambda: server.ended(task))
    assert task.report["reason"] == "fenced"


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="nothing here can be frozen")
def test_a_bot_is_ended_when_its_runner_is_frozen(machine, bench, server, until):
    task, runner, folder = followed(machine, bench, server, until)

    runner.send_signal(signal.SIGSTOP)
    ended = until(lambda: folder.read("exit", wire.Ended))
    runner.send_signal(signal.SIGCONT)

    assert ended.reason == "fenced"
    until(lambda: server.ended(task))


def test_a_bot_goes_on_for_longer_than_a_lease_while_the_server_answers_and_ends_when_it_does_not(
    machine, bench, server, until
):
    task, _, folder = followed(machine, bench, server, until)
    assert server.syncs[-1]["fences"]
    time.sleep(LEASE)
    assert [kind for kind in server.kinds(task) if kind != "evidence"][-1] == "started"

    server.lost_requests["sync"] = 10**6

    ended = until(lambda: folder.read("exit", wire.Ended))
    server.lost_requests["sync"] = 0
    assert ended.reason == "fenced"
    until(lambda: server.ended(task))


def test_a_fence_counts_from_when_the_call_was_sent_however_late_its_answer_came(machine, bench, server, until):
    _, _, folder = followed(machine, bench, server, until)
    server.lease_seconds, server.hold_seconds = 30.0, 1.5
    until(lambda: folder.read(fence.FILE, fence.Fence).grace_seconds > 4)
    known, left = folder.read(fence.FILE, fence.Fence), []
    deadline = steady_clock() + 15

    while len(left) < 3 and steady_clock() < deadline:
        seen = folder.read(fence.FILE, fence.Fence)
        if seen != known:
            known = seen
            left.append(seen.passes_at - steady_clock())
        time.sleep(0.01)

    assert len(left) == 3
    assert max(left) < 20.0 - 1.3, left
