"""What the tests of this plugin share: projects, jars made byte by byte, Javas that are only folders, a small Maestro."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottool.model import Project
from bottool.settings import base_variables
from bottool.testing import Answering
from bottool.testing.servers import TASK
from bottool_java.language import Java

CLASS_HEAD = b"\xca\xfe\xba\xbe"


@pytest.fixture
def tools() -> None:
    """A JDK and Maven: without them a test is skipped on a laptop and fails in CI."""
    missing = [tool.name for tool in Java().toolchain() if not tool.found]
    if missing and base_variables().get("CI"):
        pytest.fail(f"there is no {', '.join(missing)}")
    if missing:
        pytest.skip(f"there is no {', '.join(missing)}")


@pytest.fixture
def project_of(tmp_path: Path):
    """Write files into a folder whose path has blanks and accents."""

    def make(files: dict[str, str | bytes], **options: object) -> Project:
        folder = tmp_path / "o robô é meu"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return Project(folder=folder, language="java", bot_id="Mine", version="1.0.0", options=options)

    return make


@pytest.fixture
def sample(tmp_path: Path) -> Project:
    """The project that 'bottool new' writes."""
    folder = tmp_path / "o robô é meu"
    folder.mkdir()
    Java().scaffold(folder, "Mine", "")
    return Project(folder=folder, language="java", bot_id="Mine", version="1.0.0")


@pytest.fixture
def jar_of(tmp_path: Path):
    """A jar with these members; ``classes`` are names with the major version of their class file."""

    def make(name: str, manifest: str = "", classes: dict[str, int] | None = None, **others: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\n{manifest}\r\n")
            for file, major in (classes or {}).items():
                jar.writestr(file, CLASS_HEAD + bytes([0, 0, 0, major]))
            for file, content in others.items():
                jar.writestr(file, content)
        return path

    return make


@pytest.fixture
def java_home(tmp_path: Path):
    """A folder that looks like a Java installation."""

    def make(name: str, version: str, *, compiles: bool = True) -> Path:
        home = tmp_path / name
        (home / "bin").mkdir(parents=True)
        for program in ("java", "java.exe", *(("javac", "javac.exe") if compiles else ())):
            (home / "bin" / program).write_bytes(b"")
            (home / "bin" / program).chmod(0o755)
        (home / "release").write_text(f'IMPLEMENTOR="Nobody"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
        return home

    return make


@pytest.fixture
def package_of(package_of):
    return lambda path: package_of(path, "java")


class Maestro(Answering):
    """A server with one task; ``calls`` are (method, path, token, body)."""

    @property
    def calls(self) -> list[tuple[str, str, str | None, object]]:
        return [(call.method, call.path, call.headers.get("token"), call.body) for call in self.heard]


@pytest.fixture
def maestro() -> Iterator[Maestro]:
    with Maestro(200, TASK, ascii=True) as server:
        yield server
