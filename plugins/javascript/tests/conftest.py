"""What the tests of this plugin share: projects, installations, a small Maestro and a registry that knows nothing."""

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from bottool import archive
from bottool.arguments import full_command
from bottool.model import Installation, Package, Project, TaskContext
from bottool.settings import base_variables
from bottool.testing import Answering
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


class Answered(Answering):
    """A server that answers all alike; ``calls`` are (method, path, token, body)."""

    @property
    def calls(self) -> list[tuple[str, str, str | None, object]]:
        return [(call.method, call.path, call.headers.get("token"), call.body) for call in self.heard]


@pytest.fixture
def maestro() -> Iterator[Answered]:
    server = Answered(200, {"id": 7, "state": "RUNNING", "parameters": {"name": "Zoë"}})
    yield server
    server.close()


@pytest.fixture
def empty_registry() -> Iterator[Answered]:
    """A registry that has no package at all."""
    server = Answered(404, {"error": "Not found"})
    yield server
    server.close()


class Registry:
    """A registry of npm on this machine. ``asked`` are the paths of all requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._documents: dict[str, dict[str, object]] = {}
        self._archives: dict[str, bytes] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(self.path).lstrip("/")
                outer.asked.append(path)
                document = outer._documents.get(path)
                body = outer._archives.get(path) or (json.dumps(document).encode() if document else b"{}")
                self.send_response(200 if path in outer._archives or document else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def add(self, name: str, version: str = "1.0.0", files: dict[str, str] | None = None, **package: object) -> str:
        """Publish a package; returns the integrity of its archive."""
        said = {"name": name, "version": version, **package}
        content = {
            "package.json": json.dumps(said),
            "index.js": f"module.exports = '{name}@{version}';",
            **(files or {}),
        }
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
            for path, text in content.items():
                info = tarfile.TarInfo(f"package/{path}")
                info.size = len(text.encode())
                packed.addfile(info, io.BytesIO(text.encode()))
        path = f"{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
        self._archives[path] = buffer.getvalue()
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(buffer.getvalue()).digest()).decode()
        document = self._documents.setdefault(name, {"name": name, "dist-tags": {}, "versions": {}})
        document["versions"][version] = {
            **said,
            "dist": {"tarball": f"{self.address}/{path}", "integrity": integrity},
        }
        document["dist-tags"]["latest"] = version
        return integrity

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The registry that npm uses in a test, with an empty cache beside it."""
    server = Registry()
    monkeypatch.setenv("npm_config_registry", server.address)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    yield server
    server.close()
