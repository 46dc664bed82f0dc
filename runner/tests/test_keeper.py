"""The keeper against real packages: every test starts a real keeper process with a real pipe."""

import json
import os
import signal
import subprocess
import sys

import psutil
import pytest

from bottool import process, wire
from bottool_runner.handover import HandedPermit, KeeperProcess
from bottool_runner.journal import Next, NotPrepared, Process, Ticket, settle
from bottool_runner.leftovers import stop_processes
from bottool_runner.system import is_locked, wait_until_unlocked
from bottool_runner.warm import CAN_FORK, Nursery

PERMIT = HandedPermit(server="http://127.0.0.1:1", workspace="workspace", token="secret-token-of-this-bot")
TELL = "import sys; open(WITNESS, 'a').write('start\\n'); "


@pytest.fixture(params=["forked", "cold"] if CAN_FORK else ["cold"])
def nursery(request):
    """Forks keepers; or cannot, as on a system without fork."""
    made = Nursery()
    if request.param == "cold":
        made.close()
    yield made
    made.close()


@pytest.fixture
def keep(until, nursery):
    """Start a keeper for a folder and wait until it is ready; whatever it left is ended afterwards."""
    begun = []

    def start(folder, *, ready=True):
        keeper = KeeperProcess(folder.path, nursery.begin)
        begun.append((folder, keeper))
        if ready:
            until(lambda: folder.has("ready") or keeper.has_ended())
            assert folder.has("ready"), (folder.path / "keeper.log").read_text()
        return keeper

    yield start
    for folder, keeper in begun:
        keeper.let_go()
        keeper.kill()
        keeper.collect(10)
        if folder.path.exists():
            stop_processes(folder, process.boot_id())


def through(folder, keep, until):
    """The whole life of an attempt that is permitted; its report."""
    keeper = keep(folder)
    folder.publish("intent", {})
    keeper.hand_over(PERMIT)
    until(keeper.has_ended)
    return folder.read("exit", wire.Ended)


def output(folder):
    return list(wire.frames(folder.spool.read_bytes()))


def text(folder, stream):
    return b"".join(frame.data for frame in output(folder) if frame.stream is stream).decode()


def test_a_bot_runs_with_its_arguments_and_its_output_is_kept(bench, keep, until):
    code = TELL + "print(*sys.argv[1:4], sys.argv[4]); print('oops', file=sys.stderr); sys.exit(3)"
    folder = bench.attempt(code, task_id=42)

    ended = through(folder, keep, until)

    assert (ended.reason, ended.exit_code) == ("exited", 3)
    assert text(folder, wire.Stream.STDOUT).split()[:2] == ["http://127.0.0.1:1", "42"]
    assert text(folder, wire.Stream.STDERR).strip() == "oops"
    assert ended.output_bytes == folder.spool.stat().st_size
    assert folder.ticket() is Ticket.KEEPER
    assert folder.read("started", Process).boot_id == process.boot_id()
    assert bench.starts() == ["start"]
    assert settle(folder) is Next.REPORT


PLUGIN = """
import pathlib, time
from bottool.hookspecs import hookimpl

@hookimpl
def bottool_task_finished():
    pathlib.Path({witness!r}).touch()
    time.sleep(600)
"""


def test_the_end_of_a_bot_is_kept_before_a_plugin_takes_its_time_over_it(bench, keep, until, tmp_path, monkeypatch):
    site = tmp_path / "site"
    (site / "slow_plugin-1.dist-info").mkdir(parents=True)
    (site / "slow_plugin.py").write_text(PLUGIN.format(witness=str(tmp_path / "asked")))
    (site / "slow_plugin-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-plugin\nVersion: 1\n")
    (site / "slow_plugin-1.dist-info" / "entry_points.txt").write_text("[bottool]\nslow = slow_plugin\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])]))
    folder = bench.attempt("print('hello')")
    keeper = keep(folder)
    folder.publish("intent", {})
    keeper.hand_over(PERMIT)
    until((tmp_path / "asked").exists)

    keeper.kill()

    assert folder.read("exit", wire.Ended).reason == "exited"
    assert text(folder, wire.Stream.STDOUT).strip() == "hello"


def test_the_bots_token_is_hidden_in_its_output_and_in_every_file(bench, keep, until):
    folder = bench.attempt("import sys; print('token', sys.argv[3], len(sys.argv[3]))")

    through(folder, keep, until)

    stars = "*" * len(PERMIT.token)
    assert text(folder, wire.Stream.STDOUT).split() == ["token", stars, str(len(stars))]
    for path in folder.path.rglob("*"):
        assert not path.is_file() or PERMIT.token.encode() not in path.read_bytes(), path


def test_the_bot_gets_none_of_the_runners_secrets(bench, keep, until, monkeypatch):
    for name in ("BOTTOOL_KEY", "BOTTOOL_LOGIN", "BOTTOOL_TOKEN"):
        monkeypatch.setenv(name, "runner-secret")
    folder = bench.attempt("import os; print(*(f'{k}={v}' for k, v in os.environ.items()))")

    keeper = keep(folder)
    pid = folder.read("keeper.pid", Process).pid
    of_keeper = psutil.Process(pid).environ()
    keeper.hand_over(PERMIT)
    until(keeper.has_ended)

    assert "runner-secret" not in text(folder, wire.Stream.STDOUT)
    assert "runner-secret" not in of_keeper.values()
    assert "BOTTOOL_TASK=1" in text(folder, wire.Stream.STDOUT)


def test_a_keeper_whose_pipe_ends_before_the_permit_ends_without_starting(bench, keep, until):
    folder = bench.attempt(TELL)
    keeper = keep(folder)

    keeper.let_go()

    until(keeper.has_ended)
    assert settle(folder) is Next.BEGIN
    assert bench.starts() == []


def test_half_a_permit_is_no_permit(bench, keep, until):
    folder = bench.attempt(TELL)
    keeper = keep(folder)

    os.write(keeper._permit, b'{"server": "http://127.0.0.1:1", "workspace"')
    keeper.let_go()

    until(keeper.has_ended)
    assert bench.starts() == []
    assert folder.ticket() is Ticket.FREE


def test_a_keeper_with_the_permit_starts_nothing_when_the_ticket_is_void(bench, keep, until):
    folder = bench.attempt(TELL)
    keeper = keep(folder)
    folder.publish("intent", {})
    assert folder.take_ticket(Ticket.VOID)

    keeper.hand_over(PERMIT)

    until(keeper.has_ended)
    assert bench.starts() == []
    assert settle(folder) is Next.VOID


def test_a_second_keeper_of_one_attempt_does_not_start_its_bot_again(bench, keep, until):
    folder = bench.attempt(TELL)
    through(folder, keep, until)
    folder.path.joinpath("ready").unlink()

    second = keep(folder)
    second.hand_over(PERMIT)

    until(second.has_ended)
    assert bench.starts() == ["start"]


@pytest.mark.parametrize("begin", ["Nursery().begin", "cold"] if CAN_FORK else ["cold"])
def test_a_bot_outlives_its_runner_and_its_end_is_kept(bench, until, begin):
    folder = bench.attempt(
        TELL + "import time\nwhile not open(WITNESS).read().count('go'): time.sleep(.01)\nprint('end')"
    )
    code = (
        "import sys, time; from pathlib import Path; from bottool_runner.handover import *; "
        "from bottool_runner.warm import Nursery; "
        f"p = Path({str(folder.path)!r}); k = KeeperProcess(p, {begin})\n"
        "while not (p / 'ready').exists(): time.sleep(.01)\n"
        f"k.hand_over(HandedPermit(server='http://127.0.0.1:1', workspace='w', token='t-o-k-e-n')); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as runner:
        until(lambda: bench.starts() == ["start"])
        runner.kill()

    assert settle(folder) is Next.FOLLOW
    with bench.witness.open("a") as witness:
        witness.write("go\n")
    assert wait_until_unlocked(folder.lock, 10)

    assert settle(folder) is Next.REPORT
    assert folder.read("exit", wire.Ended).exit_code == 0
    assert text(folder, wire.Stream.STDOUT).strip() == "end"


def test_a_bot_is_stopped_with_all_its_processes_when_the_stop_file_comes(bench, keep, until):
    child = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True); "
    folder = bench.attempt(TELL + child + "open(WITNESS, 'a').write('ready\\n'); time.sleep(60)")
    keeper = keep(folder)
    keeper.hand_over(PERMIT)
    until(lambda: bench.starts() == ["start", "ready"])
    started = until(lambda: folder.read("started", Process))
    tree = [psutil.Process(started.pid), *psutil.Process(started.pid).children(recursive=True)]
    assert len(tree) == 2

    folder.publish("stop", "stop")

    until(keeper.has_ended)
    assert folder.read("exit", wire.Ended).reason == "stopped"
    assert not any(each.is_running() for each in tree)


def test_a_bot_that_takes_too_long_is_ended(bench, keep, until):
    folder = bench.attempt(TELL + "import time; time.sleep(60)", timeout_seconds=1)

    ended = through(folder, keep, until)

    assert ended.reason == "timed_out"
    assert 1 <= ended.duration_seconds < 10


def test_processes_that_a_bot_leaves_behind_are_ended_and_named(bench, keep, until):
    code = TELL + "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    folder = bench.attempt(code)

    ended = through(folder, keep, until)

    assert (ended.reason, ended.exit_code) == ("exited", 0)
    assert len(ended.left_behind) == 1
    assert "python" in ended.left_behind[0]


def test_a_killed_keeper_is_seen_and_what_it_left_is_ended(bench, keep, until):
    folder = bench.attempt(TELL + "import time; time.sleep(60)")
    keeper = keep(folder)
    keeper.hand_over(PERMIT)
    started = until(lambda: folder.read("started", Process))
    until(lambda: bench.starts() == ["start"])

    keeper.kill()
    keeper.collect(10)

    assert psutil.pid_exists(started.pid)
    assert settle(folder) is Next.DIED
    left = stop_processes(folder, process.boot_id())
    assert "python" in left[0]
    until(lambda: not process.is_same_process(started.pid, started.create_time))


def test_a_bot_whose_start_was_not_written_down_is_still_found_after_its_keeper_was_killed(bench, keep, until):
    folder = bench.attempt(TELL + "import time; time.sleep(60)")
    keeper = keep(folder)
    keeper.hand_over(PERMIT)
    started = until(lambda: folder.read("started", Process))
    keeper.kill()
    keeper.collect(10)
    (folder.path / "started").unlink()

    stop_processes(folder, process.boot_id())

    until(lambda: not process.is_same_process(started.pid, started.create_time))


def test_processes_from_before_a_restart_of_the_machine_are_left_alone(bench):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        folder = bench.attempt()
        known = Process(pid=stranger.pid, create_time=process.create_time_of(stranger.pid), boot_id="another boot")
        folder.publish("started", known)
        folder.publish("keeper.pid", known)

        assert stop_processes(folder, process.boot_id()) == ()

        assert stranger.poll() is None
        stranger.kill()


def test_a_package_of_an_unknown_language_is_not_prepared_and_the_reason_is_told(bench, keep, until):
    folder = bench.attempt(technology="COBOL")

    keeper = keep(folder, ready=False)

    until(keeper.has_ended)
    fault = folder.read("not_prepared", NotPrepared)
    assert "COBOL" in fault.reason
    assert not fault.permanent
    assert settle(folder) is Next.HAND_BACK


def test_an_archive_that_is_refused_is_refused_for_good(bench, keep, until):
    folder = bench.attempt()
    folder.path.joinpath("package").write_text(json.dumps(str(bench.folder / "bad.zip")))
    (bench.folder / "bad.zip").write_bytes(b"PK\x03\x04 no archive at all")

    keeper = keep(folder, ready=False)

    until(keeper.has_ended)
    assert folder.read("not_prepared", NotPrepared).permanent


def test_a_program_that_is_not_there_is_an_outcome(bench, keep, until):
    folder = bench.attempt("", command="no-such-program-anywhere --please")

    ended = through(folder, keep, until)

    assert ended.reason == "not_launched"
    assert "no-such-program-anywhere" in ended.message


def test_too_much_output_is_cut_and_the_cut_is_counted(bench, keep, until):
    folder = bench.attempt("import sys\nfor _ in range(50): sys.stdout.write('x' * 10_000)", limit_bytes=100_000)

    ended = through(folder, keep, until)

    kept = len(text(folder, wire.Stream.STDOUT))
    assert folder.spool.stat().st_size <= 100_000
    assert f"{500_000 - kept} bytes of output were not kept" in text(folder, wire.Stream.NOTE)
    assert ended.exit_code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGTERM to send")
def test_a_bot_whose_keeper_is_told_to_end_did_not_end_by_a_persons_wish(bench, keep, until):
    folder = bench.attempt(TELL + "import time; time.sleep(60)")
    keeper = keep(folder)
    keeper.hand_over(PERMIT)
    until(lambda: bench.starts() == ["start"])

    os.kill(folder.read("keeper.pid", Process).pid, signal.SIGTERM)

    until(keeper.has_ended)
    assert folder.read("exit", wire.Ended).reason == "died"


def test_a_keeper_holds_its_lock_from_its_start_to_its_end(bench, keep, until):
    folder = bench.attempt()
    keeper = keep(folder)
    assert is_locked(folder.lock)

    keeper.let_go()

    assert wait_until_unlocked(folder.lock, 10)
    until(keeper.has_ended)


def test_what_prepares_does_not_see_the_pipe_and_dies_with_the_keeper(bench, until):
    """A stand-in for a plugin whose tool reads its input and takes for ever."""
    folder = bench.attempt()
    code = (
        "import subprocess, sys; from bottool_runner import keeper\n"
        "def prepare(self, plugins):\n"
        "    child = subprocess.Popen([sys.executable, '-c', 'import sys, time; print(repr(sys.stdin.read()), flush=True); time.sleep(60)'])\n"
        f"    open({str(bench.witness)!r}, 'w').write(f'{{child.pid}}\\n')\n"
        "    child.wait()\n"
        "keeper.Keeper._prepare = prepare\n"
        "sys.exit(keeper.main(sys.argv[1:]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as keeper:
        tool = int(until(bench.starts)[0])
        assert keeper.stderr.readline() == b"''\n", "the tool's input is empty"

        keeper.stdin.close()

        assert keeper.wait(10) == 3
        until(lambda: not psutil.pid_exists(tool))
    assert not folder.has("not_prepared")
