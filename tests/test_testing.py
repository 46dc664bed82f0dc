"""The pytest plugin that we and the authors of plugins use: the contract can be passed and failed, leaks are found."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from bottool.settings import base_variables
from bottool.testing import LanguageContract, Notes


class TestNotes(LanguageContract):
    language = Notes()
    speaks = ("bot.note", "import sys\nprint('@TEXT@')\nsys.exit(@STATUS@)\n")
    ends = ("bot.note", "import sys\nsys.exit(int(sys.argv[2]))\n")
    sleeps = (
        "bot.note",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('ready', flush=True)\ntime.sleep(600)\n",
    )
    floods = (
        "bot.note",
        "import sys\nfor _ in range(@MEGABYTES@ * 16):\n    sys.stdout.write('x' * 65536)\nprint()\n",
    )
    spawns = (
        "bot.note",
        """import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)
print(child.pid)
""",
    )


@pytest.fixture
def rounds(tmp_path: Path):
    """Runs pytest on a test file in a process of its own; returns its exit code and what it printed."""

    def run(text: str, **variables: str) -> tuple[int, str]:
        (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
        (tmp_path / "test_it.py").write_text(textwrap.dedent(text), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "bottool.testing",
            "-p",
            "no:randomly",
            "-v",
            "-rs",
            "test_it.py",
        ]
        given = {name: value for name, value in base_variables().items() if name != "CI"}
        done = subprocess.run(
            command, cwd=tmp_path, env=given | variables, capture_output=True, text=True, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return run


LEAKY = """
    import os, subprocess, sys, threading, time

    PARENT = '''import subprocess, sys
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(601)"], start_new_session=True)
    '''

    def test_it():
        global child
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(602)"])
        subprocess.run([sys.executable, "-c", PARENT.replace(chr(10) + "    ", chr(10))], check=True)
        threading.Thread(target=time.sleep, args=(7,), name="sleeper").start()
        os.environ["LEAKED"] = "1"
"""


def test_a_test_that_leaves_something_behind_fails_by_it_and_its_processes_are_gone(rounds):
    code, printed = rounds(LEAKY)

    assert code == 1, printed
    left = re.search(r"the test left behind: (.*)", printed)[1]
    for what in ("time.sleep(601)", "time.sleep(602)", "thread 'sleeper'", "variable LEAKED"):
        assert what in left
    for pid in re.findall(r"process (\d+)", left):
        assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE


def test_a_test_that_cleans_up_passes(rounds):
    code, printed = rounds(
        """
        import subprocess, sys, threading

        def test_it(monkeypatch):
            monkeypatch.setenv("PASSING", "1")
            subprocess.run([sys.executable, "-c", ""], check=True)
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
        """
    )

    assert code == 0, printed


def test_what_a_longer_lived_fixture_started_is_not_the_tests_leak(rounds):
    code, printed = rounds(
        """
        import subprocess, sys
        import pytest

        SERVER = '''
        import subprocess, sys
        for line in sys.stdin:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            print("started", flush=True)
        child.kill()
        child.wait()
        '''

        @pytest.fixture(scope="session")
        def server():
            import textwrap
            with subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ) as process:
                yield process
                process.stdin.close()
                process.wait(10)

        def test_it(server):
            server.stdin.write("start a worker\\n")
            server.stdin.flush()
            assert server.stdout.readline() == "started\\n"
        """
    )

    assert code == 0, printed


BROKEN = """
    from dataclasses import replace
    from bottool.testing import LanguageContract, Notes

    class RecognisesAll(Notes):
        def recognises(self, folder):
            return True

    class IgnoresTemplates(Notes):
        def scaffold(self, folder, name, template):
            super().scaffold(folder, name, "")

    class WritesWhileValidating(Notes):
        def validate(self, project):
            (project.folder / "x").write_text("x")
            return []

    class WritesIntoTheSource(Notes):
        def build(self, project, output):
            (project.folder / "x").write_text("x")
            return super().build(project, output)

    class BuildsByFolderName(Notes):
        def build(self, project, output):
            return super().build(replace(project, bot_id="x" + project.folder.name[:2]), output)

    class SharesNothing(Notes):
        def environment_key(self, installation):
            return str(installation.folder)

    class StartsSomethingElse(Notes):
        def command(self, installation):
            return replace(super().command(installation), arguments=("false",))

    def contract(broken):
        return type("Contract", (LanguageContract,), {"language": broken()})

    for broken in Notes.__subclasses__():
        globals()["Test" + broken.__name__] = contract(broken)
"""

BREAKS = {
    "RecognisesAll": "test_an_empty_folder_is_not_recognised",
    "IgnoresTemplates": "test_an_unknown_template_is_refused_with_a_hint",
    "WritesWhileValidating": "test_validation_changes_nothing",
    "WritesIntoTheSource": "test_building_leaves_the_source_untouched",
    "BuildsByFolderName": "test_building_twice_gives_the_same_bytes",
    "SharesNothing": "test_two_installations_share_one_environment",
    "StartsSomethingElse": "test_a_bot_that_runs_offline_succeeds",
}


def test_a_language_that_breaks_the_contract_is_told_where(rounds):
    chosen = " or ".join({"test_it_loads_as_a_plugin", *BREAKS.values()})

    code, printed = rounds(BROKEN, PYTEST_ADDOPTS=f"-k '{chosen}'")

    assert code == 1, printed
    for broken, test in BREAKS.items():
        assert f"Test{broken}::{test} FAILED" in printed
        assert f"Test{broken}::test_it_loads_as_a_plugin PASSED" in printed


MISSING_TOOL = """
    from bottool.model import Tool
    from bottool.testing import LanguageContract, Notes

    class Odd(Notes):
        def toolchain(self):
            return [Tool(name="odd-compiler", found=False, needed_for="build", hint="install it")]

    class TestOdd(LanguageContract):
        language = Odd()
"""


def test_without_its_tool_a_language_is_skipped_on_a_laptop(rounds):
    code, printed = rounds(MISSING_TOOL)

    assert code == 0, printed
    assert "::test_building_makes_exactly_one_file SKIPPED" in printed
    assert "Notes needs odd-compiler to build" in printed


def test_without_its_tool_a_language_fails_in_ci(rounds):
    code, printed = rounds(MISSING_TOOL, CI="true")

    assert code == 1, printed
    assert "Notes needs odd-compiler to build" in printed
