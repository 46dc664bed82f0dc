"""A workbench for the runner's tests: real packages of the command language, real attempts' folders, a small server."""

import hashlib
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bottool import wire
from bottool.archive import pack_zip
from bottool.environments import Cache
from bottool.process import boot_id
from bottool.settings import base_variables
from bottool_runner.journal import Assignment, AttemptFolder, found
from bottool_runner.leftovers import stop_processes


def _load(name: str) -> ModuleType:
    """A module of this folder; test folders are no packages."""
    spec = importlib.util.spec_from_file_location(f"runner_tests_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


small_server = _load("small_server")


def wait_until(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline, seen = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        if seen := what():
            return seen
        time.sleep(0.01)
    raise AssertionError(f"waited {seconds} s in vain; last saw {seen!r}")


class Bench:
    """Makes packages, work and attempts' folders below one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = Cache(folder / "cache")
        self.attempts = folder / "attempts"
        self.attempts.mkdir()
        self.witness = folder / "witness"

    def package(self, code: str) -> Path:
        """A bot of the command language that runs ``code`` with Python; ``WITNESS`` is a path for it to write to."""
        text = f"WITNESS = {str(self.witness)!r}\n{code}"
        target = self.folder / f"bot-{hashlib.sha256(text.encode()).hexdigest()[:8]}.zip"
        toml = f'id = "bot"\nlanguage = "command"\n[command]\nrun = ["{Path(sys.executable).as_posix()}", "bot.py"]\n'
        pack_zip(target, {"bot.toml": toml.encode(), "bot.py": text.encode()})
        return target

    def work(self, package: Path, task_id: int = 1, attempt: int = 1, **changes: Any) -> wire.Work:
        said = {
            "task_id": task_id,
            "attempt": attempt,
            "claim_key": "claim",
            "automation": "automation",
            "bot_id": "bot",
            "version": "1.0.0",
            "technology": "COMMAND",
            "file_name": package.name,
            "sha256": hashlib.sha256(package.read_bytes()).hexdigest(),
            "size_bytes": package.stat().st_size,
            "grace_seconds": 1.0,
        }
        return wire.Work(**{**said, **changes})

    def attempt(self, code: str = "print('hello')", *, limit_bytes: int = 10_000_000, **changes: Any) -> AttemptFolder:
        """A folder as a runner leaves it right before it starts the keeper."""
        package = self.package(code)
        work = self.work(package, **changes)
        folder = AttemptFolder.create(
            self.attempts, Assignment(work=work, cache=str(self.cache.root), output_limit_bytes=limit_bytes)
        )
        folder.publish("package", str(self.cache.add_package(package, work.sha256)))
        return folder

    def starts(self) -> list[str]:
        """The lines that bots wrote to the witness file."""
        return self.witness.read_text().splitlines() if self.witness.exists() else []


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def until() -> Callable[..., Any]:
    """``wait_until(what, seconds)``: the first true answer, or a failure that says what was seen."""
    return wait_until


@pytest.fixture
def server(bench: Bench) -> Iterator[Any]:
    """A small real server that plays ``/runner/v1`` and misbehaves on order."""
    with small_server.SmallServer() as running:
        yield running


@dataclass
class Machine:
    """One machine with a runner that may be started, killed and started again."""

    bench: Any
    server: Any
    home: Path
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start(self, *arguments: str, before: Sequence[str] = (), **variables: str) -> "subprocess.Popen[bytes]":
        """``before`` is a command that becomes the runner."""
        key = self.home.parent / "key"
        key.write_text("key\n")
        clean = {name: value for name, value in base_variables().items() if not name.startswith("BOTTOOL_")}
        marked = {name: value for name, value in base_variables().items() if name.startswith("BOTTOOL_TEST")}
        cache = {"BOTTOOL_CACHE": str(self.bench.cache.root), "BOTTOOL_CONFIG": str(self.home.parent / "config")}
        with (self.home.parent / "log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *before,
                    *(sys.executable, "-P", "-m", "bottool", "runner", "start", "--server", self.server.address),
                    *("--machine-id", "m1", "--login", "login", "--key-file", str(key), "--home", str(self.home)),
                    *arguments,
                ],
                env={**clean, **marked, **cache, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    @property
    def said(self) -> str:
        log = self.home.parent / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    @property
    def attempts(self) -> list[Any]:
        return found(self.home / "attempts") if (self.home / "attempts").exists() else []

    def go(self) -> None:
        with self.bench.witness.open("a") as witness:
            witness.write("go\n")

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for folder in self.attempts:
            stop_processes(folder, boot_id())


@pytest.fixture
def machine(bench, server, tmp_path):
    machine = Machine(bench, server, tmp_path / "machine" / "home")
    machine.home.parent.mkdir()
    yield machine
    machine.end()
    assert server.wrongs == []
    assert "Traceback" not in machine.said, machine.said
