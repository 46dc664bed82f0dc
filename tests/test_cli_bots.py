"""The commands around one bot on this machine: new, validate, build, inspect, run."""

import json
import os
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest


def test_a_new_bot_is_valid_and_runs(bottool) -> None:
    made = bottool("new", "command", "hello")
    assert made.returncode == 0, made.stderr
    assert "next: bottool run hello" in made.stderr

    assert bottool("validate", "hello").returncode == 0
    done = bottool("run", "hello")
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_new_bot_never_overwrites(bottool) -> None:
    (bottool.folder / "hello").mkdir()
    (bottool.folder / "hello" / "mine.txt").write_text("mine")

    done = bottool("new", "command", "hello")

    assert done.returncode == 6
    assert "is there already" in done.stderr
    assert [path.name for path in (bottool.folder / "hello").iterdir()] == ["mine.txt"]


def test_an_unknown_language_names_those_there_are(bottool) -> None:
    done = bottool("new", "pyhton", "hello")

    assert done.returncode == 3
    assert "'pyhton'" in done.stderr
    assert "did you mean 'python'?" in done.stderr
    assert list(bottool.folder.iterdir()) == []


def test_an_unknown_template_leaves_nothing_behind(bottool) -> None:
    done = bottool("new", "command", "hello", "--template", "baroque")

    assert done.returncode == 3
    assert "baroque" in done.stderr
    assert list(bottool.folder.iterdir()) == []


def test_a_name_that_is_no_label_is_refused(bottool) -> None:
    done = bottool("new", "command", "../hello")

    assert done.returncode == 3
    assert "'../hello' cannot be a bot's id" in done.stderr


def test_problems_are_told_with_their_place(bottool, python_bot) -> None:
    folder = python_bot("broken", "print('hello')")
    (folder / "bot.toml").write_text('id = "broken"\nlanguage = "command"\n\n[command]\nrum = ["x"]\n', "utf-8")

    done = bottool("validate", str(folder))
    as_json = bottool("validate", str(folder), "--json")

    assert done.returncode == as_json.returncode == 3
    assert "error" in done.stdout + done.stderr
    assert "rum" in done.stdout + done.stderr


def test_a_folder_that_is_no_bot_is_refused_and_nothing_is_written(bottool) -> None:
    done = bottool("build")

    assert done.returncode == 3
    assert done.stderr.startswith("error: ")
    assert list(bottool.folder.iterdir()) == []


def test_two_bots_in_one_folder_are_listed_and_not_guessed_between(bottool, python_bot) -> None:
    python_bot("first", "", within=bottool.folder)
    python_bot("second", "", within=bottool.folder)

    done = bottool("build")

    assert done.returncode == 3
    assert "first" in done.stderr
    assert "second" in done.stderr


def test_a_broken_bot_toml_is_named_with_its_line(bottool, python_bot) -> None:
    folder = python_bot("broken", "")
    (folder / "bot.toml").write_text('id = "broken"\nlanguage = command\n', "utf-8")

    done = bottool("build", str(folder))

    assert done.returncode == 3
    assert "bot.toml:2" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


def test_build_says_where_the_package_is(bottool, python_bot) -> None:
    folder = python_bot("mine", "print('hello')")

    done = bottool("build", str(folder))

    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert path.name == "mine-1.0.0.zip"
    assert path.parent == folder / "dist"
    assert f"next: bottool deploy {path}" in done.stderr


def test_what_is_said_on_the_command_line_counts_first(bottool, python_bot) -> None:
    folder = python_bot("mine", "print('hello')")

    built = bottool.json("build", str(folder), "--id", "yours", "--version", "2.5")

    assert (built["bot_id"], built["version"], built["language"]) == ("yours", "2.5", "command")
    assert Path(built["path"]).name == "yours-2.5.zip"
    with zipfile.ZipFile(built["path"]) as archive:
        assert json.loads(archive.read("bottool.json"))["bot_id"] == "yours"


def test_inspect_tells_what_a_package_holds(bottool, python_bot) -> None:
    built = bottool.json("build", str(python_bot("mine", "print('hello')")))

    found = bottool.json("inspect", built["path"])

    assert (found["bot_id"], found["version"], found["sha256"]) == ("mine", "1.0.0", built["sha256"])


def test_an_archive_that_leaves_its_folder_is_refused(bottool) -> None:
    with zipfile.ZipFile(bottool.folder / "bad-1.0.0.zip", "w") as archive:
        archive.writestr("../escaped.txt", "out")

    done = bottool("run", "bad-1.0.0.zip", "--language", "command")

    assert done.returncode == 3
    assert "../escaped.txt" in done.stderr
    assert not (bottool.folder.parent / "escaped.txt").exists()


def test_run_gives_the_bots_output_and_status(bottool, python_bot) -> None:
    folder = python_bot("talks", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")

    done = bottool("run", str(folder))

    assert done.returncode == 7
    assert done.stdout == "out\n"
    assert "err\n" in done.stderr


def test_run_takes_a_package_and_leaves_no_trace_of_it(bottool, python_bot) -> None:
    folder = python_bot("writes", "open('result.txt', 'w').write('x'); print('done')")
    built = bottool.json("build", str(folder))

    done = bottool("run", built["path"])

    assert (done.returncode, done.stdout) == (0, "done\n")
    assert not (folder / "result.txt").exists()
    assert list(bottool.folder.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no death by signal")
def test_a_bot_that_dies_of_a_signal_gives_the_shells_status(bottool, python_bot) -> None:
    folder = python_bot("dies", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")

    assert bottool("run", str(folder)).returncode == 128 + signal.SIGKILL


def test_a_bot_that_takes_too_long_is_stopped(bottool, python_bot) -> None:
    folder = python_bot("sleeps", "import time; print('up', flush=True); time.sleep(600)")

    done = bottool("run", str(folder), "--timeout", "1", "--grace", "1")

    assert done.returncode == 8
    assert "the bot was stopped after" in done.stderr


def test_a_bot_that_cannot_be_started_is_no_exit_status_of_its_own(bottool, python_bot) -> None:
    folder = python_bot("lost", "")
    (folder / "bot.toml").write_text('id = "lost"\nlanguage = "command"\n\n[command]\nrun = ["no-such-program-x"]\n')

    done = bottool("run", str(folder))

    assert done.returncode in {1, 3}
    assert "no-such-program-x" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a console is needed to send Ctrl-C on Windows")
def test_ctrl_c_ends_the_bot_first(bottool, python_bot) -> None:
    folder = python_bot("sleeps", "import time; print('up', flush=True); time.sleep(600)")
    with subprocess.Popen(
        bottool.command("run", str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(bottool.variables),
        text=True,
    ) as process:
        assert process.stdout.readline() == "up\n"
        began = time.monotonic()

        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 130
        assert time.monotonic() - began < 9, "the bot needed the whole grace time"
        assert "stopping the bot" in process.stderr.read()
