"""The root of the command line: quick help, plugins' commands, errors on one line, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("httpx2", "flask", "sqlalchemy", "alembic", "uvicorn", "uv", "psutil", "msgspec")
LANGUAGES = ("bottool_python.language", "bottool_java.language", "bottool_javascript.language")


def modules_after(bottool, *arguments: str) -> set[str]:
    """What a call has imported, as ``-X importtime`` counts it."""
    program = [sys.executable, "-P", "-X", "importtime", "-m", "bottool", *arguments]
    done = subprocess.run(program, capture_output=True, text=True, env=dict(bottool.variables), check=True)
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


def plugin(folder: Path, name: str, source: str) -> Path:
    """A stranger's distribution, as installed: a module and its entry point."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}_plugin.py").write_text(source, "utf-8")
    information = folder / f"{name}-0.1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n", "utf-8")
    (information / "entry_points.txt").write_text(f"[bottool]\n{name} = {name}_plugin\n", "utf-8")
    return folder


COMMAND = """
import click
from bottool.hookspecs import hookimpl

@click.command({name!r})
def command():
    "From a stranger."
    {body}

@hookimpl
def bottool_register_commands(cli):
    cli.add_command(command)
"""


def test_help_imports_no_language_and_nothing_heavy(bottool) -> None:
    imported = modules_after(bottool, "--help")

    assert "bottool.cli.main" in imported
    assert imported.isdisjoint({*HEAVY, *LANGUAGES})


def test_the_version_is_told_without_loading_plugins(bottool) -> None:
    imported = modules_after(bottool, "--version")

    assert "bottool.cli.main" in imported
    assert imported.isdisjoint({*HEAVY, *LANGUAGES, "pluggy", "bottool_web.plugin", "bottool.cli.task"})


def test_validating_a_bot_loads_the_work_of_its_own_language_only(bottool, python_bot) -> None:
    imported = modules_after(bottool, "validate", str(python_bot("small", "print(1)")))

    assert {"bottool.findings", "bottool_command.checks"} <= imported
    others = {"bottool_python.checks", "bottool_java.checks", "bottool_javascript.checks"}
    assert imported.isdisjoint({*HEAVY, *others, "yaml", "packaging.requirements", "bottool.packing"})


def test_a_build_that_finds_nothing_changed_loads_nothing_that_packs(bottool, python_bot) -> None:
    folder = str(python_bot("small", "print(1)"))
    first = modules_after(bottool, "build", folder)
    second = modules_after(bottool, "build", folder)

    assert "bottool.packing" in first
    assert "bottool.stamps" in second
    assert second.isdisjoint({*HEAVY, "bottool.packing", "bottool.archive", "bottool_command.checks"})


def test_help_lists_the_commands_of_core_and_of_plugins(bottool) -> None:
    said = bottool("--help").stdout

    assert [name for name in ("new", "build", "task", "doctor", "serve", "server") if f"\n  {name} " not in said] == []


def test_the_runners_start_is_found_in_cores_group(bottool) -> None:
    assert "--machine-id" in bottool("runner", "start", "--help").stdout
    assert "start" in bottool("runner", "--help").stdout


def test_an_unknown_command_is_named_with_the_nearest_one(bottool) -> None:
    done = bottool("vaildate")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == ["error: no such command 'vaildate'", "hint: did you mean 'validate'?"]


def test_an_error_under_json_is_json_on_stderr(bottool) -> None:
    done = bottool("build", "nowhere", "--json")

    assert (done.returncode, done.stdout) == (3, "")
    error = json.loads(done.stderr)["error"]
    assert error["code"] == "bad_project"
    assert "nowhere" in error["message"]
    assert error["hint"]


def test_a_strangers_command_works_and_his_faults_are_told_on_one_line(bottool, tmp_path) -> None:
    folder = plugin(tmp_path / "site", "ruby", COMMAND.format(name="rubies", body="raise ValueError('all gone')"))

    listed = bottool("--help", PYTHONPATH=str(folder))
    done = bottool("rubies", PYTHONPATH=str(folder))

    assert "rubies  From a stranger." in " ".join(listed.stdout.split()).replace("rubies From", "rubies  From")
    first, hint = done.stderr.splitlines()
    assert done.returncode == 1
    assert first.startswith("error: unexpected ValueError: all gone; report: ")
    assert hint.startswith("hint: ")
    report = Path(first.rpartition("report: ")[2]).read_text("utf-8")
    assert "Traceback" in report
    assert "arguments ['rubies']" in report


def test_a_plugin_that_takes_a_command_of_core_costs_itself_only(bottool, tmp_path) -> None:
    folder = plugin(tmp_path / "site", "thief", COMMAND.format(name="runner", body="pass"))

    done = bottool("--help", PYTHONPATH=str(folder))

    assert "warning: plugin 'thief' is left out: the command 'runner' is taken" in done.stderr
    assert "See the machines that run bots" in done.stdout


def test_a_plugin_that_cannot_be_imported_is_told_of_and_the_rest_works(bottool, tmp_path) -> None:
    folder = plugin(tmp_path / "site", "broken", "import nothing_of_that_name")

    done = bottool("plugins", "--json", PYTHONPATH=str(folder))

    listed = {each["name"]: each for each in json.loads(done.stdout)}
    assert "nothing_of_that_name" in listed["broken"]["problem"]
    assert listed["command"]["problem"] == ""
    assert "warning: plugin 'broken' is left out" in done.stderr


def test_a_plugin_may_be_switched_off(bottool) -> None:
    done = bottool("plugins", "--json", BOTTOOL_DISABLE_PLUGINS="java,web")

    assert {each["name"] for each in json.loads(done.stdout)}.isdisjoint({"java", "web"})


@pytest.mark.skipif(os.name == "nt", reason="Windows tells a closed pipe in another way")
def test_a_reader_that_has_enough_is_no_error(bottool) -> None:
    with subprocess.Popen(
        bottool.command("doctor", "--offline", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(bottool.variables),
        text=True,
    ) as process:
        process.stdout.close()
        said = process.stderr.read()

        assert process.wait(60) == 0
    assert said == ""


def test_all_versions_are_told(bottool) -> None:
    versions = bottool.json("version")

    assert versions["bottool"] == versions["bottool-web"] == "0.1.0"
    assert versions["python"].startswith("3.")


def test_the_module_is_the_program(bottool) -> None:
    assert bottool("--version").stdout == "bottool 0.1.0\n"
