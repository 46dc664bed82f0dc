"""Fixtures for tests of core: the command line as a person types it, and bots that need nothing but this Python."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """``bottool`` in a process of its own, with settings, cache and data of this test only."""

    variables: Mapping[str, str]
    folder: Path

    def __call__(self, *arguments: str, stdin: str = "", **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=self.folder,
            env={**self.variables, **more},
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "bottool", *arguments]


@pytest.fixture
def bottool(tmp_path: Path) -> CommandLine:
    folder = tmp_path / "here"
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if name == "BOTTOOL_TEST_RUN" or "BOTTOOL" not in name}
    own = {name: str(tmp_path / name.lower()) for name in ("CACHE", "DATA", "CONFIG")}
    return CommandLine(
        folder=folder,
        variables={**kept, **{f"BOTTOOL_{name}": path for name, path in own.items()}, "PYTHONUTF8": "1"},
    )


@pytest.fixture
def python_bot(tmp_path: Path) -> Callable[..., Path]:
    """``python_bot("name", source)``: a bot of the language ``command`` that this Python runs, without an environment."""

    def write(bot_id: str, source: str, *, version: str = "1.0.0", within: Path | None = None) -> Path:
        folder = (within or tmp_path) / bot_id
        folder.mkdir(parents=True)
        run = json.dumps([sys.executable, "work.py"])
        (folder / "bot.toml").write_text(
            f'id = "{bot_id}"\nversion = "{version}"\nlanguage = "command"\n\n[command]\nrun = {run}\n', "utf-8"
        )
        (folder / "work.py").write_text(textwrap.dedent(source), "utf-8")
        return folder

    return write
