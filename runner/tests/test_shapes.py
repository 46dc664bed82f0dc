"""Bots whose processes get away from their parents in seven ways: none survives its end, its cancel or its time-out."""

import uuid
from pathlib import Path

import psutil
import pytest

from bottool import cgroup, process, wire
from bottool_runner.handover import HandedPermit, KeeperProcess
from bottool_runner.journal import Process
from bottool_runner.leftovers import stop_processes
from bottool_runner.warm import CAN_FORK, Nursery

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="these bots fork")

BOTS = Path(__file__).resolve().parent.parent.parent / "tests" / "bots"
SHAPES = (
    "spawns_children",
    "double_forks",
    "double_forks_without_variables",
    "starts_sessions",
    "leaves_children",
    "ignores_sigterm",
    "re_forks",
)
AT_ONCE = 2
# The bot itself ends as soon as its shape is complete, which a child of it becomes.
ENDS = """
import os
reader, writer = os.pipe()
if os.fork():
    os.close(writer)
    print(os.read(reader, 100).decode(), flush=True)
    os._exit(0)
os.dup2(writer, 1)
"""
STAYS = """
import os, time
if os.fork():
    time.sleep(120)
    os._exit(0)
"""
REASON = {"end": "exited", "cancel": "stopped", "time-out": "timed_out"}


@pytest.fixture
def nursery():
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def word():
    """What the arguments of all processes of a test hold; whatever survives the test is killed."""
    made = uuid.uuid4().hex
    yield made
    for survivor in processes_with(made):
        survivor.kill()


def processes_with(word):
    found = []
    for each in psutil.process_iter():
        try:
            if word in " ".join(each.cmdline()) and each.status() != psutil.STATUS_ZOMBIE:
                found.append(each)
        except psutil.Error:
            continue
    return found


def begin(bench, nursery, until, word, code, task_id, **changes):
    folder = bench.attempt(code, task_id=task_id, grace_seconds=0.3, **changes)
    keeper = KeeperProcess(folder.path, nursery.begin)
    until(lambda: folder.has("ready"))
    keeper.hand_over(HandedPermit(server=f"http://127.0.0.1:1/{word}", workspace="workspace", token=word))
    return folder, keeper


def is_complete(folder):
    return b"ready" in folder.spool.read_bytes()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("rounds", [AT_ONCE, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("how", REASON)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_process_survives(bench, nursery, until, word, shape, how, rounds):
    # These two end by themselves; there a cancel or a time-out has to come first.
    first = ENDS if how == "end" else STAYS if shape in {"leaves_children", "re_forks"} else ""
    code = first + (BOTS / f"{shape}.py").read_text()
    limits = {"timeout_seconds": 1} if how == "time-out" else {}
    for start in range(0, rounds, AT_ONCE):
        begun = [begin(bench, nursery, until, word, code, start + each + 1, **limits) for each in range(AT_ONCE)]
        for folder, keeper in begun:
            if how == "cancel":
                until(lambda folder=folder: is_complete(folder))
                folder.publish("stop", "stop")
            assert keeper.collect(60)
            ended = folder.read("exit", wire.Ended)
            assert ended.reason == REASON[how]
            # Who replaces himself every two milliseconds has no name for long.
            assert how != "end" or shape == "re_forks" or ended.left_behind, "nothing was said to be left behind"
            assert "could be stopped" not in ended.message
            folder.delete()
        assert processes_with(word) == []


def _may_make_groups():
    made = cgroup.new()
    if made is not None:
        made.remove()
    return made is not None


@pytest.mark.skipif(not _may_make_groups(), reason="no control group may be made here")
def test_a_group_finds_what_no_variable_and_no_parent_tells_of_after_the_keeper_was_killed(bench, nursery, until, word):
    code = (BOTS / "double_forks_without_variables.py").read_text()
    folder, keeper = begin(bench, nursery, until, word, code, 1)
    until(lambda: is_complete(folder))
    group = Path(until(lambda: folder.read("started", Process)).group)
    keeper.kill()
    assert keeper.collect(10)
    assert len(processes_with(word)) == 2

    left = stop_processes(folder, process.boot_id())

    assert left
    assert processes_with(word) == []
    assert not group.exists()
