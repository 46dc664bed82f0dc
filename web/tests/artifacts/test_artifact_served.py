"""Result files through a real server: ranges, clients that hang up, a server that is killed in the middle."""

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from bottool_web.actions import setup
from bottool_web.settings import SiteSettings

KEY = "a key of the workspace"
WAIT_SECONDS = 30
BIG = hashlib.shake_128(b"big").digest(5_000_000)


@dataclass
class Server:
    """``bottool serve`` on a folder of its own; ``kill`` and ``start`` may be repeated."""

    data: Path
    port: int = 0
    token: str = ""
    process: "subprocess.Popen[str] | None" = None

    def start(self) -> None:
        command = [sys.executable, "-m", "bottool", "serve", "--data", str(self.data), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "bottool serves" in line, line
        self.port = int(line.rsplit(":", 1)[1])
        if not self.token:
            login = {"login": "acme", "key": KEY}
            self.token = self.json("POST", "/api/v2/workspace/login", login)["accessToken"]

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        connection.request(
            method, path, body, {"token": self.token, "Authorization": f"Bearer {self.token}", **headers}
        )
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    def json(self, method: str, path: str, body: Any = None) -> Any:
        sent = json.dumps(body) if body is not None else None
        status, _, data = self.ask(method, path, sent, **{"Content-Type": "application/json"})
        assert status < 300, data
        return json.loads(data)

    def announce(self) -> int:
        """The id of an artifact without bytes yet."""
        task = self.json("POST", "/api/v2/task", {"activityLabel": "daily"})["id"]
        made = self.json("POST", "/api/v2/artifact", {"taskId": task, "name": "big.bin", "filename": "big.bin"})
        return int(made["id"])

    def half_an_upload(self, path: str, method: str = "POST", **headers: str) -> socket.socket:
        """A connection that has sent half of a file, which the server has begun to write."""
        line = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)
        said = {"token": self.token, "Authorization": f"Bearer {self.token}", "Host": "localhost", **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in said.items())
        line.sendall(f"{method} {path} HTTP/1.1\r\n{head}Content-Length: {len(BIG) + 500}\r\n\r\n".encode())
        if "Content-Type" in headers:
            line.sendall(b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n')
        line.sendall(BIG[: len(BIG) // 2])
        self.wait_until(lambda: any(path.stat().st_size > 10**6 for path in self.incoming()), "half of it is written")
        return line

    def incoming(self) -> list[Path]:
        return list((self.data / "files" / "incoming").iterdir())

    def wait_until(self, condition: Any, what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {what}; {self.incoming()}"
            time.sleep(0.02)


def multipart(content: bytes) -> tuple[bytes, dict[str, str]]:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    return head + content + b"\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    site = setup.open_site(SiteSettings(data=folder / "data"))
    setup.create_workspace(site, "acme", "acme", KEY)
    site.close()
    made = Server(data=folder / "data")
    made.start()
    try:
        made.json("POST", "/rest/v1/automations", {"label": "daily"})
        yield made
    finally:
        if made.process is not None:
            made.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("served")) as made:
        yield made


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Server]:
    """A server that the test may kill."""
    with served(tmp_path) as made:
        yield made


@pytest.fixture
def artifact(server: Server) -> int:
    return server.announce()


def test_a_large_file_comes_back_whole_in_parts_or_not_again(server: Server, artifact: int) -> None:
    body, headers = multipart(BIG)
    assert server.ask("POST", f"/api/v2/artifact/log/{artifact}", body, **headers)[0] == 200

    for where in (f"/api/v2/artifact/{artifact}/file", f"/rest/v1/artifacts/{artifact}/file"):
        status, said, data = server.ask("GET", where)
        assert (status, said["Content-Length"], data == BIG) == (200, str(len(BIG)), True)
        assert said["X-Bottool-SHA256"] == hashlib.sha256(BIG).hexdigest()
        status, part, data = server.ask("GET", where, Range="bytes=1000000-4000000")
        assert (status, data == BIG[1000000:4000001]) == (206, True)
        assert part["Content-Range"] == f"bytes 1000000-4000000/{len(BIG)}"
        assert server.ask("GET", where, Range="bytes=-5")[2] == BIG[-5:]
        assert server.ask("GET", where, Range="bytes=4999999-")[2] == BIG[-1:]
        assert server.ask("GET", where, **{"If-None-Match": said["ETag"]})[::2] == (304, b"")
        assert server.ask("HEAD", where)[2] == b""
        assert server.ask("GET", where, Range="bytes=9000000-")[0] == 416


@pytest.mark.parametrize("content", [b"", b"x"])
def test_a_small_file_comes_back_by_a_connection_that_stays_open(server: Server, artifact: int, content: bytes) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT_SECONDS)
    headers = {"Authorization": f"Bearer {server.token}"}

    for method, body, wanted in (("PUT", content, None), ("GET", None, content), ("GET", None, content)):
        connection.request(method, f"/rest/v1/artifacts/{artifact}/file", body, headers)
        answer = connection.getresponse()
        data = answer.read()
        assert answer.status == 200, data
        assert wanted is None or data == wanted
    connection.close()


def test_a_body_in_chunks_is_taken_where_its_end_shows(server: Server, artifact: int) -> None:
    body, headers = multipart(BIG)

    status, _, said = server.ask("POST", f"/api/v2/artifact/log/{artifact}", iter([body[:100], body[100:]]), **headers)
    assert status == 200, said
    assert server.ask("GET", f"/api/v2/artifact/{artifact}/file")[2] == BIG
    status, _, said = server.ask("POST", f"/api/v2/artifact/log/{artifact}", iter([body[:-4]]), **headers)
    assert (status, bool(json.loads(said)["message"])) == (400, True)
    assert server.ask("GET", f"/api/v2/artifact/{artifact}/file")[2] == BIG
    assert server.ask("PUT", f"/rest/v1/artifacts/{artifact}/file", iter([b"x"]))[0] == 411


def test_readers_that_hang_up_leave_nothing_open(server: Server, artifact: int) -> None:
    body, headers = multipart(BIG)
    server.ask("POST", f"/api/v2/artifact/log/{artifact}", body, **headers)
    assert server.process is not None
    running = psutil.Process(server.process.pid)

    def held() -> list[str]:
        return [file.path for file in running.open_files() if "artifacts" in file.path]

    for _ in range(20):
        line = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)
        line.sendall(
            f"GET /api/v2/artifact/{artifact}/file HTTP/1.1\r\ntoken: {server.token}\r\nHost: h\r\n\r\n".encode()
        )
        assert line.recv(100)
        line.close()

    server.wait_until(lambda: held() == [], "the file is closed")
    assert server.ask("GET", f"/api/v2/artifact/{artifact}/file")[2] == BIG


@pytest.mark.parametrize("way", ["multipart", "plain"])
def test_a_server_that_is_killed_in_an_upload_keeps_what_was_there_and_takes_it_again(mortal: Server, way: str) -> None:
    server, artifact = mortal, mortal.announce()
    where = f"/api/v2/artifact/log/{artifact}" if way == "multipart" else f"/rest/v1/artifacts/{artifact}/file"
    method = "POST" if way == "multipart" else "PUT"
    body, headers = multipart(BIG) if way == "multipart" else (BIG, {})
    first, _ = multipart(b"first") if way == "multipart" else (b"first", {})
    assert server.ask(method, where, first, **headers)[0] == 200

    line = server.half_an_upload(where, method, **headers)
    server.kill()
    line.close()
    assert server.incoming() != []
    server.start()

    assert server.incoming() == []
    assert server.ask("GET", f"/api/v2/artifact/{artifact}/file")[2] == b"first"
    assert server.ask(method, where, body, **headers)[0] == 200
    assert server.ask("GET", f"/api/v2/artifact/{artifact}/file")[2] == BIG


def test_a_sender_that_hangs_up_leaves_what_was_there(server: Server, artifact: int) -> None:
    line = server.half_an_upload(f"/rest/v1/artifacts/{artifact}/file", "PUT")

    line.close()

    server.wait_until(lambda: server.incoming() == [], "the half is gone")
    assert server.json("GET", f"/rest/v1/artifacts/{artifact}")["state"] == "announced"


def test_a_bot_without_an_sdk_sends_and_fetches_by_the_command_line(
    server: Server, artifact: int, tmp_path: Path
) -> None:
    task = server.json("GET", f"/rest/v1/artifacts/{artifact}")["task_id"]
    sent = tmp_path / "relatório final.bin"
    sent.write_bytes(BIG)
    variables = {
        **os.environ,
        "BOTTOOL_SERVER": f"http://127.0.0.1:{server.port}",
        "BOTTOOL_TOKEN": server.token,
        "BOTTOOL_TASK": str(task),
    }

    def bottool(*arguments: str) -> str:
        command = [sys.executable, "-m", "bottool", "artifact", *arguments]
        done = subprocess.run(command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = json.loads(bottool("send", str(sent), "--json"))
    assert (made["task_id"], made["name"], made["sha256"]) == (task, sent.name, hashlib.sha256(BIG).hexdigest())
    assert sent.name in bottool("list", "--task", str(task))
    assert made["sha256"] in bottool("show", str(made["id"]))
    (tmp_path / "back").mkdir()
    bottool("get", str(made["id"]), "--out", "back")
    assert [path.name for path in (tmp_path / "back").iterdir()] == [sent.name]
    assert (tmp_path / "back" / sent.name).read_bytes() == BIG
    bottool("delete", str(made["id"]))
    assert bottool("list", "--name", "relat") == ""
