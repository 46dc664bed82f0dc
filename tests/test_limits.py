"""The parts of watching: how often, how a folder is measured, what the kernel's counters say, and how amounts are written."""

import os
import sys
import time

import pytest

from bottool import quantities
from bottool.errors import InvalidInput
from bottool.limits import FolderMeter, Heard, Pace
from bottool.memory_killer import MemoryKiller
from bottool.process import start


def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_what_takes_long_is_measured_more_rarely():
    pace = Pace(0.25)
    with pace.measured():
        burn(0.02)

    assert 3.5 < pace.due_at - time.monotonic() < 8
    assert not pace.is_due()


def test_what_takes_no_time_is_measured_as_often_as_wished():
    pace = Pace(0.25)
    with pace.measured():
        pass

    assert 0.2 < pace.due_at - time.monotonic() <= 0.25


def test_measuring_never_waits_for_ever():
    pace = Pace(0.25, 0.5)
    with pace.measured():
        burn(0.1)

    assert pace.due_at - time.monotonic() <= 0.5


def test_the_watch_of_fifty_processes_costs_less_than_a_hundredth_of_a_core(tmp_path):
    program = (
        "import os, time\nfor _ in range(49):\n    if os.fork() == 0: break\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    heard, pace = [], Pace(0.25)
    tree = start(
        [sys.executable, "-c", program], folder=tmp_path, variables=dict(os.environ), output=lambda *_: heard.append(1)
    )
    try:
        deadline = time.monotonic() + 30
        while len(tree.members()) < 50 and time.monotonic() < deadline:
            time.sleep(0.05)
        costs = []
        for _ in range(5):
            began = time.thread_time()
            with pace.measured():
                usage = tree.usage()
            costs.append((time.thread_time() - began) / max(pace.due_at - time.monotonic(), 0.001))
        assert usage.processes == 50
        assert usage.open_files >= 100
        assert sorted(costs)[2] < 0.01, costs
    finally:
        tree.stop(0)
        tree.close(1)


def test_output_is_counted_and_its_last_moment_known():
    now = [5.0]
    passed = []
    heard = Heard(lambda stream, data: passed.append((stream, data)), clock=lambda: now[0])
    assert (heard.size_bytes, heard.last_at) == (0, 5.0)

    now[0] = 7.0
    heard(2, b"abc")

    assert (heard.size_bytes, heard.last_at, passed) == (3, 7.0, [(2, b"abc")])


def measured(folder, seconds=20):
    meter, deadline = FolderMeter(folder), time.monotonic() + seconds
    while time.monotonic() < deadline and not meter._again_at:
        meter.go_on()
    return meter.size_bytes


def test_a_folder_is_measured_with_all_below_and_without_what_is_linked_to(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "large").write_bytes(os.urandom(5_000_000))
    work = tmp_path / "work"
    for number in range(250):
        (work / f"{number}" / "deep").mkdir(parents=True)
        (work / f"{number}" / "deep" / "file").write_bytes(os.urandom(4096))
    (work / "link").symlink_to(outside, target_is_directory=True)

    assert 250 * 4096 <= measured(work) < 4_000_000


def test_a_folder_that_is_gone_measures_nothing(tmp_path):
    assert measured(tmp_path / "gone") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="control groups are of Linux")
class TestMemoryKiller:
    """With a control group as files: making real ones needs rights that tests do not have."""

    @pytest.fixture
    def group(self, tmp_path, monkeypatch):
        root = tmp_path / "cgroup"
        monkeypatch.setattr("bottool.memory_killer._ROOT", root)
        monkeypatch.setattr(
            "bottool.memory_killer._COUNTERS",
            {"": (root, "memory.events"), "memory": (root / "memory", "memory.oom_control")},
        )

        def make(line, file, text):
            (tmp_path / "7").mkdir(exist_ok=True)
            (tmp_path / "7" / "cgroup").write_text(line)
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            return path

        return tmp_path, make

    @pytest.mark.parametrize(
        ("line", "file", "text"),
        [
            (
                "0::/bots/one\n",
                "bots/one/memory.events",
                "low 0\nhigh 0\nmax 7\noom 2\noom_kill {}\noom_group_kill 0\n",
            ),
            (
                "9:cpu:/x\n4:memory:/bots\n",
                "memory/bots/memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill {}\n",
            ),
            ("0::/of/the/host\n", "memory.events", "oom_kill {}\n"),
        ],
    )
    def test_a_kill_since_the_start_is_seen(self, group, line, file, text):
        proc, make = group
        counter = make(line, file, text.format(3))
        killer = MemoryKiller.beside(7, proc)
        assert not killer.has_killed()

        counter.write_text(text.format(4))

        assert killer.has_killed()

    def test_nothing_that_can_be_read_is_no_kill(self, group):
        proc, _ = group

        assert not MemoryKiller.beside(7, proc).has_killed()


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("500MB", 500_000_000),
        ("1.5 GiB", 1_610_612_736),
        ("2g", 2_000_000_000),
        ("1000", 1000),
        ("512Mi", 536_870_912),
        ("0", 0),
    ],
)
def test_sizes_are_read(text, amount):
    assert quantities.size_bytes(text) == amount


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("10m", 600),
        ("10 min", 600),
        ("2 hours", 7200),
        ("1.5h", 5400),
        ("2d", 172_800),
        ("5 mins", 300),
    ],
)
def test_durations_are_read(text, seconds):
    assert quantities.duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "MB", "-5MB", "5 XB", "five", "1e9", "5 MB 3", "9" * 30])
def test_what_is_no_amount_is_refused_with_a_hint(text):
    for read in (quantities.size_bytes, quantities.duration_seconds):
        with pytest.raises(InvalidInput) as caught:
            read(text)
        assert "write a number with a unit" in caught.value.hint


@pytest.mark.parametrize("amount", [0, 1, 999, 1000, 1024, 500_000_000, 536_870_912, 1_500_000, 86_400, 90, 3601])
def test_amounts_are_written_without_loss(amount):
    assert quantities.size_bytes(quantities.size_text(amount)) == amount
    assert quantities.duration_seconds(quantities.duration_text(amount)) == amount
