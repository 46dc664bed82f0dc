"""A whole installation for the end-to-end tests: a real server, real runners, real bots, on the loopback address.

Everything is started through the command line, as a person would, and ended by its process id.
"""

import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from bottool import wire
from bottool.client import Client
from bottool.errors import BottoolError

START_SECONDS = 60

SPEC = importlib.util.spec_from_file_location("shapes", Path(__file__).resolve().parent.parent / "bots" / "shapes.py")
shapes: Any = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(shapes)

# A shell gives its background jobs an interrupt signal that is ignored, and they hand it on; the programs that are
# tried here must see Ctrl-C as from a terminal.
signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_for(what: Callable[[], Any], seconds: float = 60, *, saying: str = "") -> Any:
    """The first true answer of ``what``; fails with what it last said."""
    deadline, seen = time.monotonic() + seconds, None
    while time.monotonic() < deadline:
        try:
            seen = what()
        except BottoolError as error:
            seen = None
            saying = f"{saying} {error}"
        if seen:
            return seen
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain {saying}: {what.__name__} last said {seen!r}")


def end_tree(process: "subprocess.Popen[Any]") -> None:
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


@dataclass(kw_only=True)
class Home:
    """One site with its server, its runners and a client that may do everything a developer may."""

    folder: Path
    port: int
    key: str = secrets.token_hex(16)
    password: str = secrets.token_hex(12)
    server: "subprocess.Popen[bytes] | None" = None
    runners: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    login = "tests"
    email = "admin@tests.example"

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BOTTOOL_")}
        return {
            **kept,
            "BOTTOOL_CACHE": str(self.folder.parent / "cache"),
            "BOTTOOL_SERVER": self.address,
            "BOTTOOL_LOGIN": self.login,
            "BOTTOOL_KEY": self.key,
            "BOTTOOL_SITE_LEASE_SECONDS": "6",
            "BOTTOOL_SITE_LOST_MARGIN_SECONDS": "3",
            "BOTTOOL_SITE_START_GRACE_SECONDS": "3",
        }

    def bottool(self, *arguments: str, check: bool = True, **options: Any) -> "subprocess.CompletedProcess[str]":
        """Run the command line; ``check`` fails with what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "bottool", *arguments],
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=180,
            **options,
        )
        if check:
            assert done.returncode == 0, f"bottool {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self.bottool(*arguments, "--json").stdout)

    def init(self) -> None:
        key, password = self.folder / "key", self.folder / "password"
        key.write_text(self.key)
        password.write_text(self.password)
        said = ["--workspace", "tests", "--login", self.login, "--key-file", str(key)]
        self.bottool(
            *["server", "init", "--data", str(self.folder / "data"), *said],
            *["--admin", self.email, "--password-file", str(password)],
        )

    def start_server(self) -> None:
        self.server = self._start("serve", "--data", str(self.folder / "data"), "--port", str(self.port), log="server")
        wait_for(self.answers, START_SECONDS, saying=self.said("server"))

    def answers(self) -> bool:
        assert self.server is not None
        assert self.server.poll() is None, f"the server ended: {self.said('server')}"
        return Client(self.address).get("/rest/v1/status", type=wire.Status).ready

    def kill_server(self) -> None:
        assert self.server is not None
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()

    def start_runner(self, machine_id: str = "box-1", *more: str) -> None:
        home = self.folder / machine_id
        self.runners[machine_id] = self._start(
            "runner", "start", "--machine-id", machine_id, "--home", str(home), *more, log=machine_id
        )

    def kill_runner(self, machine_id: str = "box-1") -> None:
        self.runners[machine_id].send_signal(signal.SIGKILL)
        self.runners[machine_id].wait()

    def _start(self, *arguments: str, log: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{log}.log").open("ab") as file:
            return subprocess.Popen(
                [sys.executable, "-m", "bottool", *arguments],
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def said(self, log: str) -> str:
        path = self.folder / f"{log}.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def client(self) -> Client:
        return Client(self.address).login(wire.Login(login=self.login, key=self.key))

    def task(self, task_id: int) -> wire.Task:
        return self.client().get(f"/rest/v1/tasks/{task_id}", type=wire.Task)

    def wait_for_state(self, task_id: int, *states: str, seconds: float = 90) -> wire.Task:
        def reached() -> wire.Task | None:
            task = self.task(task_id)
            return task if task.state in states else None

        try:
            found: wire.Task = wait_for(reached, seconds)
        except AssertionError as error:
            logs = "\n".join(f"--- {name}\n{self.said(name)}" for name in ("server", *self.runners))
            raise AssertionError(f"{error}\n{self.task(task_id)}\n{logs}") from None
        return found

    def output(self, task_id: int) -> str:
        return self.bottool("task", "output", str(task_id)).stdout

    def wait_for_output(self, task_id: int, text: str, seconds: float = 90) -> str:
        """What a bot has written once ``text`` is in it."""

        def written() -> str:
            output = self.output(task_id)
            return output if text in output else ""

        return str(wait_for(written, seconds, saying=f"for '{text}' of {self.task(task_id)} {self.said('box-1')}"))

    def deploy(self, project: Path) -> None:
        self.bottool("deploy", str(project), "--release")

    def automate(self, label: str, bot_id: str, *more: str, machine_id: str = "box-1") -> None:
        self.bottool("automation", "create", label, "--bot", bot_id, "--runner", machine_id, *more)

    def new_task(self, label: str, *more: str) -> int:
        return int(self.json("task", "create", label, *more)["id"])

    def close(self) -> None:
        for process in [*self.runners.values(), *([self.server] if self.server else [])]:
            if process.poll() is None:
                end_tree(process)
        # Keepers outlive their runner on purpose; here they end with the test, by the ids that they wrote down.
        for path in self.folder.glob("*/attempts/*/keeper.pid"):
            with suppress(OSError, ValueError, psutil.Error):
                keeper = psutil.Process(json.loads(path.read_text())["pid"])
                for process in [*keeper.children(recursive=True), keeper]:
                    process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("end-to-end")


@pytest.fixture(scope="session")
def set_up(caches: Path) -> Path:
    """A data folder as ``bottool server init`` makes it; every test gets a copy."""
    folder = caches / "set-up"
    folder.mkdir()
    Home(folder=folder, port=0).init()
    return folder / "data"


@pytest.fixture(scope="session")
def new_home(caches: Path, set_up: Path) -> Callable[[], AbstractContextManager[Home]]:
    """``with new_home() as home``: a site that is set up and served."""

    @contextmanager
    def made() -> Iterator[Home]:
        folder = Path(tempfile.mkdtemp(dir=caches))
        shutil.copytree(set_up, folder / "data")
        home = Home(folder=folder, port=free_port())
        try:
            home.start_server()
            yield home
        finally:
            home.close()

    return made


@pytest.fixture
def home(new_home: Callable[[], AbstractContextManager[Home]]) -> Iterator[Home]:
    """A site that is set up and served; start runners as the test wants."""
    with new_home() as made:
        yield made


@pytest.fixture(scope="session")
def town(new_home: Callable[[], AbstractContextManager[Home]]) -> Iterator[Home]:
    """A site that many tests share, for those that bring names of their own and want no runner."""
    with new_home() as made:
        yield made


@pytest.fixture(scope="session")
def play(town: Home) -> Callable[[list[str], str], dict[str, str | None]]:
    """``play(command, automation)``: run a client program; what went wrong, or ``None``, by scenario.

    The program gets server, login, key, workspace and automation, and prints a line of JSON for each scenario.
    """

    def run(command: list[str], automation: str) -> dict[str, str | None]:
        done = subprocess.run(
            [*command, town.address, town.login, town.key, "tests", automation],
            env=town.variables,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{town.said('server')}"
        return {line["name"]: line["error"] for line in map(json.loads, done.stdout.splitlines())}

    return run


@pytest.fixture
def command_bot(tmp_path: Path) -> Callable[[str, str], Path]:
    """``command_bot(bot_id, source)``: a project of the command language that runs the Python ``source``."""

    def write(bot_id: str, source: str) -> Path:
        folder = tmp_path / bot_id
        folder.mkdir()
        (folder / "bot.toml").write_text(
            f'id = "{bot_id}"\nversion = "1.0.0"\nlanguage = "command"\n\n[command]\nrun = ["{sys.executable}", "work.py"]\n'
        )
        (folder / "work.py").write_text(textwrap.dedent(source))
        return folder

    return write


@pytest.fixture
def studio_bot(tmp_path: Path) -> Callable[[str, str], Path]:
    """``studio_bot(bot_id, source)``: a project as BotCity's template makes it, in a folder whose name has everything.

    With what people leave in theirs: an old package, a virtual environment, compiled files, a ``.env``.
    """

    def write(bot_id: str, source: str) -> Path:
        folder = tmp_path / "Robôs & bots (v1)" / bot_id
        files = shapes.studio(bot_id) | {
            "bot.py": textwrap.dedent(source),
            ".env": "SENHA=x\n",
            "resources/ação 🤖.png": shapes.PNG,
            f"{bot_id}.zip": shapes.zipped({"bot.py": "raise SystemExit('the old one')", "resources\\x.png": ""}),
            "__pycache__/bot.cpython-310.pyc": b"\0",
        }
        shapes.write(folder, files | shapes.below("venv", shapes.environment()))
        return folder

    return write


@pytest.fixture
def shape(tmp_path: Path) -> Callable[[str], list[Path]]:
    """``shape(name)``: writes a shape into a folder of its name; returns the folders of its bots."""

    def write(name: str) -> list[Path]:
        folder = tmp_path / name
        folder.mkdir()
        shapes.SHAPES[name](folder)
        return [folder / bot for bot in shapes.BOTS[name]]

    return write
