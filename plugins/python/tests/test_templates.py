"""The templates: each is sound, comes with a test that passes, and works without a server and with one."""

import os
import subprocess
import sys

import pytest

from bottool.errors import ProjectError
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


SELENIUM = {
    "selenium/__init__.py": "",
    "selenium/common/__init__.py": "",
    "selenium/common/exceptions.py": "class WebDriverException(Exception):\n    msg = 'no driver'\n",
    "selenium/webdriver/__init__.py": "from selenium.common.exceptions import WebDriverException\n"
    "class ChromeOptions:\n    def add_argument(self, text): pass\n"
    "def Chrome(options):\n    raise WebDriverException()\n",
    "selenium/webdriver/common/__init__.py": "",
    "selenium/webdriver/common/by.py": "class By:\n    CLASS_NAME = 'class name'\n",
}
"""As on a machine without a browser; the real one would have to be fetched."""


@pytest.fixture
def run(folder_of):
    """Run in a bot's folder with the Python of these tests, which has the real SDK, and neither browser nor display."""
    beside = folder_of(SELENIUM, "beside")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST") and name != "DISPLAY"}

    def start(folder, *words):
        return subprocess.run(
            [sys.executable, *words],
            cwd=folder,
            env={**kept, "PYTHONPATH": str(beside), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return start


@pytest.mark.parametrize("template", PYTHON.templates)
def test_a_bot_from_a_template_runs_and_its_own_test_passes(bot_from, run, maestro, tmp_path, template):
    project = bot_from(template)

    offline = run(project.folder, "bot.py")
    ended = run(project.folder, "bot.py", maestro.address + "/", "7", "s3cret", "acme")
    tested = run(project.folder, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert offline.returncode == 0, offline.stderr
    assert ended.returncode == 0, ended.stderr
    finished = [body["state"] for _, path, _, body in maestro.calls if path == "/api/v2/task/7" and body]
    assert finished == ["FINISHED"]
    assert tested.returncode == 0, tested.stdout
    assert PYTHON.build(project, tmp_path).name == "Mine-1.0.0.zip"
