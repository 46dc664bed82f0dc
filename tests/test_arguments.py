"""What a bot gets as arguments and variables."""

from pathlib import Path

import pytest

from bottool.arguments import full_command
from bottool.model import Command, TaskContext

FOLDER = Path("/bots/invoices")
TASK = TaskContext(server="https://bots.example", task_id=42, workspace="acme", token="secret-token")


def test_a_task_appends_server_task_token_and_workspace():
    command = Command(arguments=("python", "bot.py"))

    arguments, _ = full_command(command, TASK, FOLDER)

    assert arguments == ["python", "bot.py", "https://bots.example", "42", "secret-token", "acme"]


def test_without_a_task_nothing_is_appended():
    arguments, variables = full_command(Command(arguments=("python", "bot.py")), None, FOLDER)

    assert arguments == ["python", "bot.py"]
    assert not [name for name in variables if name.startswith("BOTTOOL_")]


def test_placeholders_are_filled_inside_arguments_instead_of_appending():
    line = ("{path}/run", "--at={maestro_server}", "{maestro_taskid}:{maestro_token}", "{workspace}", "{other}")

    arguments, variables = full_command(Command(arguments=line, placeholders=True), TASK, FOLDER)

    assert arguments == ["/bots/invoices/run", "--at=https://bots.example", "42:secret-token", "acme", "{other}"]
    assert variables["BOTTOOL_TASK"] == "42"


def test_our_own_words_for_placeholders_work_too():
    command = Command(arguments=("{server}", "{task}", "{token}"), placeholders=True)

    assert full_command(command, TASK, FOLDER)[0] == ["https://bots.example", "42", "secret-token"]


def test_a_value_that_looks_like_a_placeholder_stays_what_it_is():
    odd = TaskContext(server="{token}", task_id=1, workspace="{path}", token="secret-token")

    assert full_command(Command(arguments=("{server} {workspace}",), placeholders=True), odd, FOLDER)[0] == [
        "{token} {path}"
    ]


def test_without_a_task_its_placeholders_become_empty_and_the_path_stays():
    command = Command(arguments=("{path}", "{maestro_token}"), placeholders=True)

    assert full_command(command, None, FOLDER)[0] == ["/bots/invoices", ""]


def test_the_task_is_told_in_variables_and_text_is_utf_8(monkeypatch):
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)

    _, variables = full_command(Command(arguments=("bot",)), TASK, FOLDER)

    assert variables["BOTTOOL_SERVER"] == "https://bots.example"
    assert variables["BOTTOOL_TASK"] == "42"
    assert variables["BOTTOOL_TOKEN"] == "secret-token"
    assert variables["BOTTOOL_WORKSPACE"] == "acme"
    assert variables["PYTHONUTF8"] == "1"
    assert variables["PYTHONUNBUFFERED"] == "1"
    assert variables["PYTHONIOENCODING"] == "utf-8"
    assert variables["LANG"] == "C.UTF-8"


def test_a_language_of_the_machine_is_kept(monkeypatch):
    monkeypatch.setenv("LANG", "pt_BR.UTF-8")

    assert full_command(Command(arguments=("bot",)), TASK, FOLDER)[1]["LANG"] == "pt_BR.UTF-8"


@pytest.mark.parametrize(
    "name",
    ["BOTTOOL_KEY", "BOTTOOL_LOGIN", "BOTTOOL_DATA", "BOTTOOL_RUNNER_TOKEN", "VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH"],
)
def test_what_belongs_to_bottool_never_reaches_a_bot(monkeypatch, name):
    monkeypatch.setenv(name, "ours")

    _, variables = full_command(Command(arguments=("bot",)), TASK, FOLDER)

    assert name not in variables
    assert "ours" not in variables.values()


def test_the_machines_other_variables_reach_a_bot(monkeypatch):
    monkeypatch.setenv("ORACLE_HOME", "/opt/oracle")

    assert full_command(Command(arguments=("bot",)), TASK, FOLDER)[1]["ORACLE_HOME"] == "/opt/oracle"


def test_a_languages_variables_win_over_the_machine_but_not_over_the_task(monkeypatch):
    monkeypatch.setenv("NODE_ENV", "development")
    command = Command(
        arguments=("bot",), variables={"NODE_ENV": "production", "PYTHONPATH": "lib", "BOTTOOL_TASK": "1"}
    )

    _, variables = full_command(command, TASK, FOLDER)

    assert variables["NODE_ENV"] == "production"
    assert variables["PYTHONPATH"] == "lib"
    assert variables["BOTTOOL_TASK"] == "42"


def test_the_token_does_not_show_when_a_task_is_printed():
    assert "secret-token" not in repr(TASK)
