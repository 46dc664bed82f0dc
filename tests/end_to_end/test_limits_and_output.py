"""Limits and floods of output, seen from outside: real server, real runner, real bots."""

import json
import re
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from bottool import wire

pytestmark = pytest.mark.end_to_end

Bot = Callable[[str, str], Path]
MB = 1_000_000

ASKS = """
    import json, os, time, urllib.request
    def is_interrupted():
        server, task, token = (os.environ["BOTTOOL_" + name] for name in ("SERVER", "TASK", "TOKEN"))
        request = urllib.request.Request(f"{server}/rest/v1/tasks/{task}", headers={"Authorization": f"Bearer {token}"})
        return json.load(urllib.request.urlopen(request))["interrupted"]
    while not is_interrupted():
        time.sleep(0.1)
    print("I end by myself", flush=True)
"""


def event(home: Any, task_id: int, kind: str) -> dict[str, Any]:
    return next(each for each in home.json("task", "events", str(task_id)) if each["kind"] == kind)


class Output:
    """One task's output, read on and on as a follower does."""

    def __init__(self, home: Any, task_id: int) -> None:
        self._client, self._task_id = home.client(), task_id
        self.offset = 0
        self.ended = False

    def more(self) -> list[wire.Frame]:
        data, headers = self._client.read(f"/rest/v1/tasks/{self._task_id}/output", query={"after": self.offset})
        self.offset = int(headers[wire.NEXT_OFFSET_HEADER])
        self.ended = headers[wire.ENDED_HEADER] != "false"
        return list(wire.frames(data))

    def whole(self, seconds: float = 60) -> list[wire.Frame]:
        deadline, found = time.monotonic() + seconds, []
        while time.monotonic() < deadline:
            new = self.more()
            found += new
            if self.ended and not new:
                return found
            if not new:
                time.sleep(0.05)
        raise AssertionError(f"the output had no end within {seconds} s")


def text(frames: list[wire.Frame], stream: wire.Stream) -> bytes:
    return b"".join(frame.data for frame in frames if frame.stream is stream)


def test_a_bot_at_its_time_out_is_asked_through_the_server_and_ends_by_itself(home: Any, command_bot: Bot) -> None:
    home.deploy(command_bot("polite", ASKS))
    home.automate("polite", "polite", "--timeout", "2s", "--interrupt-wait", "60s", "--memory-limit", "500MB")
    shown = home.json("automation", "show", "polite")
    assert (shown["timeout_seconds"], shown["memory_limit_bytes"], shown["interrupt_seconds"]) == (2, 500 * MB, 60)
    home.start_runner()

    task = home.wait_for_state(home.new_task("polite"), "timed_out", "succeeded", "failed")

    assert (task.state, task.reason, task.exit_code, task.interrupted) == ("timed_out", "timed_out", 0, True)
    assert task.message.startswith("ran longer than its limit of 2 s and ended when it was asked to")
    reached, ended = event(home, task.id, "limit_reached"), event(home, task.id, "ended")
    assert (reached["old"], reached["new"], reached["detail"]["reason"]) == ("running", "stopping", "timed_out")
    apart = datetime.fromisoformat(reached["detail"]["asked_at"]) - datetime.fromisoformat(ended["detail"]["asked_at"])
    assert abs(apart.total_seconds()) < 1
    assert "signalled_at" not in ended["detail"]


def test_a_bot_that_is_out_of_memory_is_said_to_be_so(home: Any, command_bot: Bot) -> None:
    home.deploy(
        command_bot("hog", "import time\nheld = []\nwhile True:\n    held.append(b'x' * MB)\n".replace("MB", "3000000"))
    )
    home.automate("hog", "hog", "--memory-limit", "200MB", "--interrupt-wait", "0", "--grace", "1s")
    home.start_runner()

    task = home.wait_for_state(home.new_task("hog"), "succeeded", "failed")

    assert (task.state, task.reason) == ("failed", "out_of_memory")
    assert re.match(r"out of memory: it used .+, more than its limit of 200 MB, and was stopped", task.message)
    steps = event(home, task.id, "ended")["detail"]
    assert "signalled_at" in steps or "killed_at" in steps


def test_nothing_is_missing_or_doubled_when_server_and_runner_are_killed(home: Any, command_bot: Bot) -> None:
    source = """
        import os, time
        for number in range(1500):
            os.write(1, b"out %06d\\n" % number)
            os.write(2, b"err %06d\\n" % number)
            time.sleep(0.005)
    """
    home.deploy(command_bot("counts", source))
    home.automate("counts", "counts")
    home.start_runner()
    task_id = home.new_task("counts")
    home.wait_for_output(task_id, "out 000050")

    home.kill_server()
    time.sleep(0.5)
    home.start_server()
    home.kill_runner()
    time.sleep(0.5)
    home.start_runner()
    home.kill_server()
    home.start_server()

    assert home.wait_for_state(task_id, "succeeded", "failed", "lost").state in {"succeeded", "lost"}
    assert home.wait_for_state(task_id, "succeeded", "failed").state == "succeeded"
    frames = Output(home, task_id).whole()
    for stream, word in ((wire.Stream.STDOUT, b"out"), (wire.Stream.STDERR, b"err")):
        assert text(frames, stream) == b"".join(b"%s %06d\n" % (word, number) for number in range(1500))


def test_what_a_bot_prints_is_there_within_a_second_with_and_without_the_end_of_a_line(
    home: Any, command_bot: Bot
) -> None:
    source = """
        import os, time
        for number in range(20):
            os.write(1 + number % 2, b"%.6f%s" % (time.time(), b"\\n" if number % 4 < 2 else b" "))
            time.sleep(0.4)
    """
    home.deploy(command_bot("clock", source))
    home.automate("clock", "clock")
    home.start_runner()
    task_id = home.new_task("clock")
    home.wait_for_state(task_id, "running", "stopping")
    output, delays = Output(home, task_id), []

    while not output.ended:
        for frame in output.more():
            seen, printed = time.time(), b"" if frame.stream is wire.Stream.NOTE else frame.data
            delays += [seen - float(each) for each in printed.split()]
        time.sleep(0.02)

    assert len(delays) == 20
    late = sorted(delays)[3:]  # what was printed before we looked
    print("seen after", json.dumps([round(each, 2) for each in late]))
    assert late[len(late) * 8 // 10] < 1.0, late


SECRET = "correct-horse-Battery-7391-staple"


def test_a_secret_that_is_printed_in_two_steps_is_hidden_whole(home: Any, command_bot: Bot) -> None:
    source = """
        import os, subprocess, sys, time
        token = sys.argv[3].encode()
        password = subprocess.run(
            [sys.executable, "-m", "bottool", "credential", "get", "bank", "pass"], capture_output=True, check=True
        ).stdout.strip()
        for number in range(12):
            secret, stream = (password, token)[number % 2], 1 + number // 2 % 2
            os.write(stream, b"the secret is " + secret[: 3 + 2 * number])
            time.sleep(0.02 + 0.01 * (number % 8))
            os.write(3 - stream, b"meanwhile\\n")
            os.write(stream, secret[3 + 2 * number :] + b" so\\n")
    """
    home.bottool("credential", "create", "bank")
    home.bottool("credential", "set", "bank", "pass", "--value-file", "-", input=SECRET)
    home.deploy(command_bot("teller", source))
    home.automate("teller", "teller")
    home.start_runner()

    task = home.wait_for_state(home.new_task("teller"), "succeeded", "failed")

    frames = Output(home, task.id).whole()
    printed = text(frames, wire.Stream.STDOUT) + text(frames, wire.Stream.STDERR)
    assert task.state == "succeeded", printed
    lines = [line for line in printed.splitlines() if line.startswith(b"the secret")]
    assert len(lines) == 12
    for line in lines:
        assert re.fullmatch(rb"the secret is \*{20,} so", line), line


class Memory:
    """The most memory that processes had, by their names."""

    def __init__(self, processes: dict[str, psutil.Process]) -> None:
        self._processes = processes
        self.before = {name: process.memory_info().rss for name, process in processes.items()}
        self.most = dict(self.before)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._ends.wait(0.05):
            for name, process in self._processes.items():
                self.most[name] = max(self.most[name], process.memory_info().rss)

    def grown(self) -> dict[str, float]:
        self._ends.set()
        self._thread.join()
        return {name: round((most - self.before[name]) / MB, 1) for name, most in self.most.items()}


@pytest.mark.parametrize("megabytes", [50, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("ends_lines", [True, False])
def test_a_flood_of_output_grows_neither_server_nor_runner(
    home: Any, command_bot: Bot, megabytes: int, ends_lines: bool
) -> None:
    end = "\\n" if ends_lines else "x"
    source = f"""
        import os
        piece = (b"x" * 99 + b"{end}") * 655
        for _ in range({megabytes} * {MB} // len(piece)):
            os.write(1, piece)
        os.write(1, b"that was all\\n")
    """
    home.deploy(command_bot("quick", "print('hello')"))
    home.automate("quick", "quick")
    home.deploy(command_bot("flood", source))
    home.automate("flood", "flood")
    home.start_runner()
    home.wait_for_state(home.new_task("quick"), "succeeded")  # whatever is loaded once is loaded
    memory = Memory({"server": psutil.Process(home.server.pid), "runner": psutil.Process(home.runners["box-1"].pid)})
    began = time.monotonic()

    task = home.wait_for_state(home.new_task("flood"), "succeeded", "failed", seconds=200)
    took = time.monotonic() - began
    frames = Output(home, task.id).whole(100)
    grown = memory.grown()

    kept = text(frames, wire.Stream.STDOUT)
    said = re.search(rb"(\d+) bytes of output were not kept", text(frames, wire.Stream.NOTE))
    printed = megabytes * MB // 65500 * 65500 + len(b"that was all\n")
    print(f"{megabytes} MB in {took:.1f} s, {task.duration_seconds:.1f} s of it the bot; grown by MB: {grown}")
    assert len(kept) + (int(said[1]) if said else 0) == printed
    assert bool(said) == (megabytes > 100)
    assert kept.endswith(b"that was all\n")
    assert max(grown.values()) < 60, grown
