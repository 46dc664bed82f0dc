"""What exists is in the documents, and what they say of it is what the program says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bottool import hookspecs

ROOT = Path(__file__).resolve().parent.parent


def test_every_hook_is_documented() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    hooks = [name for name in vars(hookspecs) if name.startswith("bottool_")]

    assert hooks, "there are no hooks at all"
    assert [name for name in hooks if f"### `{name}(" not in page] == []


def test_every_command_is_documented_as_it_is() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "docs.py"), "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", ["serve", "server init", "runner start", "demo", "task create", "doctor"])
def test_a_command_is_found_in_its_document(command: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")

    assert re.search(rf"^##+ bottool {command}$", page, re.MULTILINE)


def test_every_hook_says_when_who_and_what_on_errors() -> None:
    for name, function in vars(hookspecs).items():
        if name.startswith("bottool_"):
            text = function.__doc__ or ""
            missing = [
                fact
                for fact in ("When:", "Process:", "Parameters:", "Returns:", "Several results:", "Exceptions:", "Since")
                if fact not in text
            ]
            assert missing == [], name
