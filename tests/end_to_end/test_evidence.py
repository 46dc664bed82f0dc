"""A bot that draws and fails, seen from outside: real server, real runner, a real virtual screen, one command."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(shutil.which("Xvfb") is None, reason="virtual screens are made by Xvfb on Linux"),
]

DRAWS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", "--password", "hunter2"])
print("draws on", os.environ["DISPLAY"], flush=True)
time.sleep(1.5)
if os.environ.get("BOTTOOL_TASK") != "1":
    raise SystemExit("the invoice has no number")
"""


def test_one_command_brings_everything_about_a_task_that_failed(
    home: Any, studio_bot: Callable[[str, str], Path], tmp_path: Path
) -> None:
    home.deploy(studio_bot("draws", DRAWS))
    home.automate("draws", "draws", "--display", "virtual", "--display-size", "400x300", "-p", "day")
    home.start_runner()
    worked = home.wait_for_state(home.new_task("draws", "-p", "day=monday"), "succeeded", "failed")
    assert worked.state == "succeeded", home.output(worked.id)

    failed = home.wait_for_state(home.new_task("draws", "-p", "day=tuesday"), "succeeded", "failed")
    assert failed.state == "failed"
    target = tmp_path / "all.zip"

    def packed() -> list[str]:
        home.bottool("task", "evidence", str(failed.id), "--out", str(target))
        with zipfile.ZipFile(target) as file:
            return [name.partition("/")[2] for name in file.namelist()]

    # The last of it comes a moment after the task's end.
    for _ in range(100):
        if "screenshot.png" in (names := packed()):
            break
    assert {"README.txt", "output.txt", "environment.json", "processes.txt", "screenshot.png"} <= set(names)
    with zipfile.ZipFile(target) as file:
        read = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    assert b"the invoice has no number" in read["output.txt"]
    assert json.loads(read["environment.json"])["interpreter"].startswith("Python 3.")
    assert b"hunter2" not in b"".join(read.values())
    assert b"--password ***" in read["processes.txt"]
    assert b"parameter day: monday" in read["changes.txt"]
    said = home.bottool("task", "show", str(failed.id)).stdout
    assert f"since task {worked.id}, the last one that worked:\n  parameter day: monday → tuesday" in said
    assert "parameter day: monday → tuesday" in home.bottool("task", "explain", str(failed.id)).stdout
