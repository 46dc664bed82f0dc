"""What the tests of this plugin share: making projects and packages, and installing them."""

from pathlib import Path

import pytest

from bottool import archive
from bottool.model import Installation, Package, Project


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
