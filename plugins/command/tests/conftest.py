"""What the tests of this plugin share: making projects and packages, and a small Maestro that notes what it is told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bottool import archive
from bottool.model import Installation, Package, Project


class Maestro:
    """One task with parameters, as the far side of a network; ``calls`` are (method, path, headers, body)."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, str], object]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: object) -> None:
                outer.calls.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = json.dumps({"id": 7, "state": "RUNNING", "parameters": {"name": "Zoë"}}, ensure_ascii=False)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer.encode())))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def maestro() -> Iterator[Maestro]:
    server = Maestro()
    yield server
    server.close()


@pytest.fixture
def project_of(tmp_path: Path):
    def make(files: dict[str, str], **options: object) -> Project:
        folder = tmp_path / "my bot ação"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return Project(folder=folder, language="command", bot_id="mine", version="1.0.0", options=options)

    return make


@pytest.fixture
def installed(tmp_path: Path):
    def install(path: Path, command: str = "") -> Installation:
        package = Package(
            path=path,
            bot_id="mine",
            version="1.0.0",
            language="command",
            sha256=archive.sha256_of(path),
            size_bytes=path.stat().st_size,
            command=command,
        )
        return Installation(package=package, folder=archive.unpack(path, tmp_path / "installed here"))

    return install
