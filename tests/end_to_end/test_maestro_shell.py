"""Pipelines and programs of others against a real server: curl, the GitHub action, n8n, a dashboard, a client library."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests

pytestmark = pytest.mark.end_to_end

PROGRAMS = Path(__file__).resolve().parent.parent / "maestro_clients"
OTHERS = PROGRAMS / "other_clients.py"
SCENARIOS = re.findall(r'^@scenario\("([^"]+)"', OTHERS.read_text("utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def played(town: Any, play: Any) -> dict[str, str | None]:
    town.bottool("automation", "create", "others", "-p", "customer", "--runner", "box-1")
    return play([sys.executable, str(OTHERS)], "others")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_program_of_others(played: dict[str, str | None], scenario: str) -> None:
    if error := played.get(scenario, "the program ended before"):
        pytest.fail(error, pytrace=False)


def pipeline(home: Any, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    secrets = {"SERVER": home.address, "LOGIN": home.login, "KEY": home.key, **more}
    return subprocess.run(
        ["bash", str(PROGRAMS / "pipeline.sh"), *arguments],
        env={**home.variables, **secrets},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def packed(target: Path, source: str) -> str:
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("bot.py", source)
        archive.writestr("requirements.txt", "")
    return str(target)


def test_a_pipeline_of_curl_deploys_updates_and_releases_what_then_runs(home: Any, tmp_path: Path) -> None:
    file = tmp_path / "my bot.zip"
    for verb, source in (("deploy", "print('first')"), ("update", "print('second')"), ("release", "")):
        done = pipeline(home, verb, "curled", "1.0", packed(file, source), "PYTHON")
        assert (done.returncode, done.stdout) == (0, f"{verb} of curled 1.0 was fine\n"), done.stdout

    home.automate("curled", "curled")
    home.start_runner()
    task = home.wait_for_state(home.new_task("curled"), "succeeded", "failed", seconds=120)

    assert task.state == "succeeded"
    assert "second" in home.output(task.id)


def test_a_pipeline_of_curl_stops_where_it_is_refused(town: Any, tmp_path: Path) -> None:
    file = packed(tmp_path / "bot.zip", "print('hello')")

    assert pipeline(town, "deploy", "refused", "1.0", file, "PYTHON", KEY="wrong").stdout == "no token\n"
    for arguments in (("update", "no-such-bot", "1.0", file, "PYTHON"), ("release", "no-such-bot", "1.0")):
        done = pipeline(town, *arguments)
        assert done.returncode == 1
        assert '"message":"' in done.stdout and done.stdout.strip()[-3] == "4"


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/api/v2/task/1", None, 401),
        ("GET", "/api/v2/no/such/thing", None, 404),
        ("POST", "/api/v2/workspace/login", b"{not json", 400),
        ("POST", "/api/v2/workspace/login", b"[]", 400),
        ("PUT", "/api/v2/workspace/login", b"{}", 405),
    ],
)
def test_every_error_is_a_json_object_with_a_message(
    town: Any, method: str, path: str, data: bytes | None, status: int
) -> None:
    answer = requests.request(method, town.address + path, data=data, headers={"Content-Type": "application/json"})

    assert answer.status_code == status
    assert isinstance(json.loads(answer.text)["message"], str)


def test_doubled_slashes_and_bodies_on_get_are_taken(town: Any) -> None:
    login = {"login": town.login, "key": town.key}
    token = requests.post(f"{town.address}//api//v2/workspace/login", json=login).json()["accessToken"]
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    assert requests.get(f"{town.address}//api/v2/maestro/version").json()["version"] >= "3.0.2"
    assert isinstance(requests.get(f"{town.address}/api/v2/activity", headers=head).json(), list)
    assert isinstance(requests.get(f"{town.address}/api/v2/activity", headers=head, json={"page": 0}).json(), list)
