"""What people on the machine tell a runner that works, and what it tells them: through real commands and a real runner."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bottool.errors import Conflict, NotFound, SettingsError
from bottool.settings import base_variables
from bottool_runner import startup, status, words
from bottool_runner.asking import wished
from bottool_runner.control import Control, Listener, Wish, ask, asked
from bottool_runner.duty import Duty
from bottool_runner.home import Home, Identity
from bottool_runner.places import LOG_NAME
from bottool_runner.reading import followed, last_lines
from bottool_runner.settings import RunnerSettings

WAIT = """
import sys, time
open(WITNESS, 'a').write('start %s\\n' % sys.argv[2])
while 'go' not in open(WITNESS).read():
    time.sleep(0.02)
"""


def bottool(machine, *arguments):
    return subprocess.run(
        [sys.executable, "-P", "-m", "bottool", "runner", *arguments, "--home", str(machine.home)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**base_variables(), "BOTTOOL_CONFIG": str(machine.home.parent / "config")},
    )


def shows(machine, mode):
    return status.read(machine.home).mode == mode


def test_a_pause_is_heard_at_once_told_to_the_server_and_outlives_a_restart(machine, bench, server, until):
    server.hold_seconds = 10
    runner = machine.start()
    until(lambda: any(said["claim_key"] for said in server.syncs), 60)

    said = bottool(machine, "pause", "--reason", "new printer")

    assert said.returncode == 0, said.stderr
    assert "the runner 'm1' is paused" in said.stderr
    until(lambda: server.syncs[-1].get("paused"))
    assert (server.syncs[-1]["draining"], server.syncs[-1]["reason"]) == (True, "new printer")
    assert server.syncs[-1]["claim_key"] == ""
    task = server.add(bench.package("print('hello')"))
    # The call that was held when the pause came may bring work still: it is given back, not run.
    until(lambda: server.syncs[-1] is not server.syncs[0] and time.sleep(0.5) is None)
    assert "started" not in server.kinds(task)
    runner.kill()
    runner.wait()
    machine.start("--once")
    until(lambda: shows(machine, "paused"), 60)
    told = json.loads(bottool(machine, "status", "--json").stdout)
    assert (told["mode"], told["reason"], told["machine_id"]) == ("paused", "new printer", "m1")

    assert "is working" in bottool(machine, "resume").stderr

    until(lambda: server.ended(task), 60)
    assert task.report["exit_code"] == 0


def test_a_drain_lets_the_bot_end_and_then_ends_the_runner(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    runner = machine.start()
    until(lambda: bench.starts() and task.state == "running", 60)
    assert "task 1" in bottool(machine, "status").stdout

    said = bottool(machine, "drain", "--reason", "update")

    assert "1 task(s) in hand go on" in said.stderr
    other = server.add(bench.package("print('hello')"))
    assert runner.poll() is None
    machine.go()
    until(lambda: runner.poll() is not None)
    assert runner.returncode == 0
    assert server.ended(task)
    assert "started" not in server.kinds(other)
    after = bottool(machine, "status")
    assert after.returncode == 1
    assert "ended 1" in after.stdout
    assert "exited with exit status 0" in after.stdout
    assert status.read(machine.home).recent[0].went_well
    # The drain was for that process: the next one works.
    machine.start("--once")
    until(lambda: server.ended(other), 60)


def test_a_stop_ends_the_runner_and_not_its_bot(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    runner = machine.start()
    until(lambda: bench.starts() and task.state == "running", 60)

    said = bottool(machine, "stop")

    assert "the runner has ended" in said.stderr
    until(lambda: runner.poll() is not None)
    assert len(machine.attempts) == 1
    refused = bottool(machine, "drain")
    assert refused.returncode == 6
    machine.go()
    machine.start("--idle-exit", "1")
    until(lambda: server.ended(task), 60)
    until(lambda: machine.processes[-1].poll() == 0, 60)
    assert "there was no task for 1 seconds" in machine.said
    lines = bottool(machine, "logs", "--lines", "3").stdout.splitlines()
    assert len(lines) == 3
    assert "ended after" in lines[-1]


# The rules, without a process.


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home")
    home.open()
    yield home
    home.close()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def duty(home, **settings):
    clock = Clock()
    return Duty(RunnerSettings(server="", cache=Path(), **settings), home.folder, clock), clock


def test_a_runner_ends_by_itself_when_its_tasks_are_done_or_none_come(home):
    few, _ = duty(home, max_tasks=2, slots=5)
    idle, clock = duty(home, idle_exit_seconds=10)

    assert (few.room(0, 0), few.room(1, 1), few.room(0, 2)) == (2, 1, 0)
    assert few.ends(0, 1) == ""
    assert few.ends(1, 2) == ""
    assert few.ends(0, 2)
    clock.now = 9
    assert idle.ends(0, 0) == ""
    assert idle.ends(1, 0) == ""
    clock.now = 18
    assert idle.ends(0, 1) == ""
    clock.now = 19
    assert idle.ends(0, 1)


def test_a_pause_keeps_an_idle_runner_from_ending(home):
    idle, clock = duty(home, idle_exit_seconds=10)
    ask(home.folder, Control(wish=Wish.PAUSE))

    assert idle.listen()
    clock.now = 100
    assert idle.ends(0, 0) == ""
    assert idle.room(0, 0) == 0
    assert not idle.listen()


def test_what_was_wished_of_the_process_before_is_over_but_for_a_pause(home):
    ask(home.folder, Control(wish=Wish.DRAIN, reason="r"))
    assert Listener(home.folder).now == Control()
    assert asked(home.folder) == Control()

    ask(home.folder, Control(wish=Wish.PAUSE, reason="r"))
    assert Listener(home.folder).now == Control(wish=Wish.PAUSE, reason="r")


def test_a_torn_wish_is_none(home):
    (home.folder / "control.json").write_text('{"wish": "dance"}')

    assert asked(home.folder) == Control()


def test_a_pause_may_be_told_before_the_start_and_a_drain_may_not(tmp_path):
    folder = tmp_path / "home"
    with pytest.raises(SettingsError, match="there is no runner"):
        wished(folder, Wish.PAUSE)
    home = Home(folder)
    home.open()
    home.remember(Identity(installation_id="i"))
    home.close()

    assert "paused" in wished(folder, Wish.PAUSE, "why\nnot")
    assert asked(folder).reason == "why not"
    with pytest.raises(Conflict, match="no runner works"):
        wished(folder, Wish.DRAIN)


def test_the_log_is_followed_over_a_rotation(tmp_path):
    log = tmp_path / LOG_NAME
    log.write_text("one\n")
    seen = []
    lines = followed(tmp_path, wait=lambda _: time.sleep(0.01))
    thread = threading.Thread(target=lambda: seen.extend(next(lines) for _ in range(4)))
    thread.start()
    time.sleep(0.2)
    with log.open("a") as file:
        file.write("two\nthr")
    while "two" not in seen:
        time.sleep(0.01)
    with log.open("a") as file:
        file.write("ee\nfour\n")
    log.rename(tmp_path / f"{LOG_NAME}.1")
    log.write_text("five\n")

    thread.join(20)

    assert seen == ["two", "three", "four", "five"]
    assert last_lines(tmp_path, 2) == ["four", "five"]
    assert last_lines(tmp_path, 50) == ["one", "two", "three", "four", "five"]
    with pytest.raises(NotFound, match="no log"):
        last_lines(tmp_path / "none", 1)


def test_a_startup_script_that_fails_or_stays_keeps_nobody_from_working(tmp_path, caplog):
    script = tmp_path / "startup.sh"
    script.write_text("#!/bin/sh\nprintenv BOTTOOL_KEY\necho hello\nexit 3\n")
    script.chmod(0o700)

    with caplog.at_level("INFO", "bottool.runner"):
        startup.run(script, tmp_path)
        script.write_text("#!/bin/sh\nsleep 3\n")
        startup.run(script, tmp_path, wait_seconds=0.1)
        script.write_bytes(b"\x7fELF")
        startup.run(script, tmp_path)

    assert "status 3" in caplog.text
    assert "goes on" in caplog.text
    assert "cannot be run" in caplog.text


def test_status_shows_bots_that_go_on_after_the_runner_was_killed(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    runner = machine.start()
    until(lambda: task.state == "running" and status.read(machine.home).in_hand)
    before = until(lambda: [each for each in status.read(machine.home).in_hand if each.state == "running"])[0]

    runner.kill()
    runner.wait()

    said = bottool(machine, "status")
    assert said.returncode == 1
    assert "ended" in said.stdout
    assert f"task {task.id} " in said.stdout, said.stdout
    assert "running for" in said.stdout
    machine.start()
    after = until(lambda: shows(machine, "working") and status.read(machine.home).in_hand, 60)[0]
    assert after.since == before.since, "another runner does not make it younger"
    machine.go()
    until(lambda: server.ended(task))
    until(lambda: not status.read(machine.home).in_hand)


def test_status_says_that_a_runner_takes_no_task_or_is_silent(tmp_path):
    now = time.time()
    said = status.Status(pid=1, mode="working", unready="less than 500.0 MB is free", updated_at=now)
    assert words.fields_of(said)["mode"] == "working, but takes no task: less than 500.0 MB is free"
    silent = words.fields_of(status.Status(pid=1, mode="working", updated_at=now - 60))["mode"]
    assert "it has written nothing since" in silent
    assert "1 min" in silent


def test_why_a_runner_did_not_start_is_in_its_log_too(tmp_path):
    conf = tmp_path / "conf.bcf"
    conf.write_text("server=http://127.0.0.1:9\nmachineId=m1\n")
    home = tmp_path / "home"

    said = subprocess.run(
        [sys.executable, "-P", "-m", "bottool", "runner", "start", "--conf", str(conf), "--home", str(home)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**base_variables(), "BOTTOOL_CONFIG": str(tmp_path / "config")},
        check=False,
    )

    assert said.returncode == 3
    kept = (home / LOG_NAME).read_text()
    complaint = said.stderr.split("error: ")[1].splitlines()[0]
    assert f"ERROR the runner ends: {complaint}" in kept
    assert said.stderr.count(complaint) == 1
