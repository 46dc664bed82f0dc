"""One execution from start to end, with real bots and a language that starts scripts."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bottool.errors import ToolMissing
from bottool.hookspecs import hookimpl
from bottool.language import Language
from bottool.model import Command, Inspection, Installation, Limits, Package, Reason, TaskContext
from bottool.platform_process import descendant_pids
from bottool.plugins import Plugins
from bottool.run import run

BOTS = Path(__file__).parent / "bots"
TASK = TaskContext(server="http://127.0.0.1:1", task_id=7, workspace="acme", token="secret-token")
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="these bots fork")


class Scripts(Language):
    """Starts one of ``tests/bots`` with this interpreter."""

    name = "scripts"
    title = "Scripts"
    technologies = ("SCRIPTS",)

    def __init__(self, bot, links=None, error=None):
        self.bot, self.links, self.error = bot, links or {}, error

    def command(self, installation):
        if self.error:
            raise self.error
        return Command(arguments=(sys.executable, str(BOTS / f"{self.bot}.py")), links=self.links)

    def recognises(self, folder):
        return False

    def scaffold(self, folder, name, template):
        (folder / "bot.py").write_text("", encoding="utf-8")

    def identify(self, folder):
        return "", ""

    def validate(self, project):
        return []

    def build(self, project, output):
        return output / "bot.zip"

    def inspect(self, package):
        return Inspection()

    def environment_key(self, installation):
        return ""

    def prepare(self, installation, environment):
        environment.touch()

    def toolchain(self):
        return []


class Plugin:
    """Brings a language, remembers what it was told, and may change how bots start."""

    def __init__(self, language, change=None):
        self.language, self.change, self.finished = language, change, []

    @hookimpl
    def bottool_register_languages(self):
        return [self.language]

    @hookimpl
    def bottool_launch(self, command):
        return self.change(command) if self.change else None

    @hookimpl
    def bottool_task_finished(self, outcome):
        self.finished.append(outcome)


class Heard:
    def __init__(self):
        self.out, self.err = b"", b""

    def __call__(self, stream, data):
        if stream == 1:
            self.out += data
        else:
            self.err += data


@pytest.fixture
def installation(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    package = Package(
        path=tmp_path / "bot.zip", bot_id="bot", version="1", language="scripts", sha256="0" * 64, size_bytes=1
    )
    return Installation(package=package, folder=folder)


def execute(installation, bot="hello", *, plugin=None, task=None, limits=None, heard=None, **moments):
    """Run a bot; the outcome, and what was heard of it."""
    plugins = Plugins()
    plugins.add("scripts", plugin or Plugin(Scripts(bot)))
    heard = heard or Heard()
    limits = limits or Limits(grace_seconds=0.3)
    return run(plugins, installation, task=task, limits=limits, output=heard, **moments), heard


def test_a_bot_that_works_succeeds_and_gets_its_task(installation):
    outcome, heard = execute(installation, task=TASK)

    assert outcome.succeeded
    assert outcome.reason is Reason.EXITED
    assert outcome.exit_code == 0
    assert outcome.message == ""
    assert outcome.left_behind == ()
    assert 0 < outcome.duration_seconds < 20
    shown = json.loads(heard.out.splitlines()[1])
    assert shown["arguments"] == ["http://127.0.0.1:1", "7", "secret-token", "acme"]
    assert shown["folder"] == str(installation.folder)
    assert shown["variables"]["BOTTOOL_TOKEN"] == "secret-token"


def test_a_bot_that_fails_is_an_outcome(installation):
    outcome, heard = execute(installation, "fails")

    assert not outcome.succeeded
    assert (outcome.reason, outcome.exit_code) == (Reason.EXITED, 3)
    assert outcome.message == "ended with exit status 3"
    assert heard.err.strip() == b"something is wrong"


@needs_fork
def test_a_bot_that_crashes_says_by_which_signal(installation):
    outcome, _ = execute(installation, "dies_of_a_signal")

    assert outcome.exit_code == -9
    assert outcome.message == "was ended by SIGKILL, perhaps out of memory"


def test_a_bot_that_takes_too_long_is_stopped(installation):
    outcome, _ = execute(installation, "sleeps", limits=Limits(timeout_seconds=0.5, grace_seconds=5))

    assert outcome.reason is Reason.TIMED_OUT
    assert not outcome.succeeded
    assert "0.5 seconds" in outcome.message
    assert 0.4 < outcome.duration_seconds < 5


def test_a_bot_is_stopped_on_request(installation):
    heard = Heard()

    outcome, _ = execute(installation, "sleeps", heard=heard, stop_requested=lambda: b"ready" in heard.out)

    assert outcome.reason is Reason.STOPPED
    assert outcome.message == "was stopped on request"
    assert outcome.exit_code != 0


@needs_fork
def test_a_bot_that_ignores_the_request_is_killed_after_the_grace_time(installation):
    heard = Heard()

    outcome, _ = execute(installation, "ignores_sigterm", heard=heard, stop_requested=lambda: b"ready" in heard.out)

    assert outcome.reason is Reason.STOPPED
    assert outcome.exit_code == -9


@needs_fork
def test_what_a_bot_leaves_behind_is_stopped_and_does_not_change_its_success(installation):
    outcome, _ = execute(installation, "leaves_children")

    assert outcome.succeeded
    assert [name.rpartition(" × ")[2] for name in outcome.left_behind] == ["5"]


def test_the_start_is_told_once_and_usage_is_told_and_kept_at_its_peak(installation):
    trees, samples = [], []

    outcome, _ = execute(
        installation,
        "sleeps",
        limits=Limits(timeout_seconds=1.5, grace_seconds=1),
        started=trees.append,
        usage=samples.append,
    )

    assert [type(tree.pid) for tree in trees] == [int]
    assert len(samples) == 1
    assert samples[0].processes == 1
    assert outcome.peak.memory_bytes >= samples[0].memory_bytes > 1_000_000


@pytest.mark.parametrize("error", [OSError("no space left on device"), KeyboardInterrupt()])
def test_an_error_while_the_start_is_told_stops_the_bot(installation, error):
    pids = []

    def started(tree):
        pids.append(tree.pid)
        raise error

    with pytest.raises(type(error)):
        execute(installation, "sleeps", started=started)

    assert not psutil.pid_exists(pids[0])


def test_plugins_learn_how_a_bot_ended(installation):
    plugin = Plugin(Scripts("fails"))

    outcome, _ = execute(installation, plugin=plugin)

    assert plugin.finished == [outcome]


def test_a_plugin_may_change_how_a_bot_starts(installation):
    plugin = Plugin(Scripts("hello"), lambda command: replace(command, variables={"BOT_DISPLAY": ":99"}))

    _, heard = execute(installation, plugin=plugin)

    assert b'"BOT_DISPLAY": ":99"' in heard.out


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (
            Plugin(Scripts("hello", error=ToolMissing("there is no ruby", "install ruby"))),
            "there is no ruby (install ruby)",
        ),
        (Plugin(Scripts("hello", error=KeyError("entry"))), "plugin 'scripts' failed in command"),
        (Plugin(Scripts("hello"), lambda command: 1 / 0), "plugin 'scripts' failed in bottool_launch"),
        (Plugin(Scripts("hello"), lambda command: Command(arguments=("no-such-program",))), "no-such-program"),
    ],
)
def test_a_bot_that_cannot_be_started_is_an_outcome_that_says_why(installation, plugin, words):
    outcome, _ = execute(installation, plugin=plugin)

    assert outcome.reason is Reason.NOT_LAUNCHED
    assert outcome.exit_code is None
    assert words in outcome.message
    assert plugin.finished == []


def test_an_unknown_language_is_named(installation):
    package = replace(installation.package, language="cobol")

    outcome, _ = execute(replace(installation, package=package))

    assert outcome.reason is Reason.NOT_LAUNCHED
    assert "cobol" in outcome.message


def test_links_lead_from_the_working_folder_into_the_environment(installation, tmp_path):
    modules = tmp_path / "environment" / "node_modules"
    modules.mkdir(parents=True)
    (modules / "left-pad.js").write_text("x", encoding="utf-8")
    plugin = Plugin(Scripts("hello", links={"node_modules": modules}))

    execute(installation, plugin=plugin)
    outcome, _ = execute(installation, plugin=plugin)

    assert outcome.succeeded
    assert (installation.folder / "node_modules" / "left-pad.js").read_text(encoding="utf-8") == "x"


def test_what_a_package_brought_itself_is_not_replaced_by_a_link(installation, tmp_path):
    own = installation.folder / "node_modules"
    own.mkdir()
    plugin = Plugin(Scripts("hello", links={"node_modules": tmp_path}))

    outcome, _ = execute(installation, plugin=plugin)

    assert outcome.succeeded
    assert own.is_dir()
    assert not own.is_symlink()


def test_running_a_bot_needs_no_http_client():
    code = "import sys, bottool.run; sys.exit(any(name.startswith(('httpx2', 'flask')) for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Limits: each is reached by a bot that does so in a process tree, and says which it was.

MB = 1_000_000


def limited(installation, bot, *, asking=lambda _reached: None, usage=lambda _usage: None, **limits):
    limits = Limits(**{"timeout_seconds": 60, "grace_seconds": 1, **limits})
    return execute(installation, bot, limits=limits, asking=asking, usage=usage)


@needs_fork
def test_a_tree_that_takes_too_much_memory_is_out_of_memory(installation):
    outcome, _ = limited(installation, "eats_memory", memory_bytes=150 * MB, grace_seconds=10)

    assert outcome.reason is Reason.OUT_OF_MEMORY
    assert re.fullmatch(
        r"out of memory: it used 1[5-9]\d MB, more than its limit of 150 MB, and was stopped", outcome.message
    )
    assert 150 * MB < outcome.peak.memory_bytes < 400 * MB
    assert outcome.duration_seconds < 20
    assert not descendant_pids(os.getpid())


@needs_fork
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what processes share")
def test_memory_that_processes_share_counts_once(installation):
    outcome, _ = limited(installation, "shares_memory", memory_bytes=250 * MB)

    assert outcome.succeeded, outcome.message
    assert outcome.peak.memory_bytes > 400 * MB


@needs_fork
def test_a_tree_of_too_many_processes_is_stopped(installation):
    outcome, _ = limited(installation, "spawns_children", processes=2)

    assert outcome.reason is Reason.TOO_MANY_PROCESSES
    assert re.fullmatch(r"had \d processes, more than its limit of 2, and was stopped", outcome.message)


def test_a_bot_that_prints_nothing_is_stopped(installation):
    outcome, heard = limited(installation, "sleeps", silence_seconds=1)

    assert outcome.reason is Reason.SILENT
    assert outcome.message == "printed nothing for 1 s and was stopped"
    assert heard.out == b"ready\n"
    assert 1 <= outcome.duration_seconds < 10


def test_a_bot_that_prints_too_much_is_stopped(installation):
    outcome, _ = limited(installation, "prints_forever", output_bytes=20 * MB)

    assert outcome.reason is Reason.TOO_MUCH_OUTPUT
    assert re.fullmatch(r"printed \d+(\.\d+)? [MG]B, more than its limit of 20 MB, and was stopped", outcome.message)


def test_a_bot_that_fills_its_working_folder_is_stopped(installation):
    outcome, _ = limited(installation, "fills_disk", disk_bytes=5 * MB)

    assert outcome.reason is Reason.TOO_MUCH_DISK
    assert re.fullmatch(
        r"filled its working folder with .+ MB, more than its limit of 5 MB, and was stopped", outcome.message
    )


def test_a_bot_at_a_limit_is_asked_first_and_may_end_by_itself(installation):
    asked, before = [], time.time()

    def asking(reached):
        asked.append(reached)
        (installation.folder / "please-end").touch()

    outcome, heard = limited(installation, "ends_when_asked", timeout_seconds=1, interrupt_seconds=20, asking=asking)

    assert (outcome.reason, outcome.exit_code) == (Reason.TIMED_OUT, 0)
    assert outcome.message == "ran longer than its limit of 1 s and ended when it was asked to"
    assert heard.out == b"ready\nasked to end\n"
    assert [(reached.reason, reached.urgent) for reached in asked] == [(Reason.TIMED_OUT, False)]
    assert list(outcome.steps) == ["asked"]
    assert before + 1 <= outcome.steps["asked"] < time.time()


@needs_fork
def test_a_bot_that_hears_nothing_is_asked_signalled_and_killed_in_this_order(installation):
    outcome, _ = limited(installation, "ignores_sigterm", timeout_seconds=1, interrupt_seconds=1)

    assert (outcome.reason, outcome.exit_code) == (Reason.TIMED_OUT, -9)
    assert list(outcome.steps) == ["asked", "signalled", "killed"]
    asked, signalled, killed = outcome.steps.values()
    assert 0.9 < signalled - asked < 4
    assert 0.9 < killed - signalled < 4


@needs_fork
def test_nobody_waits_for_a_bot_that_takes_ever_more_memory(installation):
    outcome, _ = limited(
        installation, "eats_memory", memory_bytes=100 * MB, interrupt_seconds=60, grace_seconds=60, timeout_seconds=50
    )

    assert outcome.reason is Reason.OUT_OF_MEMORY
    assert outcome.duration_seconds < 20


def test_a_stop_on_request_says_when_it_was_signalled(installation):
    outcome, _ = execute(installation, "ends_politely", stop_requested=lambda: True, limits=Limits(grace_seconds=20))

    assert outcome.reason is Reason.STOPPED
    assert set(outcome.steps) <= {"signalled", "killed"}


def test_usage_counts_processes_and_open_files(installation):
    seen = []

    limited(installation, "sleeps", timeout_seconds=2, processes=50, usage=seen.append)

    assert len(seen) >= 3, "looked at four times a second where a limit asks for it"
    assert all(usage.processes == 1 and usage.open_files >= 2 and usage.memory_bytes > MB for usage in seen[1:])
