"""A server that is killed in the middle of its work: what it acknowledged is there afterwards, once."""

import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from bottool import wire
from bottool.client import Client
from bottool.errors import BottoolError
from bottool_web.actions import identity, tasks

CREATORS = 3
PROGRAM = """
import sys
from pathlib import Path
from bottool_web.actions.setup import open_site
from bottool_web.serve import serve
from bottool_web.settings import SiteSettings
serve(open_site(SiteSettings(data=Path(sys.argv[1]), database=sys.argv[2], port=int(sys.argv[3]))))
"""


@dataclass
class Creator:
    """Asks for tasks without end; an unanswered one is asked for again under its key, as a careful program does."""

    address: str
    token: str
    ending: threading.Event
    acknowledged: dict[str, int] = field(default_factory=dict)

    def run(self, name: int) -> None:
        number = 0
        with Client(self.address, self.token, timeout_seconds=5) as client:
            while not self.ending.is_set():
                key = f"{name}-{number}"
                try:
                    made = client.post("/rest/v1/tasks", wire.NewTask(automation="daily"), type=wire.Task, key=key)
                except BottoolError:
                    self.ending.wait(0.02)
                    continue
                self.acknowledged[key] = made.id
                number += 1


def start(data, database, port) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(data), database, str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    first = server.stdout.readline()
    assert b"bottool serves" in first, first + server.stdout.read()
    return server


@pytest.mark.parametrize("kills", [10, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_every_acknowledged_task_is_there_once_after_kills(site, admin, workspace, an_automation, tmp_path, kills):
    """On PostgreSQL the server alone is killed; the database's own crashes are its own matter."""
    an_automation()
    token = identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address="127.0.0.1").token
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data, database = tmp_path / "data", site.store.address
    data.mkdir(exist_ok=True)
    (data / "site.key").write_bytes(site.key)
    (data / "site.key").chmod(0o600)
    draw, ending = random.Random(7), threading.Event()
    creators = [Creator(f"http://127.0.0.1:{port}", token, ending) for _ in range(CREATORS)]

    with ThreadPoolExecutor(CREATORS) as pool:
        running = [pool.submit(creator.run, name) for name, creator in enumerate(creators)]
        try:
            for _ in range(kills):
                server = start(data, database, port)
                time.sleep(draw.uniform(0.05, 0.5))
                server.send_signal(signal.SIGKILL)
                server.wait()
                server.stdout.close()
        finally:
            ending.set()
    for each in running:
        each.result()

    acknowledged = [task_id for creator in creators for task_id in creator.acknowledged.values()]
    found = [task.id for task in tasks.list_tasks(site, admin, limit=10_000)]
    assert len(acknowledged) > kills
    assert len(set(acknowledged)) == len(acknowledged)
    assert set(acknowledged) <= set(found)
    # One more for each creator at most: made, and killed before the answer.
    assert len(found) - len(acknowledged) <= CREATORS
    for task_id in found:
        assert [event.kind for event in tasks.list_events(site, admin, task_id)] == ["created"]
