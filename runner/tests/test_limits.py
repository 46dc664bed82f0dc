"""What an attempt may use and print, in the keeper: limits that the server sent, and floods of output."""

import re
import threading
import time

import psutil
import pytest

from bottool import process, wire
from bottool.model import Outcome, Reason
from bottool_runner.handover import HandedPermit, KeeperProcess
from bottool_runner.journal import Process
from bottool_runner.leftovers import stop_processes
from bottool_runner.limits import LimitNews, limits_of, told_as

PERMIT = HandedPermit(server="http://127.0.0.1:1", workspace="workspace", token="secret-token-of-this-bot-0123456789")
MB = 1_000_000
OUT, NOTE = wire.Stream.STDOUT, wire.Stream.NOTE


class Watched:
    """A keeper at work, and the most memory it had. ``wait`` gives its report."""

    def __init__(self, folder, until):
        self.folder, self.until = folder, until
        self.keeper = KeeperProcess(folder.path)
        until(lambda: folder.has("ready") or self.keeper.has_ended())
        self.process = psutil.Process(folder.read("keeper.pid", Process).pid)
        self.before = self.process.memory_info().rss
        self.most = self.before
        folder.publish("intent", {})
        self.keeper.hand_over(PERMIT)
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()

    def _look(self):
        while not self.keeper.has_ended():
            try:
                self.most = max(self.most, self.process.memory_info().rss)
            except psutil.Error:
                return
            time.sleep(0.02)

    def wait(self, seconds=60):
        self.until(self.keeper.has_ended, seconds)
        self._watch.join()
        return self.folder.read("exit", wire.Ended)

    def end(self):
        self.keeper.let_go()
        self.keeper.kill()
        self.keeper.collect(10)
        stop_processes(self.folder, process.boot_id())


@pytest.fixture
def keep(until):
    begun = []

    def start(folder):
        begun.append(Watched(folder, until))
        return begun[-1]

    yield start
    for each in begun:
        each.end()


def frames(folder):
    return list(wire.frames(folder.spool.read_bytes()))


def text(folder, stream=OUT):
    return b"".join(frame.data for frame in frames(folder) if frame.stream is stream)


def test_a_silent_bot_is_told_of_stopped_and_reported_with_its_steps(bench, keep):
    limits = wire.WorkLimits(silence_seconds=1, interrupt_seconds=1)
    folder = bench.attempt("import time; print('hello', flush=True); time.sleep(60)", limits=limits)
    watched = keep(folder)

    watched.until(lambda: folder.has("limit"))
    told = []
    news = LimitNews(folder, told.append, ValueError)
    news.look()
    news.look()
    ended = watched.wait()

    assert [(each.reason, each.message) for each in told] == [("silent", "printed nothing for 1 s")]
    assert (ended.reason, ended.message) == ("silent", "printed nothing for 1 s and was stopped")
    assert list(ended.steps) == ["asked", "signalled"]
    assert abs(told[0].at - ended.steps["asked"]) < 1
    assert text(folder, NOTE).decode().endswith("printed nothing for 1 s and was stopped")
    assert b"printed nothing for 1 s and is asked to end" in text(folder, NOTE)


def test_a_server_that_knows_no_limits_is_told_nothing_new(bench):
    old, new = bench.work(bench.package("")), bench.work(bench.package(""), limits=wire.WorkLimits())
    outcome = Outcome(reason=Reason.OUT_OF_MEMORY, exit_code=-9)

    assert told_as(outcome, old).reason is Reason.EXITED
    assert told_as(outcome, new).reason is Reason.OUT_OF_MEMORY
    assert limits_of(old).interrupt_seconds == 0


def test_a_server_that_refuses_to_hear_of_a_limit_changes_nothing(bench):
    folder, asked = bench.attempt(), []
    folder.publish("limit", wire.LimitReached(reason="silent", message="printed nothing for 1 s", at=1.0))

    def refuse(said):
        asked.append(said)
        raise ValueError

    news = LimitNews(folder, refuse, ValueError)
    news.look()
    news.look()

    assert len(asked) == 1


FLOOD = """
import os
piece = b"".join(b"%09d\\n" % number for number in range(6553))
for number in range({pieces}):
    os.write(1, piece)
os.write(2, b"that was all\\n")
"""
PIECE = 65530


@pytest.mark.parametrize(("megabytes", "within_seconds"), [(50, 60), pytest.param(1000, 100, marks=pytest.mark.long)])
def test_a_flood_of_output_is_kept_in_part_and_counted_exactly(bench, keep, megabytes, within_seconds):
    pieces = megabytes * MB // PIECE
    folder = bench.attempt(FLOOD.format(pieces=pieces), limit_bytes=10 * MB)
    began, watched = time.monotonic(), keep(folder)

    ended = watched.wait(within_seconds)
    took = time.monotonic() - began

    kept = text(folder)
    cut = int(re.search(rb"(\d+) bytes of output were not kept", text(folder, NOTE))[1])
    assert (ended.reason, ended.exit_code) == ("exited", 0)
    assert len(kept) + cut == pieces * PIECE, "standard error, which came last, is kept whole"
    assert folder.spool.stat().st_size <= 10 * MB
    assert kept.endswith(b"000006552\n")
    assert text(folder, wire.Stream.STDERR) == b"that was all\n"
    grown = watched.most - watched.before
    assert grown < 25 * MB, f"{grown / MB:.1f} MB"
    print(
        f"{megabytes} MB in {took:.1f} s; the keeper had {watched.before / MB:.1f} MB and at most {watched.most / MB:.1f} MB"
    )


def test_a_line_of_a_hundred_megabytes_takes_no_memory(bench, keep):
    code = "import os\nfor _ in range(1600):\n    os.write(1, b'x' * 65536)\nos.write(1, b'end\\n')"
    folder = bench.attempt(code, limit_bytes=200 * MB)
    watched = keep(folder)

    watched.wait(100)

    size = sum(len(frame.data) for frame in frames(folder) if frame.stream is OUT)
    assert size == 1600 * 65536 + 4
    grown = watched.most - watched.before
    assert grown < 25 * MB, f"{grown / MB:.1f} MB"
    print(f"the keeper had {watched.before / MB:.1f} MB and at most {watched.most / MB:.1f} MB")


def test_both_halves_of_a_secret_line_are_kept_in_one_frame(bench, keep):
    code = "import os, time\nos.write(1, b'password: hun')\ntime.sleep(0.05)\nos.write(1, b'ter2!\\n')"
    folder = bench.attempt(code)

    keep(folder).wait()

    assert [frame.data for frame in frames(folder) if frame.stream is OUT] == [b"password: hunter2!\n"]


def test_exact_bytes_with_colours_and_partial_lines_are_kept_with_their_stream(bench, keep):
    code = (
        "import os\n"
        "os.write(1, bytes(range(256)) + b'\\x1b[31mred\\x1b[0m\\r50 %\\r100 %')\n"
        "os.write(2, b'\\xff\\xfe no text')"
    )
    folder = bench.attempt(code)

    keep(folder).wait()

    assert text(folder, OUT) == bytes(range(256)) + b"\x1b[31mred\x1b[0m\r50 %\r100 %"
    assert text(folder, wire.Stream.STDERR) == b"\xff\xfe no text"


@pytest.mark.long
def test_watching_fifty_processes_against_all_limits_costs_less_than_a_hundredth_of_a_core(bench, keep):
    code = "import os, time\nfor _ in range(49):\n    if os.fork() == 0: break\ntime.sleep(32)"
    limits = wire.WorkLimits(
        silence_seconds=600, memory_bytes=4000 * MB, processes=100, output_bytes=MB, disk_bytes=1000 * MB
    )
    folder = bench.attempt(code, limits=limits)
    for number in range(3000):
        path = folder.path / "bot" / "data" / str(number % 50) / str(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 1000)
    watched = keep(folder)
    watched.until(lambda: len(watched.process.children(recursive=True)) >= 50, 30)

    before, began = watched.process.cpu_times(), time.monotonic()
    time.sleep(20)
    after, took = watched.process.cpu_times(), time.monotonic() - began

    share = (after.user + after.system - before.user - before.system) / took
    print(f"{share:.2%} of a core")
    assert share < 0.01
    assert watched.wait().reason == "exited"
