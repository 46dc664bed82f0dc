"""Process trees, with real programs that behave well, badly and worse."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import psutil
import pytest

from bottool.errors import LaunchError
from bottool.platform_process import hearers
from bottool.process import ProcessTree, boot_id, create_time_of, is_same_process, same_boot, start, stop_leftovers
from bottool.stopping import MARK

BOTS = Path(__file__).parent / "bots"
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="these bots fork")
needs_subreaper = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt its orphans")


class Heard:
    """What a bot has printed so far."""

    def __init__(self):
        self.pieces = []

    def __call__(self, stream, data):
        self.pieces.append((stream, data))

    def text(self, stream=1):
        return b"".join(data for each, data in self.pieces if each == stream)

    def wait_for(self, wanted, seconds=20.0):
        wait_until(lambda: wanted in self.text(), seconds, lambda: f"heard only {self.text()[-200:]!r}")


def wait_until(condition, seconds=20.0, seen=lambda: ""):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain; {seen()}"
        time.sleep(0.01)


def processes_with(word):
    found = []
    for process in psutil.process_iter():
        try:
            if word in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def word():
    """A word that a test's processes carry in their arguments; whatever survives the test is killed."""
    word = f"word-{uuid.uuid4().hex}"
    yield word
    for _ in range(100):
        survivors = processes_with(word)
        for process in survivors:
            process.kill()
        if not survivors:
            break


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def launch(heard, word):
    """Starts bots, and ends them when the test is over."""
    trees = []

    def launch(bot, *arguments, output=heard, **variables) -> ProcessTree:
        tree = start(
            [sys.executable, str(BOTS / f"{bot}.py"), word, *arguments],
            folder=BOTS,
            variables={**os.environ, **variables},
            output=output,
        )
        trees.append(tree)
        return tree

    yield launch
    for tree in trees:
        tree.stop(0)
        tree.close(0)


def test_a_program_runs_in_its_folder_with_its_variables_and_its_output_is_heard(launch, heard, word):
    tree = launch("hello", "one two", "três", BOT_COLOUR="azul")

    assert tree.wait(20) == 0

    assert tree.sweep() == ()
    tree.close(5)
    greeting, shown = heard.text().decode().splitlines()
    assert greeting == "hello, olá, 你好"
    shown = json.loads(shown)
    assert shown["arguments"] == [word, "one two", "três"]
    assert Path(shown["folder"]) == BOTS
    assert shown["variables"]["BOT_COLOUR"] == "azul"


def test_exit_status_and_standard_error_arrive_apart(launch, heard):
    tree = launch("fails")

    assert tree.wait(20) == 3

    tree.close(5)
    assert heard.text(2).strip() == b"something is wrong"
    assert heard.text(1) == b""


@needs_fork
def test_a_death_by_a_signal_is_a_negative_exit_code(launch):
    tree = launch("dies_of_a_signal")

    assert tree.wait(20) == -9
    assert tree.poll() == -9


def test_waiting_gives_up_in_time_and_the_program_goes_on(launch, heard):
    tree = launch("sleeps")
    heard.wait_for(b"ready")

    before = time.monotonic()
    assert tree.wait(0.2) is None

    assert 0.15 < time.monotonic() - before < 5
    assert tree.poll() is None


def test_a_program_that_reads_its_input_meets_the_end_at_once(launch, heard):
    tree = launch("reads_stdin")

    assert tree.wait(20) == 1

    tree.close(5)
    assert b"EOFError" in heard.text(2)


def test_bytes_that_are_no_text_arrive_unchanged(launch, heard):
    tree = launch("prints_bytes")
    tree.wait(20)

    tree.close(5)

    assert heard.text() == bytes(range(256)) + b"\xc3"


def test_endless_output_comes_in_small_pieces_and_can_be_stopped(launch):
    sizes = []
    tree = launch("prints_forever", output=lambda _stream, data: sizes.append(len(data)))
    wait_until(lambda: sum(sizes) > 5_000_000)

    tree.stop(0)
    tree.close(5)

    assert max(sizes) <= 64 * 1024
    assert tree.poll() is not None


def test_a_program_that_closes_its_output_is_still_running(launch, heard):
    tree = launch("closes_stdout")
    heard.wait_for(b"ready")

    assert tree.poll() is None
    assert tree.wait(20) == 0


def test_output_that_cannot_be_kept_does_not_block_the_program(launch):
    def full_disk(stream, data):
        raise OSError("no space left on device")

    tree = launch("hello", output=full_disk)

    assert tree.wait(20) == 0
    tree.close(5)
    assert str(tree.output_error) == "no space left on device"


@needs_fork
def test_a_program_that_ends_politely_is_not_killed(launch, heard):
    tree = launch("ends_politely")
    heard.wait_for(b"ready")

    tree.stop(20)

    tree.close(5)
    assert tree.poll() == 0
    assert b"cleaned up" in heard.text()


@needs_fork
def test_a_grandchild_that_holds_the_output_does_not_hold_the_end(launch, heard, word):
    tree = launch("leaves_children")
    assert tree.wait(20) == 0

    before = time.monotonic()
    tree.close(0.3)

    assert time.monotonic() - before < 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("output")]
    assert len(processes_with(word)) == 5


@needs_fork
def test_what_a_program_leaves_behind_is_stopped_and_named(launch, heard, word):
    tree = launch("leaves_children")
    assert tree.wait(20) == 0

    left_behind = tree.sweep()

    assert len(left_behind) == 1
    assert left_behind[0].endswith(" × 5")
    assert processes_with(word) == []


@needs_fork
@pytest.mark.parametrize("bot", ["spawns_children", "double_forks", "starts_sessions", "ignores_sigterm"])
def test_a_tree_is_stopped_even_where_orphans_are_not_adopted(launch, heard, word, bot):
    tree = launch(bot)
    heard.wait_for(b"ready")

    tree.stop(0.3)

    assert processes_with(word) == []
    assert tree.members() == []


@needs_subreaper
@pytest.mark.parametrize(
    ("bot", "how"),
    [
        ("spawns_children", "stop"),
        ("double_forks", "stop"),
        ("double_forks_without_variables", "stop"),
        ("starts_sessions", "stop"),
        ("leaves_children", "sweep"),
        ("ignores_sigterm", "stop"),
        ("re_forks", "stop"),
        ("re_forks", "sweep"),
    ],
)
def test_no_shape_of_process_survives_an_owner_that_adopts_orphans(bot, how, word):
    owner = [sys.executable, str(BOTS / "owner.py"), how, str(BOTS / f"{bot}.py"), word]
    ended = subprocess.run(owner, capture_output=True, text=True, timeout=60, check=True, env=with_bottool())
    said = json.loads(ended.stdout)

    assert said["adopts"]
    assert said["ready"]
    assert said["left"] == []
    assert said["exit_code"] is not None
    assert processes_with(word) == []


def with_bottool():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


def test_usage_counts_the_processor_time_of_children_that_were_waited_for(launch):
    tree = launch("works")
    highest = tree.usage()
    while tree.wait(0.02) is None:
        highest = tree.usage()

    assert highest.memory_bytes > 1_000_000
    if sys.platform != "win32":
        assert 0.45 < tree.usage().cpu_seconds < 5
    assert tree.usage().processes == 0


@needs_fork
def test_usage_sees_the_whole_tree(launch, heard):
    tree = launch("spawns_children")
    heard.wait_for(b"ready")

    assert tree.usage().processes == 4
    assert tree.members()[0].pid == tree.pid


def test_a_process_is_known_by_its_number_and_its_start(launch, heard):
    tree = launch("sleeps")
    heard.wait_for(b"ready")

    assert is_same_process(tree.pid, tree.create_time)
    assert create_time_of(tree.pid) == tree.create_time
    assert not is_same_process(tree.pid, tree.create_time - 1)

    tree.stop(0)
    assert not is_same_process(tree.pid, tree.create_time)
    assert create_time_of(tree.pid) is None


@pytest.mark.parametrize(("by_group", "heard_by"), [(True, ["leader"]), (False, ["leader", "other"])])
def test_where_the_gentle_signal_goes_to_a_group_only_its_leader_is_sent_it(launch, heard, by_group, heard_by):
    leader = psutil.Process(launch("sleeps").pid)
    heard.wait_for(b"ready")
    called = {leader: "leader", psutil.Process(): "other"}

    assert [called[each] for each in hearers(called, leader.pid, by_group=by_group)] == heard_by
    assert hearers([psutil.Process()], leader.pid, by_group=True) == []


def test_the_boot_has_one_name():
    assert boot_id() == boot_id()
    assert len(boot_id()) > 5


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("booted-at-1700000000", "booted-at-1700000000", True),
        ("booted-at-1700000000", "booted-at-1700000031", True),
        ("booted-at-1700000301", "booted-at-1700000000", False),
        ("5f7c-1", "5f7c-1", True),
        ("5f7c-1", "5f7c-2", False),
        ("1700000000", "1700000001", False),
        ("booted-at-1700000000", "5f7c-1", False),
    ],
)
def test_a_boot_is_known_exactly_or_where_it_is_a_time_despite_the_drift_of_the_clock(first, second, same):
    assert same_boot(first, second) is same
    assert same_boot(second, first) is same


@needs_fork
def test_leftovers_of_a_dead_owner_are_found_by_their_mark_and_stopped(launch, heard, word, tmp_path):
    mark = f"{tmp_path}#0"
    child = subprocess.Popen(
        [sys.executable, str(BOTS / "leaves_children.py"), word], env={**os.environ, MARK: mark}, stdout=subprocess.PIPE
    )
    created = create_time_of(child.pid)
    child.stdout.readline()
    child.stdout.close()
    child.wait(20)

    stopped = stop_leftovers(child.pid, created, tmp_path)

    assert len(stopped) == 1
    assert stopped[0].endswith(" × 5")
    assert processes_with(word) == []
    assert stop_leftovers(child.pid, created, tmp_path) == ()


@needs_fork
@pytest.mark.parametrize("bot", ["spawns_children", "double_forks", "starts_sessions", "ignores_sigterm"])
def test_a_tree_whose_owner_was_killed_is_stopped_by_somebody_else(word, tmp_path, bot):
    code = "import sys, os, threading; from pathlib import Path; from bottool.process import start\n"
    code += "ready = threading.Event(); never = threading.Event(); say = lambda stream, data: ready.set()\n"
    code += "tree = start([sys.executable, *sys.argv[2:]], folder=Path(sys.argv[1]), variables=dict(os.environ), output=say)\n"
    code += "ready.wait(60); print(tree.pid, tree.create_time, flush=True); never.wait(60)"
    arguments = [sys.executable, "-c", code, str(tmp_path), str(BOTS / f"{bot}.py"), word]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as owner:
        pid, created = owner.stdout.readline().split()
        owner.kill()

    stopped = stop_leftovers(int(pid), float(created), tmp_path)

    assert stopped != ()
    assert processes_with(word) == []


def test_leftovers_are_not_looked_for_under_a_number_that_belongs_to_another_process_now(launch, heard, tmp_path):
    tree = launch("sleeps")
    heard.wait_for(b"ready")

    assert stop_leftovers(tree.pid, tree.create_time - 5, tmp_path) == ()

    assert tree.poll() is None


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("no-such-program", "there is no such program on the PATH", "install 'no-such-program'"),
        ("bot.txt", "there is no such program on the PATH", "write './bot.txt'"),
        ("./missing", "no such file", "check the path"),
        ("./bot.txt", "permission denied", "chmod +x"),
        ("./no-first-line", "exec format error", "#!/bin/sh"),
        ("./broken-first-line", "no such file", "first line"),
        ("nul\0nul", "", ""),
        ("./nul\0nul", "null byte", ""),
    ],
)
@needs_fork
def test_what_cannot_be_started_is_named_with_the_reason(tmp_path, name, message, hint):
    (tmp_path / "bot.txt").write_text("text", encoding="utf-8")
    for file, text in {"no-first-line": "echo hello", "broken-first-line": "#!/nowhere/python\n"}.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
        (tmp_path / file).chmod(0o755)

    with pytest.raises(LaunchError) as raised:
        start([name], folder=tmp_path, variables=dict(os.environ), output=print)

    assert Path(name).name in str(raised.value)
    assert message in str(raised.value)
    assert hint in raised.value.hint


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LaunchError) as raised:
        start([sys.executable], folder=tmp_path / "gone", variables=dict(os.environ), output=print)

    assert "gone" in raised.value.hint
