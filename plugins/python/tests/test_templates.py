"""The templates: each is sound, comes with a test that passes, and works without a server and with one."""

import os
import subprocess

import pytest

from bottool.errors import ProjectError
from bottool.model import TaskContext
from bottool_python import environment
from bottool_python.language import Python

PYTHON = Python()


@pytest.fixture
def bot_from(project_of):
    def make(template):
        project = project_of({"bot.toml": ""})
        PYTHON.scaffold(project.folder, "Mine", template)
        return project

    return make


@pytest.mark.parametrize("template", PYTHON.templates)
def test_a_template_is_whole_and_has_no_finding(bot_from, template):
    project = bot_from(template)

    assert list(PYTHON.validate(project)) == []
    files = {path.name for path in project.folder.iterdir()}
    assert {"bot.py", "bot.toml", "README.md", "requirements.txt", "test_bot.py"} <= files
    assert not any("BOT_ID" in path.read_text(encoding="utf-8") for path in project.folder.iterdir())


def test_an_unknown_template_names_those_there_are(bot_from):
    with pytest.raises(ProjectError) as caught:
        bot_from("mobile")

    assert "plain, web, desktop" in caught.value.hint


@pytest.mark.parametrize("template", PYTHON.templates)
def test_a_bot_from_a_template_runs_and_its_own_test_passes(bot_from, prepared, start, maestro, tmp_path, template):
    project = bot_from(template)
    requirements = project.folder / "requirements.txt"
    requirements.write_text(requirements.read_text() + "pytest\n")
    bot = prepared(PYTHON.build(project, tmp_path))

    offline = start(bot)
    ended = start(bot, TaskContext(server=maestro.address + "/", task_id=7, workspace="acme", token="s3cret"))
    tested = subprocess.run(
        [str(environment.python_of(bot.environment)), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=bot.folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert offline.returncode == 0, offline.stderr
    assert ended.returncode == 0, ended.stderr
    assert [body["state"] for method, path, _, body in maestro.calls if path == "/api/v2/task/7" and body] == [
        "FINISHED"
    ]
    assert tested.returncode == 0, tested.stdout
