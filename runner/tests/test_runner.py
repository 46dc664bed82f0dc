"""The whole runner, as a person starts it, against a small real server: with losses, repeats, and kills."""

import contextlib
import json
import random
import signal
import sys
import time

import psutil
import pytest

from bottool import wire
from bottool.process import boot_id
from bottool_runner.journal import Process
from bottool_runner.leftovers import stop_processes

TELL = "import sys; open(WITNESS, 'a').write('start %s\\n' % sys.argv[2]); "
WAIT = TELL + "import time, pathlib\nwhile 'go' not in pathlib.Path(WITNESS).read_text(): time.sleep(.01)\n"
IS_WINDOWS = sys.platform == "win32"


def starts(bench, task):
    return [line for line in bench.starts() if line == f"start {task.id}"]


def printed(task, stream=wire.Stream.STDOUT):
    return b"".join(frame.data for frame in wire.frames(task.output) if frame.stream is stream).decode()


def test_a_task_is_taken_run_and_reported_and_nothing_is_left(machine, bench, server, until):
    task = server.add(bench.package(TELL + "print('hello', sys.argv[1:3]); sys.exit(5)"))

    runner = machine.start("--once")

    assert until(lambda: runner.poll() is not None)
    assert runner.returncode == 0, machine.said
    assert server.kinds(task) == ["leased", "permitted", "started", "finished"]
    assert (task.report["reason"], task.report["exit_code"]) == ("exited", 5)
    assert printed(task).strip() == f"hello ['{server.address}', '1']"
    assert starts(bench, task) == ["start 1"]
    assert machine.attempts == []
    assert "secret-token" not in machine.said
    claims = [said for said in server.syncs if said["claim_key"]]
    assert "command" in claims[0]["capabilities"]["languages"]


def test_a_permit_whose_answer_was_lost_until_the_attempt_was_called_lost_is_given_back(machine, bench, server, until):
    task = server.add(bench.package(TELL))
    server.lost_replies["permit"] = 1000
    machine.start()
    until(lambda: "permitted" in server.kinds(task))

    task.state = "lost"
    server.lost_replies["permit"] = 0

    until(lambda: server.ended(task))
    assert server.kinds(task) == ["leased", "permitted", "void", "leased", "permitted", "started", "finished"]
    assert starts(bench, task) == ["start 1"]


def test_tasks_fill_the_slots_and_no_more(machine, bench, server, until):
    tasks = [server.add(bench.package(WAIT)) for _ in range(3)]
    machine.start("--slots", "2")

    until(lambda: len(bench.starts()) == 2)
    assert sum(task.state == "running" for task in tasks) <= 2
    machine.go()

    until(lambda: all(server.ended(task) for task in tasks))
    assert [len(starts(bench, task)) for task in tasks] == [1, 1, 1]


def test_a_free_slot_is_filled_at_once_although_a_call_is_held(machine, bench, server, until):
    server.hold_seconds = 10
    first, second = (server.add(bench.package(TELL)) for _ in range(2))
    machine.start()
    until(lambda: server.ended(first), 30)
    began = time.monotonic()

    until(lambda: server.ended(second), 30)

    assert time.monotonic() - began < 8, "the second task waited for the held call"


def test_output_arrives_while_the_bot_runs(machine, bench, server, until):
    task = server.add(bench.package("print('first', flush=True)\n" + WAIT))
    machine.start()

    until(lambda: printed(task).strip() == "first")
    assert task.state in {"starting", "running"}
    machine.go()
    until(lambda: server.ended(task))


def test_a_runner_that_is_told_to_end_leaves_its_bot_running_and_the_next_one_reports_it(machine, bench, server, until):
    task = server.add(bench.package(WAIT + "print('end')"))
    runner = machine.start()
    until(lambda: task.state == "running" and starts(bench, task))

    runner.send_signal(signal.SIGTERM)
    assert until(lambda: runner.poll() is not None)
    assert runner.returncode == 0
    started = machine.attempts[0].read("started", Process)
    assert psutil.pid_exists(started.pid)
    machine.go()
    machine.start("--once")

    until(lambda: server.ended(task))
    assert task.report["exit_code"] == 0
    assert printed(task).strip() == "end"
    assert starts(bench, task) == ["start 1"]


def test_a_bot_that_ended_while_no_runner_was_there_is_reported_by_the_next(machine, bench, server, until):
    task = server.add(bench.package(WAIT + "sys.exit(7)"))
    runner = machine.start()
    until(lambda: task.state == "running" and starts(bench, task))
    runner.kill()
    runner.wait()
    machine.go()
    until(lambda: machine.attempts[0].has("exit"))

    machine.start()

    until(lambda: server.ended(task))
    assert task.report["exit_code"] == 7


def test_a_killed_keeper_is_reported_as_died_and_its_bot_is_ended(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    machine.start()
    until(lambda: task.state == "running" and starts(bench, task))
    folder = machine.attempts[0]
    bot = folder.read("started", Process)
    until(lambda: folder.ran_seconds() > 0.2)

    psutil.Process(folder.read("keeper.pid", Process).pid).kill()

    until(lambda: server.ended(task))
    assert task.state == "failed"
    assert task.report["reason"] == "died"
    assert task.report["duration_seconds"] > 0.2, "it did run, though nobody measured it"
    until(lambda: not psutil.pid_exists(bot.pid))


def test_a_person_who_stops_a_task_stops_its_bot(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    machine.start()
    until(lambda: task.state == "running" and starts(bench, task))

    server.say(task, "stop")

    until(lambda: server.ended(task))
    assert task.report["reason"] == "stopped"


def test_an_interrupt_is_the_bots_own_business(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    machine.start()
    until(lambda: task.state == "running" and starts(bench, task))

    server.say(task, "interrupt")
    seen = len(server.syncs)
    until(lambda: len(server.syncs) > seen + 2)

    assert task.state == "running"
    machine.go()
    until(lambda: server.ended(task))
    assert task.report["reason"] == "exited"


def test_a_bot_that_printed_more_than_the_server_takes_is_reported_as_it_ended(machine, bench, server, until):
    task = server.add(bench.package("print('x' * 5000, flush=True)\n" + TELL))
    task.output_limit = 1000
    machine.start()

    until(lambda: server.ended(task))

    assert (task.state, task.report["exit_code"]) == ("finished", 0)
    assert "x" * 100 not in printed(task)
    assert "cannot give its output to the server" in machine.said


def test_an_attempt_that_is_gone_is_stopped_and_dropped(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    machine.start()
    until(lambda: task.state == "running" and starts(bench, task))
    bot = machine.attempts[0].read("started", Process)

    task.state = "cancelled"

    until(lambda: machine.attempts == [])
    until(lambda: not psutil.pid_exists(bot.pid))
    assert "finished" not in server.kinds(task)


def test_an_attempt_whose_lease_ran_out_while_it_was_prepared_never_starts(machine, bench, server, until):
    task = server.add(bench.package(TELL))
    server.refuse("permit", 409, "stale_attempt")
    machine.start()

    until(lambda: "leased" in server.kinds(task) and machine.attempts == [] and not server.refusals["permit"])

    assert starts(bench, task) == []
    assert "permitted" not in server.kinds(task)


def test_a_package_that_is_another_one_is_handed_back_for_good(machine, bench, server, until):
    task = server.add(bench.package(TELL))
    task.served = b"something else"
    machine.start()

    until(lambda: server.ended(task))

    assert server.hand_backs[0]["permanent"] is True
    assert starts(bench, task) == []


def test_a_bot_that_cannot_be_prepared_is_handed_back_with_the_reason(machine, bench, server, until):
    task = server.add(bench.package(TELL), technology="COBOL")
    server.most_claims = 2
    machine.start()

    until(lambda: server.hand_backs)

    assert "COBOL" in server.hand_backs[0]["reason"]
    assert server.hand_backs[0]["permanent"] is False
    until(lambda: server.ended(task))


CALLS = ("sync", "package", "permit", "started", "output", "finish")


@pytest.mark.parametrize(
    ("fault", "calls"), [("lost_requests", ("sync", "permit", "finish")), ("lost_replies", CALLS), ("repeats", CALLS)]
)
def test_every_call_may_be_lost_or_repeated(machine, bench, server, until, fault, calls):
    getattr(server, fault).update(dict.fromkeys(calls, 1))
    task = server.add(bench.package(TELL + "print('x' * 100_000)"))
    machine.start("--once")

    until(lambda: server.ended(task), 60)

    assert set(getattr(server, fault).values()) == {0}, "each fault happened"
    assert starts(bench, task) == ["start 1"]
    assert printed(task).strip() == "x" * 100_000
    assert server.kinds(task) == ["leased", "permitted", "started", "finished"]


def test_a_server_that_goes_away_and_comes_back_loses_nothing(machine, bench, server, until):
    task = server.add(bench.package(TELL + "print('one', flush=True)\n" + WAIT + "print('two')"))
    machine.start()
    until(lambda: task.state == "running" and printed(task))

    server.stop()
    machine.go()
    until(lambda: machine.attempts[0].has("exit"))
    server.start()

    until(lambda: server.ended(task), 60)
    assert printed(task).split() == ["one", "two"]
    assert task.report["exit_code"] == 0


def test_a_second_runner_in_the_same_home_is_refused(machine, server, until):
    machine.start()
    until(lambda: server.syncs)

    second = machine.start()

    assert second.wait(20) == 3
    assert "already" in machine.said


def test_a_token_that_is_refused_is_replaced_where_credentials_are_there(machine, bench, server, until):
    first = server.add(bench.package(TELL))
    assert machine.start("--once").wait(30) == 0
    said = json.loads((machine.home / "runner.json").read_text())
    (machine.home / "runner.json").write_text(json.dumps({**said, "token": "revoked"}))
    second = server.add(bench.package(TELL))

    assert machine.start("--once").wait(30) == 0, machine.said

    assert server.ended(first) and server.ended(second)
    assert len(server.registered) == 2


def test_a_token_that_is_refused_without_credentials_ends_the_runner_with_a_hint(machine, server, until):
    runner = machine.start("--code", "ONE-TIME-CODE")
    until(lambda: server.syncs)

    server.tokens.clear()

    assert runner.wait(20) == 3
    assert "--code" in machine.said


def test_a_machine_that_was_restarted_reports_its_bots_as_died(machine, bench, server, until):
    task = server.add(bench.package(WAIT))
    runner = machine.start()
    until(lambda: task.state == "running" and starts(bench, task))
    runner.kill()
    runner.wait()
    folder = machine.attempts[0]
    stop_processes(folder, boot_id())
    for name in ("keeper.pid", "started"):
        known = folder.read(name, Process)
        folder.publish(name, Process(pid=known.pid, create_time=known.create_time, boot_id="the boot before"))

    machine.start()

    until(lambda: server.ended(task))
    assert task.report["reason"] == "died"
    assert "restarted" in task.report["message"]
    assert starts(bench, task) == ["start 1"]


def kill_again_and_again(machine, server, until, *, kills, seed):
    """Kill runner or keeper at random moments while tasks are worked off; every task ends, every bot ran at most once."""
    draw = random.Random(seed)
    bench = machine.bench
    bots = ["", "import time; time.sleep(0.3)", "import time; time.sleep(2)", "print('x' * 200_000)", "sys.exit(1)"]
    tasks = [server.add(bench.package(TELL + draw.choice(bots) + f"  # {n % 3}")) for n in range(kills + kills // 2)]
    server.chaos = (draw, 0.03)
    server.hold_seconds = 0.5
    for _ in range(kills):
        seen = len(server.syncs)
        runner = machine.start("--slots", "3")
        until(lambda seen=seen: len(server.syncs) > seen)
        time.sleep(draw.uniform(0.0, 0.7))
        keepers = [folder.read("keeper.pid", Process) for folder in machine.attempts]
        if keepers and keepers[0] and draw.random() < 0.3:
            with contextlib.suppress(psutil.Error):
                psutil.Process(draw.choice([each for each in keepers if each]).pid).kill()
        runner.kill()
        runner.wait()
    server.chaos = None
    machine.start("--slots", "3")
    until(lambda: all(server.ended(task) for task in tasks), 60 + 5 * len(tasks))
    return tasks


def judge(bench, server, tasks):
    for task in tasks:
        ran = starts(bench, task)
        kinds = server.kinds(task)
        assert len(ran) <= 1, f"task {task.id} ran {len(ran)} times: {kinds}"
        assert kinds.count("finished") <= 1
        if task.report.get("reason") == "exited":
            assert len(ran) == 1
            if "x" * 100 in printed(task):
                assert printed(task).strip() == "x" * 200_000
        for voided in [index for index, kind in enumerate(kinds) if kind == "void"]:
            assert "started" not in kinds[:voided]


@pytest.mark.skipif(IS_WINDOWS, reason="kills are timed for a system that starts Python quickly")
def test_kills_at_random_moments_never_start_a_bot_twice(machine, bench, server, until):
    tasks = kill_again_and_again(machine, server, until, kills=20, seed=1)

    judge(bench, server, tasks)
    assert sum(task.state == "finished" for task in tasks) >= 5


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 12))
def test_hundreds_of_kills_never_start_a_bot_twice(machine, bench, server, until, seed):
    tasks = kill_again_and_again(machine, server, until, kills=60, seed=seed)

    judge(bench, server, tasks)
