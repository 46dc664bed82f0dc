"""What the tests of this plugin share: making projects and packages, and a small Maestro that notes what it is told."""

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bottool import archive
from bottool.arguments import full_command
from bottool.model import Installation, Package, Project, TaskContext
from bottool_python.language import Python


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
                said = {"version": "4.0.0", "id": 7, "state": "RUNNING", "parameters": {"name": "Zoë"}}
                answer = json.dumps(said)
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
def folder_of(tmp_path: Path):
    """Write files into a folder whose path has blanks and accents."""

    def make(files: dict[str, str | bytes], name: str = "my bot ação") -> Path:
        folder = tmp_path / name
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return make


@pytest.fixture
def project_of(folder_of):
    def make(files: dict[str, str | bytes], entry: str = "", **options: object) -> Project:
        folder = folder_of(files)
        return Project(folder=folder, language="python", bot_id="Mine", version="1.0.0", entry=entry, options=options)

    return make


@pytest.fixture
def package_of():
    def make(path: Path) -> Package:
        return Package(
            path=path,
            bot_id="Mine",
            version="1.0.0",
            language="python",
            sha256=archive.sha256_of(path),
            size_bytes=path.stat().st_size,
        )

    return make


@pytest.fixture
def installed(tmp_path: Path, package_of):
    def install(path: Path, name: str = "installed here é") -> Installation:
        return Installation(package=package_of(path), folder=archive.unpack(path, tmp_path / name))

    return install


@pytest.fixture
def prepared(tmp_path: Path, installed):
    """Unpack a package and make its environment, in paths with blanks and accents."""

    def make(path: Path) -> Installation:
        installation = installed(path)
        environment = tmp_path / "ambiente é"
        environment.mkdir()
        Python().prepare(installation, environment)
        return replace(installation, environment=environment)

    return make


@pytest.fixture
def start():
    """Start an installed bot to its end, as ``bottool.run`` does."""

    def run(installation: Installation, task: TaskContext | None = None) -> subprocess.CompletedProcess[str]:
        command = Python().command(installation)
        arguments, variables = full_command(command, task, installation.folder)
        return subprocess.run(
            arguments,
            cwd=installation.folder / command.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )

    return run
