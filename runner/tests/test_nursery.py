"""The nursery may be killed, stopped or left behind at any moment, and costs nobody anything."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from bottool import wire
from bottool_runner import warm
from bottool_runner.handover import HandedPermit, KeeperProcess
from bottool_runner.journal import Process
from bottool_runner.nursery import Census, census
from bottool_runner.warm import CAN_FORK, Nursery

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork")

PERMIT = HandedPermit(server="http://127.0.0.1:1", workspace="workspace", token="secret-token-of-this-bot")
WAIT = "import sys, time\nopen(WITNESS, 'a').write('start\\n')\nwhile not open(WITNESS).read().count('go'): time.sleep(.01)\nprint('end')"


@pytest.fixture
def nursery():
    made = Nursery()
    yield made
    made.close()


def of_keeper(folder):
    return psutil.Process(folder.read("keeper.pid", Process).pid)


def ready(folder, nursery, until):
    keeper = KeeperProcess(folder.path, nursery.begin)
    until(lambda: folder.has("ready"))
    return keeper


def test_a_keeper_is_forked_into_a_session_of_its_own_and_adopts_orphans(bench, nursery, until):
    folder = bench.attempt()
    keeper = ready(folder, nursery, until)
    process = of_keeper(folder)

    assert process.ppid() == nursery.pid
    assert os.getsid(process.pid) == process.pid
    assert os.getsid(nursery.pid) != os.getsid(0)
    assert psutil.Process(nursery.pid).num_threads() == 1

    keeper.let_go()
    assert keeper.collect(10)


def test_a_dead_keeper_is_known_and_collected_though_it_is_not_our_child(bench, nursery, until):
    folder = bench.attempt()
    keeper = ready(folder, nursery, until)
    pid = of_keeper(folder).pid

    keeper.kill()

    assert keeper.collect(10)
    until(lambda: not psutil.pid_exists(pid))


def test_keepers_live_on_when_their_nursery_is_killed_and_the_next_one_has_a_new_nursery(bench, nursery, until):
    folder = bench.attempt(WAIT)
    keeper = ready(folder, nursery, until)
    keeper.hand_over(PERMIT)
    until(lambda: bench.starts() == ["start"])
    first = nursery.pid
    os.kill(first, signal.SIGKILL)

    second = bench.attempt(task_id=2)
    other = ready(second, nursery, until)
    assert nursery.pid != first
    assert of_keeper(second).ppid() == nursery.pid
    other.let_go()

    assert not keeper.has_ended()
    with bench.witness.open("a") as witness:
        witness.write("go\n")
    assert keeper.collect(20)
    assert folder.read("exit", wire.Ended).exit_code == 0


def test_a_nursery_that_does_not_answer_is_ended_and_the_keeper_begins_cold(bench, until, monkeypatch):
    monkeypatch.setattr(warm, "_ANSWER_SECONDS", 0.5)
    nursery = Nursery()
    nursery.warm_up()
    silent = nursery.pid
    os.kill(silent, signal.SIGSTOP)
    folder = bench.attempt()

    keeper = ready(folder, nursery, until)

    assert of_keeper(folder).ppid() == os.getpid()
    assert not psutil.pid_exists(silent)
    keeper.let_go()
    assert keeper.collect(10)
    nursery.close()


def test_a_nursery_ends_with_its_runner(until):
    code = "import sys, time; from bottool_runner.warm import Nursery; n = Nursery(); n.warm_up(); print(n.pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as runner:
        nursery = psutil.Process(int(runner.stdout.readline()))
        runner.kill()

    until(lambda: not nursery.is_running())


def test_what_is_warm_is_core_and_no_plugin():
    code = "import sys; from bottool_runner import nursery; nursery._warm(); print(*sys.modules)"
    warmed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    ours = {name.partition(".")[0] for name in warmed if name.startswith("bottool")}
    assert ours == {"bottool", "bottool_runner"}
    assert "bottool_runner.plugin" not in warmed
    assert "bottool_runner.keeper" in warmed


def test_the_census_says_which_plugins_a_bot_needs_and_only_those_are_loaded():
    found = census()

    plugins = found.plugins("command")

    assert set(found.languages) >= {"PYTHON", "JAVA", "COMMAND"}
    assert set(plugins.names) == {"command", *(name for name, _ in found.watchers)}
    assert "runner" not in plugins.names


@pytest.mark.parametrize("technology", ["COBOL", "PYTHON"])
def test_what_the_census_does_not_know_or_what_is_no_longer_so_is_left_to_a_full_load(technology):
    stale = Census(languages={"PYTHON": ("python", "no_such_module_anywhere")})

    assert stale.plugins(technology) is None
