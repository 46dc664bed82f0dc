"""What happens to a task, seen from outside: real server, real runner, real bots."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.end_to_end

Bot = Callable[[str, str], Path]


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    deadline, seen = time.monotonic() + seconds, None
    while time.monotonic() < deadline and not (seen := what()):
        time.sleep(0.05)
    assert seen, f"waited {seconds} s in vain"
    return seen


def witness_bot(bot: Bot, witness: Path, *, seconds: float, bot_id: str = "witness") -> Path:
    """A bot that writes down when it starts and when it ends."""
    return bot(
        bot_id,
        f"""
        import os, sys, time
        def note(word):
            with open({str(witness)!r}, "a") as file:
                file.write(word + " " + os.environ["BOTTOOL_TASK"] + " " + str(os.getpid()) + chr(10))
        note("start")
        print("working", flush=True)
        time.sleep({seconds})
        print("done", flush=True)
        note("end")
        """,
    )


SHAPES = {
    "py-main": "clima_manaus",
    "py-old": "BotTable",
    "py-utf16": "py-utf16",
    "py-accents": "front_office",
    "py-local-botcity": "py-local-botcity",
    "py-in-environment": "Bot",
}


def test_projects_of_every_shape_run_as_they_are(home: Any, shape: Callable[[str], list[Path]]) -> None:
    home.start_runner()
    tasks = {}
    for name, bot_id in SHAPES.items():
        (project,) = shape(name)
        home.deploy(project)
        home.automate(name, bot_id)
        tasks[name] = home.new_task(name)

    for name, task_id in tasks.items():
        task = home.wait_for_state(task_id, "succeeded", "failed")
        assert (name, task.state, task.exit_code) == (name, "succeeded", 0), home.output(task_id)
        assert "olá" in home.output(task_id)


def test_a_bot_that_says_nothing_and_exits_with_0_has_succeeded(home: Any, studio_bot: Bot) -> None:
    home.deploy(studio_bot("quiet", "import sys; print('olá'); print('warning', file=sys.stderr)"))
    home.automate("quiet", "quiet")
    home.start_runner()

    task = home.wait_for_state(home.new_task("quiet"), "succeeded", "failed")

    assert (task.state, task.exit_code, task.bot_reported) == ("succeeded", 0, False)
    assert "olá" in home.output(task.id)


def test_a_bot_that_exits_with_an_error_has_failed_with_its_last_lines(home: Any, studio_bot: Bot) -> None:
    home.deploy(studio_bot("breaks", "print('before'); raise SystemExit('the invoice has no number')"))
    home.automate("breaks", "breaks")
    home.start_runner()

    task = home.wait_for_state(home.new_task("breaks"), "succeeded", "failed")

    assert (task.state, task.exit_code) == ("failed", 1)
    assert "the invoice has no number" in task.message


def test_a_task_waits_until_its_runner_is_there(home: Any, studio_bot: Bot) -> None:
    home.deploy(studio_bot("patient", "print('hello')"))
    home.automate("patient", "patient", machine_id="late-box")
    task_id = home.new_task("patient")
    assert home.task(task_id).state == "queued"
    assert "late-box" in str(home.json("task", "explain", str(task_id)))

    home.start_runner("late-box")

    assert home.wait_for_state(task_id, "succeeded", "failed").state == "succeeded"


def test_output_is_seen_while_the_bot_runs(home: Any, studio_bot: Bot, tmp_path: Path) -> None:
    home.deploy(witness_bot(studio_bot, tmp_path / "seen", seconds=6))
    home.automate("slow", "witness")
    home.start_runner()
    task_id = home.new_task("slow")

    # Output and the word that the bot runs come by different calls, in either order.
    until(lambda: "working" in home.output(task_id) and home.task(task_id).state == "running")

    assert "done" not in home.output(task_id)
    home.wait_for_state(task_id, "succeeded")
    until(lambda: "done" in home.output(task_id))


def test_a_stopped_task_leaves_no_process_behind(home: Any, command_bot: Bot, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    home.deploy(
        command_bot(
            "stubborn",
            f"""
            import os, signal, subprocess, sys, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
            open({str(pids)!r}, "w").write(str(os.getpid()) + chr(10) + str(child.pid))
            time.sleep(600)
            """,
        )
    )
    home.automate("stubborn", "stubborn")
    home.start_runner()
    task_id = home.new_task("stubborn")
    until(lambda: len(lines_of(pids)) == 2)

    home.bottool("task", "stop", str(task_id))

    assert home.wait_for_state(task_id, "cancelled", "failed", "succeeded").state == "cancelled"
    until(lambda: not any(psutil.pid_exists(int(pid)) for pid in lines_of(pids)))


def test_a_bot_that_takes_too_long_is_stopped(home: Any, command_bot: Bot, tmp_path: Path) -> None:
    home.deploy(witness_bot(command_bot, tmp_path / "seen", seconds=600))
    home.automate("endless", "witness", "--timeout", "3")
    home.start_runner()

    task = home.wait_for_state(home.new_task("endless"), "timed_out", "failed", "succeeded")

    assert (task.state, task.reason) == ("timed_out", "timed_out")
    assert len(lines_of(tmp_path / "seen")) == 1


def test_a_cancelled_task_never_starts(home: Any, command_bot: Bot, tmp_path: Path) -> None:
    witness = tmp_path / "seen"
    home.deploy(witness_bot(command_bot, witness, seconds=0))
    home.automate("unwanted", "witness")
    cancelled = home.new_task("unwanted")

    home.bottool("task", "cancel", str(cancelled))
    home.start_runner()
    other = home.new_task("unwanted")

    home.wait_for_state(other, "succeeded")
    assert home.task(cancelled).state == "cancelled"
    assert [line.split()[1] for line in lines_of(witness)] == [str(other)] * 2


def test_the_server_may_be_killed_while_a_bot_runs(home: Any, studio_bot: Bot, tmp_path: Path) -> None:
    witness = tmp_path / "seen"
    home.deploy(witness_bot(studio_bot, witness, seconds=4))
    home.automate("paying", "witness")
    home.start_runner()
    task_id = home.new_task("paying")
    until(lambda: lines_of(witness))

    home.kill_server()
    until(lambda: len(lines_of(witness)) == 2)
    home.start_server()

    task = home.wait_for_state(task_id, "succeeded", "failed", "cancelled")
    assert task.state == "succeeded"
    assert len(lines_of(witness)) == 2
    until(lambda: home.output(task_id).count("done") == 1)
    assert home.output(task_id).count("working") == 1


def test_the_runner_may_be_killed_while_a_bot_runs(home: Any, command_bot: Bot, tmp_path: Path) -> None:
    witness = tmp_path / "seen"
    home.deploy(witness_bot(command_bot, witness, seconds=4))
    home.automate("paying", "witness")
    home.start_runner()
    task_id = home.new_task("paying")
    until(lambda: lines_of(witness))

    home.kill_runner()
    home.start_runner()

    task = home.wait_for_state(task_id, "succeeded", "failed", "cancelled", "lost")
    assert task.state == "succeeded"
    assert len(lines_of(witness)) == 2
    until(lambda: home.output(task_id).count("done") == 1)


def test_a_bot_whose_keeper_is_killed_has_not_succeeded(home: Any, command_bot: Bot, tmp_path: Path) -> None:
    witness = tmp_path / "seen"
    home.deploy(witness_bot(command_bot, witness, seconds=600))
    home.automate("paying", "witness")
    home.start_runner()
    task_id = home.new_task("paying")
    bot_pid = int(until(lambda: lines_of(witness))[0].split()[2])

    os.kill(psutil.Process(bot_pid).ppid(), signal.SIGKILL)

    task = home.wait_for_state(task_id, "succeeded", "failed", "cancelled", "lost")
    assert (task.state, task.reason) == ("failed", "died")
    until(lambda: not psutil.pid_exists(bot_pid))


def test_a_runner_that_stays_away_makes_its_task_lost(home: Any, command_bot: Bot, tmp_path: Path) -> None:
    witness = tmp_path / "seen"
    home.deploy(witness_bot(command_bot, witness, seconds=18))
    home.automate("paying", "witness")
    home.start_runner()
    task_id = home.new_task("paying")
    until(lambda: lines_of(witness))

    home.kill_runner()
    assert home.wait_for_state(task_id, "lost", "succeeded", "failed").state == "lost"
    home.start_runner()

    # The contact is back: the same attempt corrects it, and nothing was started twice.
    assert home.wait_for_state(task_id, "succeeded", "failed").state == "succeeded"
    assert len(lines_of(witness)) == 2
