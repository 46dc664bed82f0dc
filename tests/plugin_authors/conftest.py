"""A fresh environment as the author of a plugin has it: our built wheels, pytest and hatchling; nothing of the tree."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "examples" / "bottool-ruby"
UV = (sys.executable, "-m", "uv")


@dataclass(frozen=True, kw_only=True)
class Fresh:
    """An environment outside the source tree."""

    programs: Path
    folder: Path

    def run(self, *command: str, cwd: Path | None = None, seconds: float = 200, **more: str) -> str:
        """What a program of this environment prints; fails with it when the status is not 0."""
        kept = {
            name: value for name, value in os.environ.items() if name == "BOTTOOL_TEST_RUN" or "BOTTOOL" not in name
        }
        own = {f"BOTTOOL_{name}": str(self.folder / name.lower()) for name in ("CACHE", "DATA", "CONFIG")}
        path = f"{self.programs}{os.pathsep}{kept.get('PATH', '')}"
        done = subprocess.run(
            [shutil.which(command[0], path=path) or command[0], *command[1:]],
            cwd=cwd or self.folder,
            env={**kept, **own, "PATH": path, "PYTHONUTF8": "1", **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, (
            f"{command} ended with {done.returncode}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
        return done.stdout

    def install(self, *what: str) -> None:
        python = str(self.programs / "python")
        self.run(*UV, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-index", *what)


def build_wheel(source: Path, folder: Path) -> Path:
    """The wheel of a distribution, built from a copy: nothing is written into the tree."""
    before = set(folder.glob("*.whl"))
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL)
    return next(iter(set(folder.glob("*.whl")) - before))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    """Core, the command plugin, server and runner as wheels; the versions of third parties that we test with."""
    folder = tmp_path_factory.mktemp("fresh")
    (folder / "wheels").mkdir()
    sources = [ROOT, ROOT / "plugins" / "command", ROOT / "web", ROOT / "runner"]
    wheels = [build_wheel(source, folder / "wheels") for source in sources]
    environment = folder / "environment"
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    files = [
        part for name in ("runtime", "test", "build") for part in ("-r", str(ROOT / "requirements" / f"{name}.txt"))
    ]
    pip = [*UV, "pip", "install", "--quiet", "--python", str(environment), "--require-hashes"]
    subprocess.run([*pip, *files], check=True)
    made = Fresh(programs=environment / ("Scripts" if os.name == "nt" else "bin"), folder=folder)
    made.install(*map(str, wheels))
    return made


@pytest.fixture
def with_example(fresh: Fresh, tmp_path: Path) -> Callable[[], None]:
    """Installs the example as a wheel."""
    return lambda: fresh.install(str(build_wheel(EXAMPLE, tmp_path)))
