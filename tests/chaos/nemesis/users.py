"""People and programs that ask for tasks and change their minds, and write down what they asked and what was answered.

A create that was not answered is asked again under its idempotency key, as a careful program does, until it is.
"""

import itertools
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bottool import wire
from bottool.client import Client
from bottool.errors import BottoolError, Refused
from nemesis.bots import Bot

CREATORS = 2


class Log:
    """One line of JSON for each thing that happened, in order."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, **said: Any) -> None:
        with self._lock:
            self._file.write(json.dumps({"at": time.time(), **said}) + "\n")
            self._file.flush()

    def close(self) -> None:
        self._file.close()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """``open_tasks``: so many tasks wait or run at most. ``tasks_a_change``: so many for each that is wanted back."""

    bots: Sequence[Bot]
    open_tasks: int
    tasks_a_change: float


class Users:
    """Threads that act until ``end``."""

    def __init__(self, address: str, token: str, log: Log, draw: random.Random, wanted: Wanted) -> None:
        self._address, self._token, self._log, self._wanted = address, token, log, wanted
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._recent: list[int] = []
        self.created = 0
        self.open_tasks = 0
        """How many tasks wait or run; whoever looks into the database sets it."""
        self._threads = [
            threading.Thread(target=self._create, args=(number, random.Random(draw.random())), daemon=True)
            for number in range(CREATORS)
        ]
        self._threads.append(
            threading.Thread(target=self._take_back, args=(random.Random(draw.random()),), daemon=True)
        )

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(60)

    def _client(self) -> Client:
        return Client(self._address, self._token, timeout_seconds=3)

    def _create(self, creator: int, draw: random.Random) -> None:
        names, weights = [bot.name for bot in self._wanted.bots], [bot.weight for bot in self._wanted.bots]
        with self._client() as client:
            for number in itertools.count():
                while self.open_tasks >= self._wanted.open_tasks and not self._ending.wait(0.02):
                    pass
                if self._ending.wait(draw.uniform(0, 0.05)):
                    return
                key = f"{creator}-{number}"
                new = wire.NewTask(automation=draw.choices(names, weights)[0], priority=draw.randint(0, 3))
                self._log.write(op="create", key=key, automation=new.automation)
                self._insist(client, key, new)

    def _insist(self, client: Client, key: str, new: wire.NewTask) -> None:
        """Also after the end was asked for: whether an unanswered task was made is what the checker wants to know."""
        deadline = time.monotonic() + 50
        while time.monotonic() < deadline:
            try:
                made = client.post("/rest/v1/tasks", new, type=wire.Task, key=key)
            except BottoolError as error:
                self._log.write(op="unanswered", key=key, error=str(error))
                time.sleep(0.05)
                continue
            self._log.write(op="created", key=key, task=made.id)
            with self._lock:
                self.created += 1
                self.open_tasks += 1
                self._recent = [*self._recent[-20:], made.id]
            return

    def _take_back(self, draw: random.Random) -> None:
        taken_back = 0
        with self._client() as client:
            while not self._ending.wait(draw.uniform(0, 0.6)):
                with self._lock:
                    task = draw.choice(self._recent[-10:]) if self._recent else 0
                what = draw.choice(["cancel", "cancel", "stop"])
                if task and taken_back < self.created / self._wanted.tasks_a_change:
                    taken_back += 1
                    self._ask(client, what, task)

    def _ask(self, client: Client, what: str, task: int) -> None:
        try:
            answer = client.post(f"/rest/v1/tasks/{task}/{what}", {}, type=wire.Task)
        except Refused as error:
            self._log.write(op=what, task=task, answer="refused", error=str(error))
        except BottoolError as error:
            self._log.write(op=what, task=task, answer="none", error=str(error))
        else:
            self._log.write(op=what, task=task, answer=answer.state, attempt=answer.attempt)
