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

PROGRAM = Path(__file__).resolve().parent.parent / "maestro_clients" / "python_sdk"
SOURCES = sorted(PROGRAM.glob("*.py"))
SCENARIOS = [
    name for path in SOURCES for name in re.findall(r'^@scenario\("([^"]+)"', path.read_text("utf-8"), re.MULTILINE)
]


@pytest.fixture(scope="module")
def by_login(town: Any, play: Any) -> dict[str, str | None]:
    town.bottool("automation", "create", "python")
    return play([sys.executable, str(PROGRAM / "bot.py")], "python")


@pytest.fixture(scope="module")
def ran(new_home: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, int]]:
    """A site, and the task in which a real runner ran the program as a bot."""
    project = tmp_path_factory.mktemp("bots") / "everything"
    project.mkdir()
    version = importlib.metadata.version("botcity-maestro-sdk")
    (project / "requirements.txt").write_text(f"botcity-maestro-sdk=={version}\n")
    for source in SOURCES:
        shutil.copy(source, project)
    with new_home() as home:
        home.deploy(project)
        home.automate("everything", "everything", "-p", "finished")
        finished = finished_task(home)
        home.start_runner()
        task_id = home.new_task("everything", "-p", f"finished={finished}")
        home.wait_for_output(task_id, "everything was tried")
        yield home, task_id


def finished_task(home: Any) -> int:
    """A bot speaks of the end of its own task only, but may start others again."""
    home.bottool("automation", "create", "other")
    sdk = BotMaestroSDK(home.address, home.login, home.key)
    sdk.login()
    task = sdk.create_task("other", {}, test=True)
    sdk.finish_task(task.id, AutomationTaskFinishStatus.FAILED, "no", 1, 0, 1)
    return int(task.id)


@pytest.fixture(scope="module")
def by_bot(ran: tuple[Any, int]) -> dict[str, str | None]:
    home, task_id = ran
    lines = [line for line in home.output(task_id).splitlines() if line.startswith('{"name"')]
    return {line["name"]: line["error"] for line in map(json.loads, lines)}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_python_sdk_by_a_login(by_login: dict[str, str | None], scenario: str) -> None:
    if error := by_login.get(scenario, "the program ended before"):
        pytest.fail(error, pytrace=False)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_python_sdk_in_a_bot(by_bot: dict[str, str | None], scenario: str) -> None:
    if error := by_bot.get(scenario, "the bot ended before"):
        pytest.fail(error, pytrace=False)


def test_what_a_bot_says_at_its_end_is_its_tasks_result(ran: tuple[Any, int]) -> None:
    home, task_id = ran

    task = home.task(task_id)

    assert (task.state, task.bot_reported, task.message) == ("succeeded", True, "Olá")
    assert (task.total_items, task.processed_items, task.failed_items) == (len(SCENARIOS), len(SCENARIOS), 0)
