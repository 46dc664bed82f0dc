"""``bottool credential`` and the lists of automations against a real server; values never come by argument."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bottool_web.actions import setup
from bottool_web.settings import SiteSettings

KEY = "a key of the workspace"
SECRET = "line one é\n  line two"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def bottool(tmp_path: Path) -> Iterator[Run]:
    """``bottool("credential", "list", given="stdin")``."""
    data = tmp_path / "data"
    site = setup.open_site(SiteSettings(data=data))
    setup.create_workspace(site, "acme", "acme", KEY)
    site.close()
    command = [sys.executable, "-m", "bottool", "serve", "--data", str(data), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = f"http://127.0.0.1:{int(server.stdout.readline().rsplit(':', 1)[1])}"
            variables = {**os.environ, "BOTTOOL_SERVER": address, "BOTTOOL_LOGIN": "acme", "BOTTOOL_KEY": KEY}

            def run(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
                return subprocess.run(
                    [sys.executable, "-m", "bottool", *arguments],
                    env=variables,
                    cwd=tmp_path,
                    input=given,
                    capture_output=True,
                    text=True,
                    encoding="utf-8",
                    check=False,
                )

            yield run
        finally:
            server.terminate()


def test_credentials_live_by_commands(bottool: Run, tmp_path: Path) -> None:
    def done(*arguments: str, given: str = "") -> str:
        said = bottool(*arguments, given=given)
        assert said.returncode == 0, said.stderr
        assert SECRET not in said.stderr
        return said.stdout

    (tmp_path / "value").write_text(f"{SECRET}\n", encoding="utf-8")
    done("credential", "create", "bank")
    assert SECRET not in done("credential", "set", "bank", "pass", "--value-file", "value")
    done("credential", "set", "bank", "user", "--value-file", "-", given="ana")
    assert done("credential", "get", "bank", "pass") == f"{SECRET}\n"
    assert json.loads(done("credential", "show", "bank", "--json"))["keys"] == ["pass", "user"]
    assert "bank" in done("credential", "list")

    made = ("automation", "create", "daily", "--json", "--credential", "bank")
    assert json.loads(done(*made))["credentials"] == ["bank"]
    change = ("automation", "update", "daily", "--json")
    assert json.loads(done(*change, "--no-credentials"))["credentials"] == []
    assert json.loads(done(*change, "--all-credentials"))["credentials"] is None

    done("credential", "remove", "bank", "user")
    refused = {
        ("credential", "get", "bank", "user"): "has no key 'user'",
        ("credential", "get", "banc", "user"): "did you mean 'bank'",
        ("credential", "create", "bank"): "already",
        (*change, "--credential", "banc"): "no credential 'banc'",
        (*change, "--credential", "bank", "--no-credentials"): "say one of them",
    }
    for arguments, why in refused.items():
        said = bottool(*arguments)
        assert said.returncode != 0
        assert why in said.stderr
        assert "Traceback" not in said.stderr
    done("credential", "delete", "bank", "--yes")
    assert json.loads(done("credential", "list", "--json")) == []
