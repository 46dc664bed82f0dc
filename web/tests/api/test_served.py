"""/rest/v1 through the real server, as 'bottool serve' starts it: what the test client cannot show."""

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import setup
from bottool_web.settings import SiteSettings

KEY = "a key of the workspace"
START_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Served:
    port: int
    token: str = ""

    def ask(
        self, method: str, path: str, body: Any = None, *, chunked: bool = False, **headers: str
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        said = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", **headers}
        connection.request(method, path, iter([body]) if chunked else body, said, encode_chunked=chunked)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, data, answer.headers


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    site = setup.open_site(SiteSettings(data=folder / "data"))
    setup.create_workspace(site, "acme", "acme", KEY)
    site.close()
    log = folder / "log"
    with log.open("wb") as file:
        # A relative folder on purpose: people type those.
        command = [sys.executable, "-m", "bottool", "serve", "--data", "data", "--port", "0"]
        server = subprocess.Popen(command, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    try:
        port = _port(log, server)
        login = json.dumps({"login": "acme", "key": KEY})
        _, data, _ = Served(port=port).ask("POST", "/rest/v1/login", login)
        yield Served(port=port, token=json.loads(data)["token"])
    finally:
        server.terminate()
        server.wait(30)


def _port(log: Path, server: "subprocess.Popen[bytes]") -> int:
    deadline = time.monotonic() + START_SECONDS
    while "http://127.0.0.1:" not in (said := log.read_text()):
        assert server.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
    return int(said.partition("http://127.0.0.1:")[2].split()[0])


def test_a_package_that_was_uploaded_comes_back_as_it_was(served: Served, package: Any) -> None:
    data = package("x" * 3_000_000)
    new = json.dumps({"version": "1", "technology": "PYTHON"})
    assert served.ask("POST", "/rest/v1/bots/hello/versions", new)[0] == 201
    name = {wire.FILE_NAME_HEADER: "hello.zip"}

    status, answer, _ = served.ask("PUT", "/rest/v1/bots/hello/versions/1/package", data, **name)
    assert (status, json.loads(answer)["versions"][0]["size_bytes"]) == (200, len(data))

    status, back, headers = served.ask("GET", "/rest/v1/bots/hello/versions/1/package")
    assert (status, back) == (200, data)
    assert headers["Content-Length"] == str(len(data))


def test_json_may_come_in_chunks(served: Served) -> None:
    body = b'{"label": "in-chunks"}'

    status, answer, _ = served.ask("POST", "/rest/v1/automations", body, chunked=True)

    assert status == 201, answer


def test_an_upload_that_does_not_tell_its_length_is_refused(served: Served, package: Any) -> None:
    new = json.dumps({"version": "1", "technology": "PYTHON"})
    served.ask("POST", "/rest/v1/bots/chunks/versions", new)

    status, answer, _ = served.ask("PUT", "/rest/v1/bots/chunks/versions/1/package", package(), chunked=True)

    assert (status, json.loads(answer)["code"]) == (411, "length_required")


def test_an_upload_that_breaks_off_leaves_the_version_empty(served: Served, package: Any) -> None:
    new = json.dumps({"version": "1", "technology": "PYTHON"})
    served.ask("POST", "/rest/v1/bots/broken/versions", new)
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.putrequest("PUT", "/rest/v1/bots/broken/versions/1/package")
    connection.putheader("Authorization", f"Bearer {served.token}")
    connection.putheader("Content-Length", "1000000")
    connection.endheaders(package())

    connection.close()

    status, answer, _ = served.ask("GET", "/rest/v1/bots/broken")
    assert (status, json.loads(answer)["versions"][0]["state"]) == (200, "empty")


def test_two_slashes_in_front_are_one(served: Served) -> None:
    assert served.ask("GET", "//rest/v1/status")[0] == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /api/v2/task\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v2/task HTTP/1.1\r\nHost: a\r\nno header\r\n\r\n",
        b"POST /api/v2/task HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"GET /api/v2/credential/" + b"x" * 5_000_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /api/v2/task HTTP/1.1\r\nHost: a\r\ntoken: " + b"x" * 5_000_000 + b"\r\n\r\n",
        b"GET /api/v2/task HTTP/1.1\r\nHost: a\r\ntoken: " + b"x" * 500_000,
    ],
    ids=["address", "header", "length", "endless address", "endless header", "half"],
)
def test_what_is_no_http_is_refused_as_json_and_the_answer_arrives(served: Served, request_: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(request_)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        data = answer.read()

        assert (answer.status, answer.headers["Content-Type"]) == (400, "application/json")
        assert "64 KiB" in json.loads(data)["message"]
        # The server hangs up, and nothing more comes.
        assert connection.recv(1) == b""
