"""Small servers for tests of plugins: one that answers every call alike and notes it, and a Maestro with one task.

The fixtures ``maestro`` and ``package_of`` are there for whoever opts in with ``-p bottool.testing``.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

from bottool import archive
from bottool.model import Package

TASK = {"version": "4.0.0", "id": 7, "state": "RUNNING", "parameters": {"name": "Zoë"}}
"""The task of the fixture ``maestro``: what it answers to every call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that a server heard; names of ``headers`` are in lower case, ``body`` is what its JSON says."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class Answering:
    """A server on this machine that answers every call with the same status and JSON; ``heard`` are the calls.

    A context manager; ``address`` is where it listens. With ``ascii`` other letters are escaped in its JSON.
    """

    def __init__(self, status: int, said: object, *, ascii: bool = False) -> None:  # noqa: A002 - as json.dumps has it
        self.heard: list[Call] = []
        handler = _handler(self.heard, status, json.dumps(said, ensure_ascii=ascii).encode())
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def calls(self) -> list[tuple[str, str, Mapping[str, str], Any]]:
        """``heard``, each as (method, path, headers, body)."""
        return [(call.method, call.path, call.headers, call.body) for call in self.heard]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _handler(heard: list[Call], status: int, answer: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: object) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            heard.append(Call(method=self.command, path=self.path, headers=headers, body=body))
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing: a test's output is its own."""

    return Handler


@pytest.fixture
def maestro() -> Iterator[Answering]:
    """A server that offers one task with the parameter ``name`` and notes what a bot tells it."""
    with Answering(200, TASK) as server:
        yield server


@pytest.fixture
def package_of() -> Callable[..., Package]:
    """``package_of(path, language)``: an archive as a ``Package``, whatever it holds."""

    def make(path: Path, language: str, *, bot_id: str = "Mine", version: str = "1.0.0", **more: Any) -> Package:
        return Package(
            path=path,
            bot_id=bot_id,
            version=version,
            language=language,
            sha256=archive.sha256_of(path),
            size_bytes=path.stat().st_size,
            **more,
        )

    return make
