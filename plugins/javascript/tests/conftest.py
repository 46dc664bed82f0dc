"""What the tests of this plugin share: projects, installations, a small Maestro and a registry that knows nothing."""

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
from bottool.settings import base_variables
from bottool_javascript.language import JavaScript, TypeScript

LANGUAGES = {"javascript": JavaScript(), "typescript": TypeScript()}


@pytest.fixture
def tools() -> None:
    """Node.js and npm: without them a test is skipped on a laptop and fails in CI."""
    missing = [tool.name for tool in JavaScript().toolchain() if not tool.found]
    if missing and base_variables().get("CI"):
        pytest.fail(f"there is no {', '.join(missing)}")
    if missing:
        pytest.skip(f"there is no {', '.join(missing)}")


@pytest.fixture
def project_of(tmp_path: Path):
    """Write files into a folder whose path has blanks and accents; what is no text or bytes is written as JSON."""

    def make(files: dict[str, object], language: str = "javascript", entry: str = "", **options: object) -> Project:
        folder = tmp_path / "o robô é meu"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            text = content if isinstance(content, str | bytes) else json.dumps(content)
            (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return Project(folder=folder, language=language, bot_id="Mine", version="1.0.0", entry=entry, options=options)

    return make


@pytest.fixture
def problems(project_of):
    def found(files: dict[str, object], language: str = "javascript", entry: str = "", **options: object):
        project = project_of(files, language, entry, **options)
        return {problem.code: problem for problem in LANGUAGES[language].validate(project)}

    return found


@pytest.fixture
def build(tmp_path: Path):
    def run(project: Project) -> Path:
        output = tmp_path / "saída"
        output.mkdir(exist_ok=True)
        return LANGUAGES[project.language].build(project, output)

    return run


@pytest.fixture
def package_of():
    def make(path: Path) -> Package:
        return Package(
            path=path,
            bot_id="Mine",
            version="1.0.0",
            language="javascript",
            sha256=archive.sha256_of(path),
            size_bytes=path.stat().st_size,
            manifest=archive.read_manifest(path),
        )

    return make


@pytest.fixture
def installed(tmp_path: Path, package_of):
    def install(path: Path) -> Installation:
        return Installation(package=package_of(path), folder=archive.unpack(path, tmp_path / "instalação nº 1"))

    return install


@pytest.fixture
def prepared(tmp_path: Path, installed):
    """Unpack a package and make its environment, in paths with blanks and accents."""

    def make(path: Path) -> Installation:
        installation = installed(path)
        environment = tmp_path / "ambiente é"
        environment.mkdir()
        JavaScript().prepare(installation, environment)
        return replace(installation, environment=environment)

    return make


@pytest.fixture
def start():
    """Start an installed bot to its end, as ``bottool.run`` does."""

    def run(installation: Installation, task: TaskContext | None = None) -> subprocess.CompletedProcess[str]:
        command = JavaScript().command(installation)
        folder = installation.folder / command.folder
        for name, target in command.links.items():
            (folder / name).symlink_to(target)
        arguments, variables = full_command(command, task, installation.folder)
        return subprocess.run(
            arguments,
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    return run


class Answering:
    """A server on this machine that notes each call as (method, path, token, body), and answers all alike."""

    def __init__(self, status: int, said: object) -> None:
        self.calls: list[tuple[str, str, str | None, object]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def _answer(self, body: object) -> None:
                outer.calls.append((self.command, self.path, self.headers["token"], body))
                answer = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

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
def maestro() -> Iterator[Answering]:
    server = Answering(200, {"id": 7, "state": "RUNNING", "parameters": {"name": "Zoë"}})
    yield server
    server.close()


@pytest.fixture
def empty_registry() -> Iterator[Answering]:
    """A registry that has no package at all."""
    server = Answering(404, {"error": "Not found"})
    yield server
    server.close()
