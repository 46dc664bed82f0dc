"""The unmodified Python SDK against a real server: every scenario of the program is a test, by a login and in a bot."""

import importlib.metadata
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botcity.maestro import AutomationTaskFinishStatus, BotMaestroSDK

pytestmark = pytest.mark.end_to_end

PROGRAMS = Path(__file__).resolve().parent.parent / "maestro_clients"
OLD_VERSION = "0.3.4"
"""The last but few that speak both generations."""


def scenarios(folder: str) -> list[str]:
    sources = (path.read_text("utf-8") for path in sorted((PROGRAMS / folder).glob("*.py")))
    return [name for text in sources for name in re.findall(r'^@scenario\("([^"]+)"', text, re.MULTILINE)]


SCENARIOS = scenarios("python_sdk")
OLD_SCENARIOS = [f"{generation}: {name}" for generation in ("old", "new") for name in scenarios("python_sdk_old")]


@pytest.fixture(scope="module")
def by_login(town: Any, play: Any) -> dict[str, str | None]:
    town.bottool("automation", "create", "python")
    return play([sys.executable, str(PROGRAMS / "python_sdk" / "bot.py")], "python")


@pytest.fixture(scope="module")
def place(new_home: Any) -> Iterator[Any]:
    """A site with a runner, for bots one after another."""
    with new_home() as home:
        home.start_runner()
        yield home


def finished_task(home: Any) -> int:
    """A bot speaks of the end of its own task only, but may start others again."""
    sdk = BotMaestroSDK(home.address, home.login, home.key)
    sdk.login()
    task = sdk.create_task("other", {}, test=True)
    sdk.finish_task(task.id, AutomationTaskFinishStatus.FAILED, "no", 1, 0, 1)
    return int(task.id)


def run_bot(home: Any, project: Path, folder: str, version: str, *finished: str) -> int:
    """A real runner runs the program in ``folder`` with that version of the SDK.

    It gets an automation that no runner takes tasks of, and finished tasks by the names in ``finished``.
    """
    shutil.copytree(PROGRAMS / folder, project, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "requirements.txt").write_text(f"botcity-maestro-sdk=={version}\n")
    home.deploy(project)
    given = {"automation": "other", **{name: finished_task(home) for name in finished}}
    home.automate(project.name, project.name, *(part for name in given for part in ("-p", name)))
    task_id = home.new_task(project.name, *(part for name in given for part in ("-p", f"{name}={given[name]}")))
    home.wait_for_output(task_id, "everything was tried")
    return int(task_id)


@pytest.fixture(scope="module")
def task_id(place: Any, tmp_path_factory: pytest.TempPathFactory) -> int:
    """The task in which the program ran as a bot."""
    place.bottool("automation", "create", "other")
    version = importlib.metadata.version("botcity-maestro-sdk")
    return run_bot(place, tmp_path_factory.mktemp("bots") / "everything", "python_sdk", version, "finished")


def told(home: Any, task_id: int) -> dict[str, str | None]:
    lines = [line for line in home.output(task_id).splitlines() if line.startswith('{"name"')]
    return {line["name"]: line["error"] for line in map(json.loads, lines)}


@pytest.fixture(scope="module")
def by_bot(place: Any, task_id: int) -> dict[str, str | None]:
    return told(place, task_id)


@pytest.fixture(scope="module")
def by_old_bot(place: Any, task_id: int, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    project = tmp_path_factory.mktemp("bots") / "pinned"
    return told(place, run_bot(place, project, "python_sdk_old", OLD_VERSION, "old", "new"))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_python_sdk_by_a_login(by_login: dict[str, str | None], scenario: str) -> None:
    if error := by_login.get(scenario, "the program ended before"):
        pytest.fail(error, pytrace=False)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_python_sdk_in_a_bot(by_bot: dict[str, str | None], scenario: str) -> None:
    if error := by_bot.get(scenario, "the bot ended before"):
        pytest.fail(error, pytrace=False)


@pytest.mark.parametrize("scenario", OLD_SCENARIOS)
def test_an_old_python_sdk_in_a_bot(by_old_bot: dict[str, str | None], scenario: str) -> None:
    if error := by_old_bot.get(scenario, "the bot ended before"):
        pytest.fail(error, pytrace=False)


def test_what_a_bot_says_at_its_end_is_its_tasks_result(place: Any, task_id: int) -> None:
    task = place.task(task_id)

    assert (task.state, task.bot_reported, task.message) == ("succeeded", True, "Olá")
    assert (task.total_items, task.processed_items, task.failed_items) == (len(SCENARIOS), len(SCENARIOS), 0)
