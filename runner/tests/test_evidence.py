"""What is noted of a bot for people who ask why it failed: a series that stays small, processes without secrets."""

import pytest

from bottool import wire
from bottool.model import Usage
from bottool.plugins import Plugins
from bottool_runner import evidence
from bottool_runner.evidence import Series, without_secrets

TOKEN = "btl_attempt_abcdef"


def test_a_series_of_a_week_has_few_points_and_keeps_its_peak_and_its_end():
    series, week = Series(), 7 * 24 * 3600

    for second in range(1, week, 20):
        memory = 9_000_000_000 if second == 1 + 20 * 5000 else 1_000_000
        series.add(float(second), Usage(cpu_seconds=second / 2, memory_bytes=memory, processes=2), open_files=7)

    assert 100 <= len(series.points) < wire.MOST_POINTS
    assert series.points[-1].at > week * 0.98
    assert max(point.memory_bytes for point in series.points) in {1_000_000, 9_000_000_000}
    assert {round(point.cpu_percent) for point in series.points} == {50}
    assert [point.at for point in series.points] == sorted(point.at for point in series.points)


def test_a_point_says_the_share_of_a_core_since_the_one_before():
    series = Series()
    for at, cpu in ((1.0, 1.0), (2.0, 1.5), (4.0, 5.5)):
        series.add(at, Usage(cpu_seconds=cpu, memory_bytes=1, processes=1), open_files=0)

    assert [point.cpu_percent for point in series.points] == [100.0, 50.0, 200.0]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["bot", "http://s", "7", TOKEN, "w"], "bot http://s 7 *** w"),
        (["curl", "--token", "abc", "-v"], "curl --token *** -v"),
        (["db", "--password=abc", "x"], "db --password=*** x"),
        (["env", "API_KEY=abc", "./run"], "env API_KEY=*** ./run"),
        (["chrome", "--type=renderer"], "chrome --type=renderer"),
        (["python", "token.py"], "python token.py"),
    ],
)
def test_a_command_line_is_shown_without_its_secrets(arguments, shown):
    assert without_secrets(arguments, TOKEN) == shown


def test_a_very_long_command_line_is_cut():
    assert len(without_secrets(["x" * 100_000], TOKEN)) == evidence.LONGEST_COMMAND


CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", "--password", "hunter2"])
time.sleep(2.5)
sys.exit(4)
"""


def test_a_runner_sends_what_its_keeper_noted_of_a_bot_that_failed(bench, server, machine, until):
    task = server.add(bench.package(CHILD))
    server.evidence_wanted = True
    machine.start("--max-tasks", "1")
    until(lambda: server.ended(task) and server.kinds(task)[-1] == "evidence", 60)

    sent = server.evidence[task.id]
    assert [point["processes"] for point in sent["usage"]][-1] == 2
    assert any(point["memory_bytes"] > 1_000_000 for point in sent["usage"])
    names = [each["command"] for each in sent["processes"]]
    assert any("--password ***" in command for command in names)
    assert "hunter2" not in str(names)
    assert server.equipment[task.id]["equipment"]["language"] == "command"
    kinds = server.kinds(task)
    assert kinds[kinds.index("finished") + 1 :] == ["evidence"]


def test_nothing_is_sent_of_a_quick_bot_that_succeeded(bench, server, machine, until):
    task = server.add(bench.package("print('done')"))
    process = machine.start("--max-tasks", "1")
    until(lambda: process.poll() is not None, 60)

    assert server.ended(task)
    assert "evidence" not in server.kinds(task)


def test_a_server_of_the_release_before_does_not_disturb_the_end_of_an_attempt(bench, server, machine, until):
    server.knows_evidence = False
    server.evidence_wanted = True
    task = server.add(bench.package("import sys, time; time.sleep(1.5); sys.exit(2)"))
    process = machine.start("--max-tasks", "1")
    until(lambda: process.poll() is not None, 60)

    assert server.ended(task)
    assert task.report["exit_code"] == 2


def test_a_language_says_what_a_bot_runs_with_unless_it_knows_better(bench):
    language = Plugins.load().language("command")
    folder = bench.attempt()
    from bottool.environments import make_ready
    from bottool.model import Package

    work = folder.assignment().work
    path = bench.cache.package_path(work.sha256)
    package = Package(
        path=path, bot_id="bot", version="1", language="command", sha256=work.sha256, size_bytes=path.stat().st_size
    )
    installation = make_ready(Plugins.load(), package, bench.cache, folder.bot, lambda _text: None)

    assert language.equipment(installation).interpreter == ""
