"""A whole installation for a benchmark: a server and a runner, started as a person does, with one Python bot.

The bot appends a line to a file, the **witness**, the moment that its code begins: its task's id and the time. It is no
other for the bare side, which starts the same file with the same interpreter.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bottool import wire
from bottool.client import Client
from bottool_runner.journal import AttemptFolder

LOGIN, KEY, MACHINE = "bench", "a key of the bench", "bench"
STARTS = """
import os, sys, time
line = f"{sys.argv[2]} {time.time()}\\n".encode()
witness = os.open(%r, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(witness, line)
"""


@dataclass(kw_only=True)
class Whole:
    folder: Path
    address: str
    client: Client
    server: psutil.Process

    @property
    def witness(self) -> Path:
        return self.folder / "witness"

    def deploy(self, more_code: str = "") -> None:
        """Automation ``bench``, whose bot writes its line and then does ``more_code``."""
        project = self.folder / "bench"
        project.mkdir()
        (project / "bot.py").write_text(STARTS % str(self.witness) + more_code)
        (project / "requirements.txt").write_text("")
        self.bottool("deploy", str(project), "--release")
        self.bottool("automation", "create", "bench", "--bot", "bench", "--runner", MACHINE)

    def bottool(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "bottool", *arguments], env=self._variables, check=True, capture_output=True
        )

    @contextmanager
    def runner(self, *more: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A runner that is ready for work within the ``with``; ends with it."""
        command = ["runner", "start", "--machine-id", MACHINE, "--home", str(self.folder / "runner"), *more]
        with (self.folder / "runner.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, "-m", "bottool", *command], env=self._variables, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def create(self) -> tuple[int, float]:
        """A new task: its id, and when it was acknowledged."""
        task = self.client.post("/rest/v1/tasks", wire.NewTask(automation="bench"), type=wire.Task)
        return task.id, time.time()

    def task(self, task_id: int) -> wire.Task:
        return self.client.get(f"/rest/v1/tasks/{task_id}", type=wire.Task)

    def ended(self, task_id: int, seconds: float = 60, *, look_seconds: float = 0.05) -> wire.Task:
        deadline = time.monotonic() + seconds
        while (task := self.task(task_id)).ended_at is None:
            assert time.monotonic() < deadline, (task, (self.folder / "runner.log").read_text()[-2000:])
            time.sleep(look_seconds)
        return task

    def begun(self) -> dict[str, float]:
        """When each task's bot began."""
        lines = self.witness.read_text().splitlines() if self.witness.exists() else []
        return {task: float(at) for task, at in map(str.split, lines)}

    @property
    def python(self) -> Path:
        """The interpreter of the bot's environment, once a task has run."""
        return next((self.folder / "cache" / "environments").glob("*/*/bin/python"))

    def server_seconds(self) -> float:
        """Processor seconds of the server with its children so far."""
        every = [self.server, *self.server.children(recursive=True)]
        return sum(sum(process.cpu_times()[:4]) for process in every)

    @property
    def attempts(self) -> Path:
        return self.folder / "runner" / "attempts"

    @property
    def _variables(self) -> dict[str, str]:
        # With bytecode, as on a machine that runs bots.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("BOTTOOL_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        mine = {"BOTTOOL_CACHE": str(self.folder / "cache"), "BOTTOOL_CONFIG": str(self.folder / "config")}
        return kept | mine | {"BOTTOOL_SERVER": self.address, "BOTTOOL_LOGIN": LOGIN, "BOTTOOL_KEY": KEY}


@contextmanager
def whole(folder: Path) -> Iterator[Whole]:
    """A server with an empty workspace, on a free port."""
    from bottool_web.actions import setup
    from bottool_web.settings import SiteSettings

    site = setup.open_site(SiteSettings(data=folder / "data"))
    setup.create_workspace(site, "bench", LOGIN, KEY)
    site.close()
    command = [sys.executable, "-m", "bottool", "serve", "--data", str(folder / "data"), "--port", "0"]
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    try:
        address = f"http://127.0.0.1:{server.stdout.readline().rsplit(':', 1)[1].strip()}"
        threading.Thread(target=server.stdout.read, daemon=True).start()
        client = Client(address).login(wire.Login(login=LOGIN, key=KEY))
        yield Whole(folder=folder, address=address, client=client, server=psutil.Process(server.pid))
    finally:
        server.terminate()
        server.wait(60)


def wait_for_runner(whole: Whole, seconds: float = 60) -> None:
    """Until the runner has said what it can do: a task runs through it."""
    whole.ended(whole.create()[0], seconds)


def lasting_ms(folder: Path) -> float:
    """What the disk takes for one small file that is to last, now: the file's sync and its folder's."""
    place, times = AttemptFolder(folder / "1-1"), []
    place.path.mkdir()
    for number in range(21):
        began = time.perf_counter()
        place.publish("file", number)
        times.append(time.perf_counter() - began)
    place.delete()
    return statistics.median(times) * 1000


def percentile(values: list[float], share: float) -> float:
    """The value below which that share lies; no interpolation."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
