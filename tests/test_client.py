"""The HTTP client against small real servers, most of which misbehave."""

import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bottool.client import Client
from bottool.errors import (
    ArchiveError,
    BottoolError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    ServerError,
    SettingsError,
    StaleAttempt,
    TooBig,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from bottool.wire import IDEMPOTENCY_HEADER, Login, Release, Status


class Server(ThreadingHTTPServer):
    """Answers with what the test hung up under a path; remembers every request."""

    daemon_threads = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = {}
        self.requests = []
        self.ending = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that went away in the middle is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10

    def answer(self):
        path = self.path.partition("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests.append((self.command, self.path, dict(self.headers.items()), body))
        answers = self.server.answers[path]
        answer = answers.pop(0) if isinstance(answers, list) and len(answers) > 1 else answers
        answer = answer[0] if isinstance(answer, list) else answer
        answer(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_):
        pass


def says(body=b"", status=200, media_type="application/json", **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(content)))
        if media_type:
            handler.send_header("Content-Type", media_type)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def refuses(status, code, message="it is refused", **more):
    problem = {"title": "x", "status": status, "detail": message, "message": message, "code": code, **more}
    return says(problem, status, "application/problem+json")


def hangs_up(handler):
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def breaks_off(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(b'{"half":')
    handler.wfile.flush()
    hangs_up(handler)


def is_silent(handler):
    handler.server.ending.wait(20)
    handler.close_connection = True


def babbles(handler):
    handler.wfile.write(b"220 mail.example ESMTP ready\r\n\r\n")
    handler.close_connection = True


HTML = says(b"<html>Welcome to the proxy</html>", media_type="text/html")


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.ending.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server):
    with Client(server.url, "the-token", timeout_seconds=5) as client:
        yield client


def raised_by(call) -> BottoolError:
    with pytest.raises(BottoolError) as raised:
        call()
    return raised.value


def test_an_answer_comes_as_plain_values_or_as_what_was_wanted(server, client):
    server.answers["/status"] = says({"version": "1.2", "protocol": 1, "ready": True, "news": "ignored"})

    assert client.get("/status")["version"] == "1.2"
    assert client.get("/status", type=Status) == Status(version="1.2", protocol=1, ready=True)


def test_every_call_says_who_asks_and_which_protocol(server, client):
    server.answers["/x"] = says({})

    client.get("/x", query={"state": "running", "limit": 2, "cursor": None})

    _, path, headers, _ = server.requests[0]
    assert path == "/x?state=running&limit=2"
    assert headers["Authorization"] == "Bearer the-token"
    assert headers["X-Bottool-Protocol"] == "1"
    assert headers["User-Agent"].startswith("bottool/")


@pytest.mark.parametrize("verb", ["post", "put", "patch"])
def test_values_and_bytes_are_sent(server, client, verb):
    server.answers["/x"] = says({"done": True})

    assert getattr(client, verb)("/x", Release(version="1.0")) == {"done": True}
    getattr(client, verb)("/x", {"bot": "olá"})
    getattr(client, verb)("/x", b"\x00\xff")

    bodies = [body for _, _, _, body in server.requests]
    assert bodies == [b'{"version":"1.0"}', '{"bot":"olá"}'.encode(), b"\x00\xff"]
    assert [method for method, _, _, _ in server.requests] == [verb.upper()] * 3
    assert [headers["Content-Type"] for _, _, headers, _ in server.requests] == [
        "application/json",
        "application/json",
        "application/octet-stream",
    ]


def test_creations_carry_a_key_of_their_own_or_that_of_the_caller(server, client):
    server.answers["/x"] = says({})

    client.post("/x", {})
    client.post("/x", {})
    client.post("/x", {}, key="mine")

    keys = [headers["Idempotency-Key"] for _, _, headers, _ in server.requests]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_an_empty_answer_is_none(server, client):
    server.answers["/x"] = says(b"", 204, "")

    assert client.delete("/x") is None
    assert client.post("/x") is None


def test_login_gives_a_client_that_is_signed_in(server):
    signed_in = {"token": "new-token", "workspace": "acme", "expires_at": datetime.now(UTC).isoformat()}
    server.answers |= {"/rest/v1/login": says(signed_in), "/x": says({})}

    with Client(server.url) as nobody, nobody.login(Login(login="l", key="k")) as somebody:
        somebody.get("/x")

    assert "Authorization" not in server.requests[0][2]
    assert server.requests[1][2]["Authorization"] == "Bearer new-token"


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "not_found", NotFound),
        (409, "conflict", Conflict),
        (409, "stale_attempt", StaleAttempt),
        (422, "bad_field", InvalidInput),
        (401, "unauthorized", Unauthorized),
        (403, "forbidden", Forbidden),
        (413, "too_big", TooBig),
        (503, "unavailable", Unavailable),
        (409, "a_code_from_the_future", Conflict),
        (418, "a_code_from_the_future", Refused),
        (500, "a_code_from_the_future", ServerError),
    ],
)
def test_a_refusal_becomes_the_error_that_the_server_named(server, client, status, code, kind):
    server.answers["/x"] = refuses(status, code, "bot 'a' is not 'b'", hint="try b", details={"known": ["b"]})

    error = raised_by(lambda: client.post("/x", {}))

    assert type(error) is kind
    assert error.message == "bot 'a' is not 'b'"
    assert error.hint == "try b"
    assert error.details["known"] == ["b"]
    assert error.details["status"] == status


def test_a_refused_archive_keeps_its_reason(server, client):
    server.answers["/x"] = refuses(422, "bad_archive", details={"reason": "path_outside"})

    error = raised_by(lambda: client.put("/x", b"zip"))

    assert isinstance(error, ArchiveError)
    assert error.reason == "path_outside"


@pytest.mark.parametrize("body", [["a list"], {"message": 5, "details": "text", "code": None}, {}, b"{broken"])
def test_a_refusal_in_a_strange_shape_is_still_an_error(server, client, body):
    server.answers["/x"] = says(body, 409)

    assert raised_by(lambda: client.post("/x")).details["status"] == 409


@pytest.mark.parametrize(
    "answer",
    [HTML, says(b"{broken"), says(b'"\xff"'), says(b"plain", media_type=""), says({"version": 5}), babbles, breaks_off],
)
def test_an_answer_that_makes_no_sense_is_never_a_success(server, client, answer):
    server.answers["/x"] = answer

    error = raised_by(lambda: client.post("/x", type=Status))

    assert isinstance(error, ServerError)
    assert server.url in error.message
    assert error.hint


def test_a_page_under_an_unknown_address_does_not_mean_that_a_thing_is_missing(server, client):
    server.answers["/x"] = says(b"<html>404</html>", 404, "text/html")

    error = raised_by(lambda: client.get("/x"))

    assert type(error) is ServerError
    assert "proxy" in error.hint


def test_a_server_that_sends_us_on_is_not_followed(server, client):
    server.answers["/x"] = says(b"", 302, "text/html", Location="https://elsewhere.example/x")

    error = raised_by(lambda: client.get("/x"))

    assert type(error) is ServerError
    assert "https://elsewhere.example/x" in error.message
    assert len(server.requests) == 1


def test_a_proxy_that_refuses_a_big_file_is_understood(server, client):
    server.answers["/x"] = says(b"<html>413</html>", 413, "text/html")

    assert type(raised_by(lambda: client.put("/x", b"big"))) is TooBig


def test_a_proxy_whose_server_is_away_means_try_again(server, client):
    server.answers["/x"] = says(b"<html>502</html>", 502, "text/html", Retry_After="7")

    error = raised_by(lambda: client.post("/x"))

    assert type(error) is Unavailable
    assert error.details["retry_after_seconds"] == 7


@pytest.mark.parametrize("failure", [hangs_up, breaks_off, refuses(503, "unavailable"), says(b"", 502, "text/html")])
def test_reading_is_repeated_when_the_server_was_away_for_a_moment(server, client, failure):
    server.answers["/x"] = [failure, failure, says({"here": "again"})]

    assert client.get("/x") == {"here": "again"}
    assert len(server.requests) == 3


@pytest.mark.parametrize("failure", [hangs_up, breaks_off, refuses(503, "unavailable")])
def test_what_changes_something_is_sent_once(server, client, failure):
    server.answers["/x"] = [failure, says({})]

    assert isinstance(raised_by(lambda: client.post("/x", {})), (Unreachable, Unavailable))
    assert len(server.requests) == 1


def test_who_lost_the_answer_to_a_change_is_told_that_it_may_have_been_done(server, client):
    server.answers["/x"] = hangs_up

    assert "may have been done" in raised_by(lambda: client.post("/x", {})).hint


def test_a_long_rest_that_the_server_wishes_is_left_to_the_caller(server, client):
    server.answers["/x"] = says(b"", 503, "text/html", Retry_After="3600")

    assert raised_by(lambda: client.get("/x")).details["retry_after_seconds"] == 3600
    assert len(server.requests) == 1


def test_a_silent_server_is_given_up_in_time_and_not_asked_again(server):
    server.answers["/x"] = is_silent
    before = time.monotonic()

    with Client(server.url, timeout_seconds=0.3) as client:
        error = raised_by(lambda: client.get("/x"))

    assert isinstance(error, Unreachable)
    assert "silent for 0.3 seconds" in error.message
    assert time.monotonic() - before < 5
    assert len(server.requests) == 1


def test_nobody_at_the_address_is_one_line_with_a_hint():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with Client(address) as client:
            error = raised_by(lambda: client.post("/x"))

    assert type(error) is Unreachable
    assert error.message == f"nothing answers at '{address}'"
    assert "bottool serve" in error.hint


def test_https_where_plain_http_is_spoken_is_explained(server):
    with Client(server.url.replace("http:", "https:")) as client:
        error = raised_by(lambda: client.post("/x"))

    assert type(error) is Unreachable
    assert "secure connection failed" in error.message


@pytest.mark.parametrize("address", ["", "localhost:8080", "ftp://server", "http://", "/rest/v1"])
def test_what_is_no_address_is_refused_at_once(address):
    with pytest.raises(SettingsError, match="address"):
        Client(address)


def test_a_file_is_uploaded_with_its_name(server, client, tmp_path):
    server.answers["/x"] = says({"size": 3})
    file = tmp_path / "robô 100%.zip"
    file.write_bytes(b"abc")

    assert client.upload("/x", file, {"X-Note": "é"}) == {"size": 3}

    method, _, headers, body = server.requests[0]
    assert (method, body) == ("PUT", b"abc")
    assert headers["Content-Length"] == "3"
    assert headers["X-Bottool-File-Name"] == "rob%C3%B4 100%25.zip"
    assert headers["X-Note"] == "%C3%A9"


def test_a_file_is_downloaded_whole(server, client, tmp_path):
    content = bytes(range(256)) * 4000
    server.answers["/x"] = [breaks_off, says(content, media_type="application/octet-stream")]

    assert client.download("/x", tmp_path / "bot.zip") == tmp_path / "bot.zip"

    assert (tmp_path / "bot.zip").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["bot.zip"]


@pytest.mark.parametrize("failure", [breaks_off, refuses(404, "not_found")])
def test_a_download_that_fails_leaves_nothing_and_keeps_what_was_there(server, client, tmp_path, failure):
    server.answers["/x"] = failure
    (tmp_path / "bot.zip").write_bytes(b"old")

    raised_by(lambda: client.download("/x", tmp_path / "bot.zip"))

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("bot.zip", b"old")]


def test_a_download_with_another_checksum_leaves_nothing_and_keeps_what_was_there(server, client, tmp_path):
    server.answers["/x"] = says(b"forged", media_type="application/octet-stream")
    (tmp_path / "bot.zip").write_bytes(b"old")

    with pytest.raises(ServerError, match="not what was asked for"):
        client.download("/x", tmp_path / "bot.zip", sha256="0" * 64)

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("bot.zip", b"old")]
    right = hashlib.sha256(b"forged").hexdigest()
    assert client.download("/x", tmp_path / "bot.zip", sha256=right).read_bytes() == b"forged"


def test_an_upload_with_a_key_is_sent_again_whole_and_tells_how_far_it_is(server, client, tmp_path):
    server.answers["/x"] = [hangs_up, says({"size": 3})]
    file, heard = tmp_path / "a.bin", []
    file.write_bytes(b"x" * 200_000)

    client.upload(
        "/x", file, {IDEMPOTENCY_HEADER: "one"}, told=lambda done, everything: heard.append((done, everything))
    )

    assert [len(body) for _, _, _, body in server.requests] == [200_000, 200_000]
    assert {headers["Content-Length"] for _, _, headers, _ in server.requests} == {"200000"}
    assert {headers[IDEMPOTENCY_HEADER] for _, _, headers, _ in server.requests} == {"one"}
    assert heard[-1] == (200_000, 200_000)


def test_an_upload_without_a_key_is_sent_once(server, client, tmp_path):
    server.answers["/x"] = [hangs_up, says({"size": 3})]
    (tmp_path / "a.bin").write_bytes(b"x")

    with pytest.raises(Unreachable):
        client.upload("/x", tmp_path / "a.bin")

    assert len(server.requests) == 1


def test_bytes_and_headers_of_an_answer_can_be_read(server, client):
    server.answers["/x"] = says(b"\x00\x01", media_type="application/octet-stream", X_Next_Offset="2")

    data, headers = client.read("/x")

    assert data == b"\x00\x01"
    assert headers["X-NEXT-offset"] == "2"


def test_lines_come_as_they_are_written(server, client):
    def writes_lines(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write("one\ntwo\r\nolá".encode())
        handler.close_connection = True

    server.answers["/x"] = writes_lines

    assert list(client.stream_lines("/x")) == ["one", "two", "olá"]


def test_a_refusal_while_lines_are_wanted_is_an_error(server, client):
    server.answers["/x"] = refuses(404, "not_found")

    assert type(raised_by(lambda: list(client.stream_lines("/x")))) is NotFound


def test_a_proxy_of_the_machine_is_not_used_for_this_very_machine(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.answers["/x"] = says({"direct": True})

    with Client(server.url) as client:
        assert client.get("/x") == {"direct": True}


def test_many_threads_may_share_a_client(server, client):
    server.answers["/x"] = says({"n": 1})
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(client.get("/x"))) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == [{"n": 1}] * 8


def test_importing_the_client_does_not_load_an_http_library():
    code = "import sys, bottool.client; sys.exit('httpx2' in sys.modules or 'ssl' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_login_answer_without_a_token_is_no_login(server, client):
    server.answers["/rest/v1/login"] = says({"workspace": "acme"})

    assert type(raised_by(lambda: client.login(Login(login="l", key="k")))) is ServerError
