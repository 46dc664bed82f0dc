"""The example, a plugin for Ruby, as a third party's wheel beside ours: its own tests, then a real server and runner."""

import json
import os
import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "examples" / "bottool-ruby"
pytestmark = pytest.mark.example


@pytest.fixture(autouse=True)
def ruby() -> None:
    """Without Ruby these are skipped on a laptop and fail in CI."""
    if not shutil.which("ruby"):
        (pytest.fail if os.environ.get("CI") else pytest.skip)("there is no Ruby")


def test_the_example_passes_what_every_language_must(fresh, with_example, tmp_path) -> None:
    with_example()
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    shutil.copy(EXAMPLE / "pyproject.toml", tmp_path)

    printed = fresh.run("pytest", "-q", "-m", "not long", "-p", "no:cacheprovider", cwd=tmp_path)

    assert " passed" in printed


def test_a_ruby_bot_is_deployed_and_run_by_a_real_server_and_runner(fresh, with_example) -> None:
    with_example()

    said = json.loads(fresh.run("bottool", "demo", "--json", BOTTOOL_DISABLE_PLUGINS="command"))

    ran = {each["language"]: (each["status"], each["processed_items"]) for each in said["results"]}
    assert ran["ruby"] == ("succeeded", 5), said
