"""The short round: what a user has after installing the distributions. Runs against built wheels, outside the tree."""

import importlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheel

PACKAGES = (
    *("bottool", "bottool.testing", "bottool_command", "bottool_java", "bottool_javascript", "bottool_python"),
    *("bottool_notify", "bottool_web", "bottool_runner"),
)
LANGUAGES = {"command", "java", "javascript", "python", "typescript"}
SOURCES = os.environ.get("BOTTOOL_SOURCES", "")


def bottool(*arguments: str, seconds: float = 60) -> str:
    program = shutil.which("bottool")
    assert program, "there is no 'bottool' on PATH"
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{arguments} ended with {done.returncode}: {done.stderr[-3000:]}{done.stdout[-2000:]}"
    return done.stdout


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_is_imported_and_tells_its_types(name: str) -> None:
    package = importlib.import_module(name)

    place = Path(str(package.__file__)).parent
    assert (place / "py.typed").is_file() or name == "bottool.testing"
    if SOURCES:
        assert not place.is_relative_to(SOURCES), f"{name} comes from the source tree"


def test_all_plugins_work_and_bring_their_languages() -> None:
    plugins = json.loads(bottool("plugins", "--json"))

    assert [each["problem"] for each in plugins if each["problem"]] == []
    assert {each["name"] for each in plugins} == {"command", "java", "javascript", "notify", "python", "runner", "web"}
    assert {language for each in plugins for language in each["languages"]} == LANGUAGES


def test_the_plugins_commands_are_there() -> None:
    said = bottool("--help")

    assert all(f"\n  {name} " in said for name in ("build", "task", "runner", "serve", "server"))


def test_one_task_of_each_language_succeeds() -> None:
    said = json.loads(bottool("demo", "--json", seconds=280))

    ran = {each["language"]: each["status"] for each in said["results"]}
    missing = {each["language"] for each in said["cannot_run"]}
    assert set(ran.values()) == {"succeeded"}, said
    assert ran.keys() | missing == LANGUAGES
    assert not (missing and os.environ.get("CI")), f"a tool is missing for {missing}"
