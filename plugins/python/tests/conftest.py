"""What the tests of this plugin share: making projects and packages, and starting them."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bottool import archive
from bottool.arguments import full_command
from bottool.model import Installation, Project, TaskContext
from bottool_python.language import Python


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
def package_of(package_of):
    return lambda path: package_of(path, "python")


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
