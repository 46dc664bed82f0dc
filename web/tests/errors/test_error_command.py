"""``bottool error`` against a real server, as a bot without an SDK calls it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bottool import wire
from bottool.client import Client
from bottool_web.actions import setup
from bottool_web.settings import SiteSettings

KEY = "a key of the workspace"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30
Run = Callable[..., str]


@pytest.fixture
def bottool(tmp_path: Path) -> Iterator[Run]:
    """``bottool("list")``: what the command prints; ``fails`` is its exit code. The task is in the variables."""
    data = tmp_path / "data"
    site = setup.open_site(SiteSettings(data=data))
    setup.create_workspace(site, "acme", "acme", KEY)
    site.close()
    command = [sys.executable, "-m", "bottool", "serve", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{int(server.stdout.readline().rsplit(':', 1)[1])}"
            with Client(address).login(wire.Login(login="acme", key=KEY)) as client:
                client.post("/rest/v1/automations", wire.NewAutomation(label="daily"))
                task = client.post("/rest/v1/tasks", wire.NewTask(automation="daily"), type=wire.Task)
            variables = {
                **os.environ,
                "BOTTOOL_SERVER": address,
                "BOTTOOL_LOGIN": "acme",
                "BOTTOOL_KEY": KEY,
                "BOTTOOL_TASK": str(task.id),
            }

            def run(*arguments: str, fails: int = 0) -> str:
                done = subprocess.run(
                    [sys.executable, "-m", "bottool", "error", *arguments],
                    env=variables,
                    cwd=tmp_path,
                    capture_output=True,
                    text=True,
                    encoding="utf-8",
                    check=False,
                )
                assert bool(done.returncode) == bool(fails), done.stderr
                return done.stdout + done.stderr

            yield run
        finally:
            server.kill()


def test_an_error_is_reported_found_and_resolved(bottool: Run, tmp_path: Path) -> None:
    (tmp_path / "trace.txt").write_text('  File "/b/bot.py", line 3, in main\nValueError: no\n', encoding="utf-8")
    (tmp_path / "s.png").write_bytes(PNG)
    for name in ("a.log", "b.log"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    files = ("--screenshot", "s.png", "--attach", "a.log", "--attach", "b.log", "--trace-file", "trace.txt")

    said = bottool("create", "--type", "ValueError", "--message", "no", *files, "--tag", "customer=acme", "--json")

    made: dict[str, Any] = json.loads(said)
    assert (made["place"], made["tags"]) == ("bot.py in main", {"customer": "acme"})
    assert [file["name"] for file in made["files"]] == ["s.png", "a.log", "b.log"]
    shown = bottool("show", str(made["id"]))
    assert 'File "/b/bot.py", line 3' in shown
    assert "a.log" in shown and "b.log" in shown
    assert "bot.py in main" in bottool("list", "--search", "value", "--days", "1")
    for word, status in (("resolve", "resolved"), ("reopen", "open"), ("ignore", "ignored")):
        assert status in bottool(word, str(made["group_id"]))
        assert "ValueError" in bottool("groups", "--status", status)
    assert "tag" in bottool("create", "--type", "A", "--tag", "nothing", fails=1)


def test_files_are_put_beside_a_report_that_is_there(bottool: Run, tmp_path: Path) -> None:
    for name in ("a.log", "ação.log"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "s.png").write_bytes(PNG)
    made = bottool("create", "--type", "ValueError").splitlines()[0]
    assert made.isdigit(), "a script goes on with what stands alone on stdout"

    for _ in range(2):
        bottool("attach", made, "a.log", "ação.log", "--screenshot", "s.png")

    shown = json.loads(bottool("show", made, "--json"))
    assert sorted(file["name"] for file in shown["files"]) == ["a.log", "ação.log", "s.png"]
    assert "no file is said" in bottool("attach", made, fails=1)
    assert "no error report 999" in bottool("attach", "999", "a.log", fails=1)
    group = bottool("group", str(shown["group_id"]))
    assert "0 0 1" in group
    assert "ValueError" in group
    assert bottool("groups", "--bot", "nobody").strip() == "no errors"
