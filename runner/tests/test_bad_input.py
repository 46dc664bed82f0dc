"""Broken packages, environments that cannot be made, and plugins that misbehave, one after another on one runner.

Each ends as a task that says what was wrong and never showed "running" where its bot did not run; the runner itself
lives through all of them and takes the next task.
"""

import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from bottool import wire
from bottool.archive import pack_zip
from bottool.process import boot_id
from bottool_runner.handover import HandedPermit, KeeperProcess
from bottool_runner.journal import Assignment, AttemptFolder
from bottool_runner.patience import Patience

IS_WINDOWS = sys.platform == "win32"
PERMIT = HandedPermit(server="http://127.0.0.1:1", workspace="workspace", token="secret-token-of-this-bot")


class Handed(NamedTuple):
    """The task is handed back: what the server is told."""

    reason: str
    phase: str = "environment"
    permanent: bool = False
    hint: str = ""
    tool: str = ""
    exit_status: int | None = None
    output: str = ""


class Ended(NamedTuple):
    """The permit was given; how the attempt ended."""

    reason: str
    message: str = ""


RUNS = Ended("exited")
PLUGINS: dict[str, Handed | Ended] = {
    "prepare-raises": Handed("plugin 'evil' failed to prepare 'bot': KeyError: 'colour'"),
    "prepare-fails": Handed(
        "gem failed: no such gem", hint="ask for another", tool="gem get", exit_status=9, output="line 1\nline 2"
    ),
    "prepare-leaves": Handed("plugin 'evil' failed to prepare 'bot': SystemExit: 0"),
    "prepare-exits": Handed("its keeper ended, .* the last that it printed: so long", "prepare", hint="plugins"),
    "prepare-dies": Handed("its keeper ended", "prepare", hint="plugins"),
    "prepare-hangs": Handed(
        r"not made ready within 4 seconds; it was at evil_plugin.py:\d+ in _hangs",
        hint="--prepare-limit",
        output="in prepare",
    ),
    "prepare-prints": RUNS,
    "prepare-threads": RUNS,
    "key-raises": Handed("plugin 'evil' failed to prepare 'bot': KeyError: 'colour'"),
    "key-recurses": Handed("plugin 'evil' failed to prepare 'bot': RecursionError"),
    "key-none": RUNS,
    "key-number": Handed("plugin 'evil' failed to prepare 'bot': TypeError"),
    "key-huge": RUNS,
    "command-raises": Ended("not_launched", "plugin 'evil' failed in command: KeyError: 'colour'"),
    "command-leaves": Ended("not_launched", "plugin 'evil' failed in command: SystemExit: 0"),
    "command-exits": Ended("died", "the bot's keeper was killed"),
    "command-none": Ended("not_launched", "plugin 'evil' failed in command: it returned None, not a Command"),
    "command-text": Ended("not_launched", "plugin 'evil' failed in command: .*a str, not a Command"),
    "command-empty": Ended("not_launched", "plugin 'evil' failed in command: .*arguments are not one text or more"),
    "command-numbers": Ended("not_launched", "plugin 'evil' failed in command: .*arguments are not one text or more"),
    "command-huge": Ended("not_launched", "too long"),
}


@pytest.fixture
def evil(tmp_path) -> str:
    """The folder that holds the plugin ``evil`` as if it were installed."""
    return installed(tmp_path / "site", "evil", Path(__file__).with_name("evil_plugin.py").read_text())


def installed(site: Path, name: str, code: str) -> str:
    about = site / f"{name}_plugin-1.dist-info"
    about.mkdir(parents=True)
    (site / f"{name}_plugin.py").write_text(code)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[bottool]\n{name} = {name}_plugin\n")
    return os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])


def note(bench, kind: str) -> Path:
    target = bench.folder / f"{kind}.zip"
    pack_zip(target, {f"bot.{kind}": b"print('fine')", "bot.note": b"print('fine')"})
    return target


def check(task: Any, told: dict[str, Any] | None, wanted: Handed | Ended, kinds: list[str]) -> None:
    if isinstance(wanted, Ended):
        assert task.report, f"it was handed back: {told}"
        assert task.report["reason"] == wanted.reason, task.report
        assert re.search(wanted.message, task.report["message"], re.DOTALL), task.report
        assert ("started" in kinds) == (wanted is RUNS), kinds
        return
    assert told is not None, f"it was not handed back: {task.report}"
    assert re.search(wanted.reason, told["reason"], re.DOTALL), told
    assert wanted.hint in told["hint"], told
    assert wanted.output in told["output"], told
    found = (told["phase"], told["permanent"], told["exit_status"])
    assert found == (wanted.phase, wanted.permanent, wanted.exit_status), told
    assert re.search(wanted.tool, told["tool"]), told
    assert kinds == ["leased", "handed back"]


def one_after_another(machine, server, until, cases, **options):
    """Give each case to the same runner; what is wrong with any, by its name."""
    wrong = {}
    server.most_claims = 1
    for name, (package, extra, wanted) in cases.items():
        before = len(server.hand_backs)
        task = server.add(package, **extra)
        until(lambda task=task: server.ended(task), 60)
        told = server.hand_backs[before] if len(server.hand_backs) > before else None
        try:
            check(task, told, wanted, server.kinds(task))
        except AssertionError as error:
            wrong[name] = str(error)
    return wrong


def survives(machine, bench, server, until, runner):
    """The runner that was started first is there, has nothing in its hands, and runs a good bot."""
    good = server.add(bench.package("print('good')"))
    until(lambda: server.ended(good), 60)
    assert good.state == "finished"
    assert runner.poll() is None, machine.said
    until(lambda: not machine.attempts)


def test_a_runner_outlives_every_plugin_that_misbehaves(machine, bench, server, until, evil):
    runner = machine.start("--prepare-limit", "4", PYTHONPATH=evil)
    cases = {
        kind: (note(bench, kind), {"technology": f"EVIL-{kind.upper()}"}, wanted) for kind, wanted in PLUGINS.items()
    }

    wrong = one_after_another(machine, server, until, cases)

    assert wrong == {}
    survives(machine, bench, server, until, runner)
    begun = [
        each for each in psutil.process_iter(["cmdline"]) if str(machine.home) in " ".join(each.info["cmdline"] or ())
    ]
    assert {each.pid for each in begun} == {runner.pid}, "no keeper is left"


@pytest.mark.parametrize("kind", ["prepare-closes", "prepare-patches"])
def test_a_runner_outlives_a_plugin_that_wrecks_its_keeper(machine, bench, server, until, evil, kind):
    """What becomes of the task may be anything but a lie."""
    runner = machine.start(PYTHONPATH=evil)
    server.most_claims = 1
    task = server.add(note(bench, kind), technology=f"EVIL-{kind.upper()}")

    until(lambda: server.ended(task), 90)

    assert task.state == "failed" or "started" in server.kinds(task)
    survives(machine, bench, server, until, runner)


def impatient(bench, kind, until):
    """A keeper of such a bot that waits a second for plugins, and has the permit."""
    package = note(bench, kind)
    work = bench.work(package, technology=f"EVIL-{kind.upper()}")
    folder = AttemptFolder.create(
        bench.attempts,
        Assignment(work=work, cache=str(bench.cache.root), output_limit_bytes=1_000_000, plugin_seconds=1.0),
    )
    folder.publish("package", str(bench.cache.add_package(package, work.sha256)))
    keeper = KeeperProcess(folder.path)
    until(lambda: folder.has("ready") or keeper.has_ended())
    folder.publish("intent", {"boot_id": boot_id()})
    keeper.hand_over(PERMIT)
    return folder, keeper


def test_a_plugin_that_hangs_over_the_start_of_a_bot_is_named_by_its_line(bench, until, evil, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", evil)

    folder, keeper = impatient(bench, "command-hangs", until)

    until(keeper.has_ended)
    ended = folder.read("exit", wire.Ended)
    assert ended.reason == "not_launched"
    assert re.search(r"longer than 1 seconds over the start; it was at evil_plugin.py:\d+ in _hangs", ended.message)


def test_a_plugin_that_hangs_over_the_end_of_a_bot_does_not_keep_its_keeper(bench, until, tmp_path, monkeypatch):
    code = (
        "import time\nfrom bottool.hookspecs import hookimpl\n@hookimpl\ndef bottool_task_finished(): time.sleep(600)\n"
    )
    installed(tmp_path / "slow", "slow", code)
    evil_code = Path(__file__).with_name("evil_plugin.py").read_text()
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path / "slow"), installed(tmp_path / "s", "evil", evil_code)])
    )

    folder, keeper = impatient(bench, "key-none", until)

    until(keeper.has_ended)
    assert folder.read("exit", wire.Ended).reason == "exited"
    assert "over the end of the bot" in (folder.path / "keeper.log").read_text()


def test_what_a_plugin_prints_without_end_does_not_fill_the_disk(tmp_path, until):
    log = tmp_path / "keeper.log"
    Patience(log)

    with log.open("ab", buffering=0) as file:
        for _ in range(10):
            file.write(b"x" * 1_000_000)
        until(lambda: log.stat().st_size < 1000)
        file.write(b"the end\n")

    assert "thrown away" in log.read_text()
    assert log.read_text().endswith("the end\n")


BROKEN_PLUGINS = {
    "raises": "raise RuntimeError('no way')",
    "leaves": "import sys; sys.exit(3)",
    "misses": "import a_library_that_nobody_has",
    "old": """
from bottool.hookspecs import hookimpl
from bottool.testing.notes import Notes
class Old(Notes):
    name, technologies, api_version = "old", ("OLD",), 99
@hookimpl
def bottool_register_languages(): return [Old()]
""",
    "clash": """
from bottool.hookspecs import hookimpl
from bottool.testing.notes import Notes
class Mine(Notes):
    name, technologies = "command", ("COMMAND",)
@hookimpl
def bottool_register_languages(): return [Mine()]
""",
    "nonsense": """
from bottool.hookspecs import hookimpl
@hookimpl
def bottool_register_languages(): return [5]
""",
    "unknown": """
from bottool.hookspecs import hookimpl
@hookimpl
def bottool_make_coffee(): pass
""",
}


def test_plugins_that_cannot_be_loaded_cost_only_themselves_and_are_named(machine, bench, server, until, tmp_path):
    for name, code in BROKEN_PLUGINS.items():
        installed(tmp_path / name, f"z{name}", code)
    path = os.pathsep.join([*(str(tmp_path / name) for name in BROKEN_PLUGINS), os.environ.get("PYTHONPATH", "")])
    runner = machine.start(PYTHONPATH=path)

    wrong = one_after_another(
        machine,
        server,
        until,
        {
            "old": (
                note(bench, "old"),
                {"technology": "OLD"},
                Handed("technology 'OLD'", "prepare", hint="could not be loaded"),
            )
        },
    )

    assert wrong == {}
    for name in BROKEN_PLUGINS:
        assert f"z{name}" in server.hand_backs[0]["hint"]
    assert "command" in until(
        lambda: next((s["capabilities"]["languages"] for s in server.syncs if s["claim_key"]), None)
    )
    survives(machine, bench, server, until, runner)


def packed(bench, name: str, files: dict[str, bytes]) -> Path:
    target = bench.folder / name
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return target


def written(bench, name: str, data: bytes) -> Path:
    (bench.folder / name).write_bytes(data)
    return bench.folder / name


def test_a_runner_outlives_every_package_that_is_broken(machine, bench, server, until):
    whole = bench.package("print('fine')").read_bytes()
    refused = Handed("", "unpack", permanent=True)
    cases = {
        "empty": (written(bench, "empty.zip", b""), {}, refused),
        "no archive": (written(bench, "words.zip", b"no archive at all"), {}, refused),
        "cut": (written(bench, "cut.zip", whole[: len(whole) // 2]), {}, refused),
        "leads out": (packed(bench, "out.zip", {"../out": b"x"}), {}, refused),
        "absolute": (packed(bench, "absolute.zip", {"/etc/out": b"x"}), {}, refused),
        "language of nobody": (
            bench.package(""),
            {"technology": "COBOL"},
            Handed("'COBOL'", "prepare", hint="install"),
        ),
        "no script": (
            packed(bench, "none.zip", {"a": b"x"}),
            {"command": "./missing.sh"},
            Ended("not_launched", "missing.sh"),
        ),
    }
    runner = machine.start()

    wrong = one_after_another(machine, server, until, cases)

    assert wrong == {}
    survives(machine, bench, server, until, runner)


NOWHERE = "http://127.0.0.1:9/simple"
PYTHON_BOTS = {
    "no-index": (
        b"a-package-that-nobody-has==1.0",
        Handed(
            "no package index answers", hint="network", tool="^uv pip", exit_status=2, output="a-package-that-nobody"
        ),
    ),
    "no-version": (
        b"a-package-that-nobody-has === nothing",
        Handed(
            "cannot be installed: expected version", hint="last lines", tool="^uv pip", exit_status=2, output="error:"
        ),
    ),
}


@pytest.mark.skipif(IS_WINDOWS, reason="the closed port of this machine answers slowly there")
def test_environments_that_cannot_be_made_say_where_and_why(machine, bench, server, until):
    runner = machine.start(UV_DEFAULT_INDEX=NOWHERE, UV_HTTP_RETRIES="0")
    cases = {
        name: (
            packed(bench, f"{name}.zip", {"bot.py": b"print('hi')", "requirements.txt": text}),
            {"technology": "PYTHON"},
            wanted,
        )
        for name, (text, wanted) in PYTHON_BOTS.items()
    }

    wrong = one_after_another(machine, server, until, cases)

    assert wrong == {}
    survives(machine, bench, server, until, runner)
