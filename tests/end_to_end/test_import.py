"""Moving over from Maestro: a real server plays Maestro's part, another is the new home."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

pytestmark = pytest.mark.end_to_end
ENTRIES = 40


@pytest.fixture
def origin(town: Any) -> Any:
    """The site from which things come; other tests use it too, so names are this one's own."""
    return town


@pytest.fixture(scope="module")
def filled(town: Any) -> None:
    """A workspace in use: a bot, an automation, a schedule, a log, a credential, a pool with entries."""
    run = town.bottool
    client = town.client()
    client.post("/rest/v1/bots/moving-bot/versions", {"version": "2.1.0", "technology": "PYTHON"})
    run("automation", "create", "moving", "--bot", "moving-bot", "--runner", "old-box", "-p", "month:integer!")
    said = {
        "automation": "moving",
        "label": "moving-nightly",
        "expression": "0 0 2 ? * MON-FRI",
        "parameters": {"month": 1},
    }
    client.post("/rest/v1/schedules", said)
    run("log", "create", "moving-trips", "--column", "city=Cidade", "--column", "day")
    secrets = [{"key": "user", "value": "ana"}, {"key": "pass", "value": "s3nha çã"}]
    client.post("/rest/v1/credentials", {"label": "moving-bank", "secrets": secrets})
    run(
        *["pool", "create", "moving-cases", "--field", "cpf:text:unique", "--field", "total:double:shown"],
        *["--automation", "moving", "--trigger", "always", "--policy", "lifo", "--retries", "2"],
    )
    run("pool", "off", "moving-cases")
    for number in range(ENTRIES):
        values = {"cpf": str(number), "total": number / 2, "cidade": "São Paulo"}
        client.post("/rest/v1/pools/moving-cases/entries", {"values": values, "priority": number % 11})
    client.patch("/rest/v1/pools/moving-cases", {"active": True})
    held = client.post("/rest/v1/pools/moving-cases/pull")["entry"]["id"]
    done = client.post("/rest/v1/pools/moving-cases/pull")["entry"]["id"]
    client.patch(f"/rest/v1/pools/moving-cases/entries/{done}", {"state": "done"})
    assert held != done


def command(home: Any, origin: Any, *more: str) -> list[str]:
    key = home.folder / "origin-key"
    key.write_text(origin.key)
    said = ["import", "maestro", "--server", origin.address, "--login", origin.login, "--key-file", str(key)]
    return [sys.executable, "-m", "bottool", *said, *more]


def moved(home: Any, origin: Any, *more: str, status: int = 0) -> dict[tuple[str, str], str]:
    """What came of each thing, by kind and label."""
    done = subprocess.run(
        [*command(home, origin, *more), "--json"],
        env=home.variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return {(line["kind"], line["label"]): line["outcome"] for line in json.loads(done.stdout)}


def numbers(site: Any) -> list[str]:
    """The entries of the pool, newest first."""
    return [each["values"]["cpf"] for each in site.json("pool", "entries", "moving-cases", "--limit", "100")]


def mine(found: dict[tuple[str, str], str]) -> set[str]:
    return {outcome for (_, label), outcome in found.items() if label.startswith("moving")}


def test_a_workspace_moves_over_and_a_second_time_changes_nothing(home: Any, origin: Any, filled: None) -> None:
    assert mine(moved(home, origin, "--dry-run")) == {"would make", "by hand"}
    assert home.json("automation", "list") == []

    first = moved(home, origin)

    assert mine(first) == {"made", "by hand"}
    automation = home.json("automation", "show", "moving")
    assert (automation["bot_id"], automation["runners"]) == ("moving-bot", ["old-box"])
    assert [(each["label"], each["type"], each["required"]) for each in automation["parameters"]] == [
        ("month", "integer", True)
    ]
    schedule = home.json("schedule", "show", "moving-nightly")
    assert (schedule["state"], schedule["expression"], schedule["parameters"]) == (
        "paused",
        "0 0 2 ? * MON-FRI",
        {"month": 1},
    )
    assert [each["name"] for each in home.json("log", "show", "moving-trips")["columns"]] == ["Cidade", "day"]
    assert home.json("credential", "show", "moving-bank")["keys"] == []
    pool = home.json("pool", "show", "moving-cases")
    assert (pool["active"], pool["policy"], pool["trigger"], pool["max_auto_retry"]) == (False, "lifo", "always", 2)
    assert pool["counts"]["pending"] == ENTRIES - 2
    assert numbers(home) == [each for each in numbers(origin) if each in numbers(home)]
    assert home.json("task", "list") == []

    second = moved(home, origin)

    assert mine(second) == {"there", "by hand"}
    assert home.json("pool", "show", "moving-cases")["counts"]["pending"] == ENTRIES - 2


def test_an_import_that_is_killed_goes_on_and_brings_nothing_twice(home: Any, origin: Any, filled: None) -> None:
    for _ in range(4):
        process = subprocess.Popen(
            command(home, origin), env=home.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(0.9)
        process.send_signal(signal.SIGKILL)
        process.wait()

    moved(home, origin)

    entries = home.json("pool", "entries", "moving-cases", "--limit", "100")
    assert len(entries) == len({each["values"]["cpf"] for each in entries}) == ENTRIES - 2


def test_what_differs_here_stays_and_is_said(home: Any, origin: Any, filled: None) -> None:
    home.bottool("log", "create", "moving-trips", "--column", "other")

    found = moved(home, origin, status=9)

    assert found["log", "moving-trips"] == "differs"
    assert [each["label"] for each in home.json("log", "show", "moving-trips")["columns"]] == ["other"]


class Odd(BaseHTTPRequestHandler):
    """A Maestro that answers oddly, resource by resource."""

    ANSWERS: ClassVar[dict[str, tuple[int, Any]]] = {
        "/bot/pagination": (403, {"message": "not for you"}),
        "/activity": (200, [{"label": "a/b"}, {"name": 7}, "x", {"label": "odd", "agentId": None, "machines": 5}]),
        "/activity/odd": (200, {"parameters": [{"type": 3}, {"label": "x", "required": "?"}], "priority": "99"}),
        "/scheduling": (200, {"content": [{"id": 1, "cron": "never", "activityLabel": "odd"}], "last": True}),
        "/log": (500, "<html>oops</html>"),
        "/credential": (200, "<html>"),
        "/datapool": (200, {"content": [{"label": "odd-pool", "schema": None}], "last": False}),
        "/datapool/odd-pool": (200, {"schema": [{"label": "a", "type": "DATE"}]}),
        "/datapool/odd-pool/view": (200, {"content": []}),
    }

    def do_POST(self) -> None:
        self.say(200, {"accessToken": "t"})

    def do_GET(self) -> None:
        path, _, query = self.path.removeprefix("/api/v2").partition("?")
        status, body = self.ANSWERS[path]
        if path == "/datapool" and "page=0" not in query:
            body = {"content": []}
        self.say(status, body)

    def say(self, status: int, body: Any) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield type("Site", (), {"address": f"http://127.0.0.1:{server.server_port}", "login": "x", "key": "y"})
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_cannot_be_read_is_said_and_the_rest_comes_over(home: Any, odd: Any) -> None:
    found = moved(home, odd, status=9)

    assert found == {
        ("bot", "(list)"): "failed",
        ("automation", "a/b"): "failed",
        ("automation", "(without a label)"): "failed",
        ("automation", "odd"): "made",
        ("schedule", "maestro-1"): "failed",
        ("log", "(list)"): "failed",
        ("credential", "(list)"): "failed",
        ("data pool", "odd-pool"): "made",
    }


def test_a_server_far_away_without_encryption_gets_no_key(home: Any) -> None:
    far = type("Site", (), {"address": "http://192.0.2.1:9", "login": "x", "key": "y"})

    done = subprocess.run(
        command(home, far), env=home.variables, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 3, done.stderr
    assert "not encrypted" in done.stderr
