"""A whole installation under one folder: a server, runners with their proxies, a database; started and killed by pid.

Everything is real and started through the command line. ``Starter`` forks it out of a warm parent, for a thousand cold
starts would measure Python.
"""

import json
import os
import queue
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bottool import wire
from bottool.client import Client
from bottool.errors import BottoolError
from bottool.process import create_time_of
from nemesis.bots import BOTS
from nemesis.postgres import Postgres
from nemesis.proxy import Proxy

HERE = Path(__file__).parent
LOGIN, EMAIL = "chaos", "admin@chaos.example"
USERS = "users"
SITE = {
    "LEASE_SECONDS": "4",
    "LOST_MARGIN_SECONDS": "2",
    "START_GRACE_SECONDS": "2",
    "LOST_WINDOW_SECONDS": "5",
    "HOLD_SECONDS": "1",
    "MAX_CLAIMS": "60",
    "THREADS": "8",
}
START_SECONDS = 60
TEMPLATE_MACHINES = 3


class Starter:
    """The warm parent, and what it said of its children."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.ended: dict[int, int] = {}
        self._started: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._is_ready = threading.Event()
        with (folder / "starter.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(HERE / "starter.py")],
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                # A signal to our group must not end it before it has ended its own children.
                start_new_session=True,
            )
        self._reader = threading.Thread(target=self._read, name="starter", daemon=True)
        self._reader.start()
        if not self._is_ready.wait(START_SECONDS):
            raise RuntimeError((folder / "starter.log").read_text())

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, argv: list[str], variables: dict[str, str], log: Path) -> int:
        order = json.dumps({"argv": argv, "variables": variables, "log": str(log)})
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(f"{order}\n".encode())
            self._process.stdin.flush()
            return self._started.get(timeout=START_SECONDS)

    def is_alive(self, pid: int) -> bool:
        return pid not in self.ended

    def wait(self, pid: int, seconds: float = START_SECONDS) -> int | None:
        deadline = time.monotonic() + seconds
        while self.is_alive(pid):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.005)
        return self.ended[pid]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(10)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, *numbers = line.decode().split()
            if word == "ready":
                self._is_ready.set()
            elif word == "started":
                self.ended.pop(int(numbers[0]), None)  # a number that was used before
                self._started.put(int(numbers[0]))
            else:
                self.ended[int(numbers[0])] = int(numbers[1])


@dataclass(kw_only=True)
class Machine:
    """One runner with its home, its slots, and the boot that it believes in."""

    name: str
    folder: Path
    port: int
    slots: int = 3
    pid: int = 0
    boots: int = 1
    stopped: bool = False

    @property
    def attempts(self) -> Path:
        return self.folder / "attempts"

    def boot(self) -> None:
        (self.folder.parent / f"{self.name}.boot").write_text(f"boot-{self.name}-{self.boots}")

    def processes(self, name: str) -> Iterator[psutil.Process]:
        """Living processes that the attempts' folders name: ``keeper.pid`` or ``started``."""
        for path in sorted(self.attempts.glob(f"*/{name}")):
            with suppress(OSError, ValueError, KeyError, psutil.Error):
                said = json.loads(path.read_bytes())
                if create_time_of(said["pid"]) == said["create_time"]:
                    yield psutil.Process(said["pid"])


@dataclass(kw_only=True)
class Installation:
    folder: Path
    draw: random.Random
    database: str = "sqlite"
    mutant: str = ""
    machines: dict[str, Machine] = field(default_factory=dict)
    server_pid: int = 0
    postgres: Postgres | None = None
    key: str = field(default_factory=lambda: secrets.token_hex(16))

    def __post_init__(self) -> None:
        for name in ("traps", "fired", "bots", "cache"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "witness").touch()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.proxy = Proxy(self.draw)
        self.users_port = self.proxy.add(USERS, self.port)
        self.starter = Starter(self.folder, self.variables(self.port))

    def variables(self, port: int, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "BOTTOOL" not in name and name != "PYTHONPATH"}
        marked = {name: value for name, value in os.environ.items() if name == "BOTTOOL_TEST_RUN"}
        return {
            **kept,
            **marked,
            "PYTHONPATH": str(HERE / "inside"),
            "NEMESIS": str(self.folder),
            "NEMESIS_MUTANT": self.mutant,
            "BOTTOOL_CACHE": str(self.folder / "cache"),
            "BOTTOOL_CONFIG": str(self.folder / "config"),
            "BOTTOOL_SERVER": f"http://127.0.0.1:{port}",
            "BOTTOOL_LOGIN": LOGIN,
            "BOTTOOL_KEY": self.key,
            **{f"BOTTOOL_SITE_{name}": value for name, value in SITE.items()},
            **more,
        }

    # Setting up.

    def set_up(self, machines: int, template: Path | None = None) -> None:
        """With a ``template``, another installation's folder as ``set_up_template`` left it, most is copied."""
        names = [f"box-{number}" for number in range(1, machines + 1)]
        if template is not None:
            self.key = (template / "key").read_text()
            shutil.copytree(template / "site", self.data)
            self.start_server()
            self.wait_for_server()
        else:
            self._set_up_site(names)
        for name in names:
            self._set_up_machine(name, template)
        for name in names:
            wait_for((self.folder / name / "abilities.json").exists, f"{name} registers and knows what it can run")

    def set_up_template(self) -> None:
        """Set up, learn from a machine of another name what this one can run, and end everything; the folder stays.

        The machines of a round must be new to the site: one that another installation has just been is refused.
        """
        self._set_up_site([f"box-{number}" for number in range(1, TEMPLATE_MACHINES + 1)])
        self._set_up_machine("maker", None)
        learned = self.folder / "maker" / "abilities.json"
        wait_for(learned.exists, "the machine knows what it can run")
        self.stop()
        shutil.copy(learned, self.folder / "abilities.json")

    def _set_up_machine(self, name: str, template: Path | None) -> None:
        machine = Machine(name=name, folder=self.folder / name, port=self.proxy.add(name, self.port))
        self.machines[name] = machine
        machine.folder.mkdir(mode=0o700)
        if template is not None:
            shutil.copy(template / "abilities.json", machine.folder / "abilities.json")
        machine.boot()
        self.start_runner(name)

    def _set_up_site(self, machines: list[str]) -> None:
        key, password = self.folder / "key", self.folder / "password"
        key.write_text(self.key)
        password.write_text(secrets.token_hex(12))
        more: list[str] = []
        if self.database == "postgresql":
            self.postgres = Postgres(self.folder / "postgres")
            self.postgres.start()
            more = ["--database", self.postgres.address]
        self.command(
            *("server", "init", "--data", str(self.data), "--workspace", "chaos", "--login", LOGIN),
            *("--key-file", str(key), "--admin", EMAIL, "--password-file", str(password), *more),
        )
        self.start_server()
        self.wait_for_server()
        for bot in BOTS:
            project = self.folder / "bots" / bot.name
            project.mkdir()
            for name, content in bot.files.items():
                (project / name).write_bytes(content)
            self.command("deploy", str(project), "--release")
        with self.client(self.port) as client:
            for bot in BOTS:
                new = wire.NewAutomation(
                    label=bot.name, bot_id=bot.name, runners=machines, max_attempts=bot.max_attempts, timeout_seconds=60
                )
                client.post("/rest/v1/automations", new)

    @property
    def data(self) -> Path:
        return self.folder / "site"

    @property
    def database_address(self) -> str:
        return self.postgres.address if self.postgres else f"sqlite:///{self.data / 'site.db'}"

    def command(self, *arguments: str) -> None:
        log = self.folder / "commands.log"
        pid = self.starter.start(list(arguments), self.variables(self.port), log)
        if self.starter.wait(pid) != 0:
            raise RuntimeError(f"bottool {' '.join(arguments)}: {log.read_text()[-2000:]}")

    def client(self, port: int, timeout_seconds: float = 10) -> Client:
        client = Client(f"http://127.0.0.1:{port}", timeout_seconds=timeout_seconds)
        try:
            return client.login(wire.Login(login=LOGIN, key=self.key))
        finally:
            client.close()

    # Starting and killing.

    def start_server(self) -> None:
        argv = ["serve", "--data", str(self.data), "--port", str(self.port)]
        self.server_pid = self.starter.start(argv, self.variables(self.port), self.folder / "server.log")

    def server_answers(self) -> bool:
        with suppress(BottoolError), Client(f"http://127.0.0.1:{self.port}", timeout_seconds=2) as client:
            return client.get("/rest/v1/status", type=wire.Status).ready
        return False

    def wait_for_server(self) -> None:
        wait_for(self.server_answers, "the server answers")

    def start_runner(self, name: str) -> None:
        machine = self.machines[name]
        argv = ["runner", "start", "--machine-id", name, "--home", str(machine.folder), "--slots", str(machine.slots)]
        boot = str(self.folder / f"{name}.boot")
        variables = self.variables(machine.port, NEMESIS_BOOT=boot)
        machine.pid = self.starter.start(argv, variables, self.folder / f"{name}.log")
        machine.stopped = False

    def kill(self, pid: int) -> bool:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    def revive(self) -> list[str]:
        """Start again whoever has died; their names."""
        names = [name for name, machine in self.machines.items() if not self.starter.is_alive(machine.pid)]
        for name in names:
            self.start_runner(name)
        if not self.starter.is_alive(self.server_pid):
            self.start_server()
            names.append("server")
        return names

    # What lives.

    def marked(self) -> list[psutil.Process]:
        """Every living process of this round but the warm parent."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                own = process.environ().get("NEMESIS") == str(self.folder)
                if own and process.pid != self.starter.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def stop(self) -> dict[str, int | None]:
        """Ask server and runners to end; their exit statuses."""
        pids = {**{name: machine.pid for name, machine in self.machines.items()}, "server": self.server_pid}
        for pid in pids.values():
            if self.starter.is_alive(pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        return {name: self.starter.wait(pid, 30) for name, pid in pids.items()}

    def close(self) -> None:
        """Leave nothing behind, whatever state it is in."""
        for _ in range(20):
            left = self.marked()
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            if not left:
                break
            time.sleep(0.05)
        self.starter.close()
        self.proxy.close()
        if self.postgres is not None:
            self.postgres.stop()


def wait_for(what: Callable[[], Any], saying: str, seconds: float = START_SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := what()):
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds} s in vain until {saying}")
        time.sleep(0.02)
    return seen
