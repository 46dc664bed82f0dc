"""The command ``bottool`` that every bot finds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bottool import __version__, launcher


def test_the_program_runs_bottool_whatever_lies_in_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise SystemExit('a module of the bot')")
    (tmp_path / "bottool.py").write_text("raise SystemExit('a module of the bot')")
    path = launcher.with_program(os.defpath, tmp_path / "the cache's")

    said = subprocess.run(
        "bottool --version",
        shell=True,
        cwd=tmp_path,
        env={"PATH": path, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert __version__ in said.stdout


def test_the_folder_comes_last_and_holds_nothing_but_the_program(tmp_path: Path) -> None:
    first, last = launcher.with_program("/usr/bin", tmp_path).split(os.pathsep)

    assert first == "/usr/bin"
    assert [each.name for each in Path(last).iterdir()] == ["bottool.cmd" if sys.platform == "win32" else "bottool"]


def test_a_program_that_was_changed_is_made_good(tmp_path: Path) -> None:
    folder = Path(launcher.with_program("", tmp_path).split(os.pathsep)[-1])
    (program,) = folder.iterdir()
    right = program.read_text()
    program.write_text("#!/bin/sh\necho mine\n")

    launcher.with_program("", tmp_path)

    assert program.read_text() == right


def test_a_bot_runs_without_the_program_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "programs").write_text("a file")

    assert launcher.with_program("/usr/bin", tmp_path).startswith("/usr/bin")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such bits")
def test_everybody_may_run_the_program_and_only_its_owner_may_change_it(tmp_path: Path) -> None:
    (program,) = Path(launcher.with_program("", tmp_path).split(os.pathsep)[-1]).iterdir()

    assert program.stat().st_mode & 0o777 == 0o755
