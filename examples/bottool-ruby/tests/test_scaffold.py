"""The scaffolded bot with a task: it reads its parameters, and reports and finishes the task."""

import subprocess
from pathlib import Path

from bottool_ruby.language import Ruby

from bottool.arguments import full_command
from bottool.model import TaskContext
from bottool.testing import Answering, plugins_with
from bottool.testing.workbench import Workbench


class Bench(Workbench):
    language = Ruby()


def test_it_reads_its_parameters_and_finishes_its_task(maestro: Answering, tmp_path: Path) -> None:
    from bottool.build import build

    plugins = plugins_with(Ruby())
    project = Bench.scaffolded(plugins, tmp_path / "bot")
    package = build(plugins, project, tmp_path / "out").package
    installation = Bench.install(plugins, package, tmp_path / "cache", tmp_path / "work")
    task = TaskContext(server=maestro.address, task_id=7, workspace="acme", token="attempt-token")

    arguments, variables = full_command(Ruby().command(installation), task, installation.folder)
    done = subprocess.run(arguments, cwd=installation.folder, env=variables, capture_output=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert "Hello, Zoë!".encode() in done.stdout
    assert {call.headers["token"] for call in maestro.heard} == {"attempt-token"}
    assert maestro.heard[-1].body["finishStatus"] == "SUCCESS"
