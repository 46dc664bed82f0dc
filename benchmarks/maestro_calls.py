"""Calls of Maestro's SDKs against a real server that has seen much: how long does each take with 16 clients?

    python benchmarks/maestro_calls.py                         100,000 tasks, 1,000,000 log entries; SQLite
    python benchmarks/maestro_calls.py --tasks 1000 --entries 10000 --rounds 5
    python benchmarks/maestro_calls.py --database postgresql:///NAME?host=FOLDER&user=NAME     an empty database

Clients are processes of their own, over HTTP on kept connections, as the SDKs' sessions are. Twice: **paced**, where
all clients together offer a fixed number of calls a second and a call counts from the moment when it was due, so that
waiting behind a slow one counts too; and **closed**, where each asks again as soon as it is answered, which on a
machine of few cores measures how the cores are shared. Reads should stay under 50 ms and writes under 30 ms at the
95th percentile. Beside them the bare limits in the same run: the same server library answering two bytes, and one row
written to SQLite with a sync. Only ratios against these, the targets, and the processor's time that the server's
process takes for a call, are worth quoting; of a busy machine the last one alone.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from bottool_web.actions import setup
from bottool_web.settings import SiteSettings
from bottool_web.store.database import Store

KEY = "a key of the bench"
READ_MS, WRITE_MS = 50.0, 30.0
Times = dict[str, list[float]]
BARE = """
import sys, uvicorn

async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

uvicorn.run(app, port=int(sys.argv[1]), log_level="error", lifespan="off")
"""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What one client process does. ``gap_seconds`` lies between the moments when its calls are due; 0: no pause."""

    port: int
    token: str
    client: int
    rounds: int
    gap_seconds: float
    tasks: int


class Caller:
    """One client on one connection, as a session of the SDKs."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.connection = http.client.HTTPConnection("127.0.0.1", load.port, timeout=120)
        self.times: Times = defaultdict(list)
        self.draw = random.Random(load.client)  # noqa: S311  # a bench, not a secret
        self.due = time.perf_counter() + self.draw.random() * load.gap_seconds

    def call(self, name: str, method: str, path: str, body: Any = None, *, data: bytes = b"", kind: str = "") -> Any:
        if self.load.gap_seconds:
            time.sleep(max(self.due - time.perf_counter(), 0))
            began = self.due
            self.due += self.load.gap_seconds
        else:
            began = time.perf_counter()
        sent = json.dumps(body).encode() if body is not None else data
        headers = {"token": self.load.token, "organization": "bench", "Content-Type": kind or "application/json"}
        self.connection.request(method, f"/api/v2/{path}", sent or None, headers)
        answer = self.connection.getresponse()
        said = answer.read()
        self.times[f"{'R' if method == 'GET' else 'W'} {name}"].append(time.perf_counter() - began)
        assert answer.status in {200, 201, 204}, (method, path, answer.status, said[:300])
        return json.loads(said) if said[:1] in b"{[" else said

    def run(self) -> Times:
        self.one_round(0)
        # The first round warms both sides up, while the other clients still start.
        self.times.clear()
        for number in range(self.load.rounds):
            self.one_round(number + 1)
        return dict(self.times)

    def one_round(self, number: int) -> None:
        """What a bot and those who watch it do: each call once."""
        task = self.call("task create", "POST", "task", {"activityLabel": "bench", "parameters": {"n": number}})["id"]
        self.call("task get", "GET", f"task/{task}")
        old = self.draw.randrange(1, self.load.tasks)
        self.call("task get (old)", "GET", f"task/{old}")
        self.call("task list", "GET", "task?page=0&size=20&sort=dateCreation,desc")
        self.call("task list of 7 days", "GET", "task?size=20&days=7&stateFilter=FINISHED")
        self.call("task interrupt", "POST", f"task/{task}", {"interrupted": True})
        self.call("log entry", "POST", "log/trips/entry", {"city": "Recife", "n": number})
        self.call("log entries, page", "GET", "log/trips/entry?page=0&size=20")
        self.call("log get", "GET", "log/trips")
        self.call("alert", "POST", "alerts", {"taskId": task, "title": "t", "message": "m", "type": "INFO"})
        self.call("error", "POST", "error", {"taskId": task, "type": "ValueError", "message": "m", "stackTrace": "s"})
        made = self.call("artifact", "POST", "artifact", {"taskId": task, "name": "a.csv", "filename": "a.csv"})["id"]
        part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1,2\r\n--b--\r\n'
        kind = "multipart/form-data; boundary=b"
        self.call("artifact upload", "POST", f"artifact/log/{made}", data=part, kind=kind)
        self.call("artifact list", "GET", "artifact?size=20&page=0&days=7")
        self.call("artifact download", "GET", f"artifact/{made}/file")
        self.call("activity list", "GET", "activity")
        self.call("machine list", "GET", "machine/pagination?page=0&size=20")
        self.call("pool push", "POST", "datapool/cases/push", {"priority": 1, "values": {"n": number}})
        self.call("pool summary", "GET", "datapool/cases/summary")
        entry = self.call("pool pull", "GET", "datapool/cases/pull")
        if entry:
            self.call("pool done", "POST", f"datapool/cases/entry/{entry['id']}", {"state": "DONE"})
        finished = {"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "ok"}
        self.call("task finish", "POST", f"task/{task}", finished)


def work(load: Load) -> Times:
    return Caller(load).run()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=12, help="how often each client makes every call")
    parser.add_argument("--rate", type=float, default=60.0, help="calls a second of all clients together, when paced")
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL database; without it SQLite")
    parser.add_argument("--folder", type=Path, help="where the data lies while it runs")
    given = parser.parse_args()
    print(
        f"load of the machine before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores; Python {sys.version.split()[0]}"
    )
    with tempfile.TemporaryDirectory(prefix="bottool-bench-", dir=given.folder) as folder:
        data = Path(folder) / "data"
        settings = SiteSettings(data=data, database=given.database)
        with served(settings) as (port, token, _):
            prepare(Caller(Load(port=port, token=token, client=0, rounds=0, gap_seconds=0, tasks=0)))
        fill(settings, given)
        print(f"bare: {bare_answer(given.clients):.2f} ms for two bytes, {bare_write(Path(folder)):.2f} ms for a row")
        with served(settings) as (port, token, server):
            load = {"port": port, "token": token, "rounds": given.rounds, "tasks": given.tasks}
            for gap, name in ((given.clients / given.rate, f"paced, {given.rate:.0f} calls/s"), (0.0, "closed")):
                loads = [Load(client=number, gap_seconds=gap, **load) for number in range(given.clients)]
                began, used = time.perf_counter(), processor(server)
                times = together(loads)
                report(name, times, time.perf_counter() - began)
                calls = sum(map(len, times.values())) * (given.rounds + 1) / given.rounds
                print(f"the server's process: {(processor(server) - used) * 1000 / calls:.2f} ms of processor a call")


def together(loads: list[Load]) -> Times:
    found: Times = defaultdict(list)
    with get_context("spawn").Pool(len(loads)) as pool:
        for times in pool.map(work, loads, chunksize=1):
            for name, seconds in times.items():
                found[name] += seconds
    return found


def report(name: str, times: Times, seconds: float) -> None:
    number = sum(map(len, times.values()))
    print(f"\n{name}: {number} calls, {number / seconds:.0f} a second")
    print(f"{'call':28} {'n':>5} {'median':>8} {'p95':>8} {'p99':>8} {'max':>8}  ms")
    for call, took in sorted(times.items()):
        ordered = sorted(each * 1000 for each in took)
        p95 = at(ordered, 0.95)
        limit = READ_MS if call.startswith("R") and "pull" not in call else WRITE_MS
        middle, p99 = statistics.median(ordered), at(ordered, 0.99)
        verdict = "" if p95 <= limit else f"  over {limit:.0f}"
        print(f"{call:28} {len(ordered):5} {middle:8.1f} {p95:8.1f} {p99:8.1f} {ordered[-1]:8.1f}{verdict}")


def at(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


# What is there before.


def prepare(caller: Caller) -> None:
    """One of each, through the interface; ``fill`` makes many of them."""
    bearer = {"Authorization": f"Bearer {caller.load.token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", caller.load.port)
    connection.request("POST", "/rest/v1/automations", json.dumps({"label": "bench"}), bearer)
    assert connection.getresponse().status == 201
    task = caller.call("", "POST", "task", {"activityLabel": "bench"})["id"]
    caller.call("", "POST", f"task/{task}", {"state": "FINISHED", "finishStatus": "SUCCESS", "finishMessage": "ok"})
    columns = [{"name": name, "label": name, "width": 100} for name in ("city", "n")]
    caller.call("", "POST", "log", {"activityLabel": "trips", "columns": columns})
    caller.call("", "POST", "log/trips/entry", {"city": "Recife", "n": 1})
    caller.call("", "POST", "alerts", {"taskId": task, "title": "t", "message": "m", "type": "INFO"})
    caller.call("", "POST", "artifact", {"taskId": task, "name": "a.csv", "filename": "a.csv"})
    caller.call("", "POST", "datapool", {"label": "cases"})
    caller.call("", "POST", "datapool/cases/push", {"values": {"n": 0}})
    entry = caller.call("", "GET", "datapool/cases/pull")["id"]
    caller.call("", "POST", f"datapool/cases/entry/{entry}", {"state": "DONE"})


def processor(server: int) -> float:
    """Seconds that the process has computed so far."""
    times = psutil.Process(server).cpu_times()
    return float(times.user + times.system)


def fill(settings: SiteSettings, given: Any) -> None:
    """Copies of the one that is there, spread over six weeks back."""
    began = time.perf_counter()
    numbers = {"task": given.tasks, "log_entry": given.entries, "alert": given.tasks // 5}
    numbers |= {"artifact": given.tasks // 5, "pool_entry": given.tasks}
    store = Store(settings.database or f"sqlite:///{next(settings.data.glob('*.db'))}")
    with store.engine.begin() as tx:
        for table, number in numbers.items():
            multiply(tx, table, number)
        tx.execute(sa.text("UPDATE data_pool SET done = :done"), {"done": given.tasks})
    if not store.is_sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
            tx.execute(sa.text("VACUUM ANALYZE"))
    store.close()
    rows = ", ".join(f"{number:,} of {table}" for table, number in numbers.items())
    print(f"filled in {time.perf_counter() - began:.0f} s: {rows}")


SQLITE = (
    "strftime('%Y-%m-%d %H:%M:%f000', one.{0}, '-' || ((:number - n) * 63000.0 / :number) || ' minutes')",
    "(WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < :number) SELECT n FROM up)",
)
POSTGRESQL = (
    "one.{0} - ((:number - n) * 63000.0 / :number) * interval '1 minute'",
    "(SELECT * FROM generate_series(1, :number) AS counted(n))",
)
"""How a time is moved back, and how numbers from 1 on are made."""


def multiply(tx: sa.Connection, table: str, number: int) -> None:
    moved, numbers = SQLITE if tx.dialect.name == "sqlite" else POSTGRESQL
    columns = [column["name"] for column in sa.inspect(tx).get_columns(table) if column["name"] != "id"]
    when = {"at", "created_at", "ended_at", "changed_at"}
    taken = [moved.format(name) if name in when else f'one."{name}"' for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    # All names are this program's own.
    words = ["INSERT INTO", table, f"({names})", "SELECT", ", ".join(taken), "FROM", numbers, "AS numbers,"]
    statement = sa.text(" ".join([*words, "(SELECT * FROM", table, "LIMIT 1) AS one"]))
    tx.execute(statement, {"number": number})


# The bare limits.


def bare_answer(clients: int) -> float:
    """Median milliseconds of an answer of two bytes, asked for by one client on a kept connection."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        wait_for(port)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        took = []
        for _ in range(50 * clients):
            began = time.perf_counter()
            connection.request("GET", "/")
            connection.getresponse().read()
            took.append(time.perf_counter() - began)
        return statistics.median(took) * 1000
    finally:
        server.terminate()
        server.wait(60)


def bare_write(folder: Path) -> float:
    """Median milliseconds of one row in a transaction of its own, synced as the site's are."""
    took = []
    with sqlite3.connect(folder / "bare.db", isolation_level=None) as tx:
        tx.execute("PRAGMA journal_mode=WAL")
        tx.execute("PRAGMA synchronous=FULL")
        tx.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")
        for _ in range(200):
            began = time.perf_counter()
            tx.execute("INSERT INTO t (a) VALUES ('x')")
            took.append(time.perf_counter() - began)
    tx.close()
    return statistics.median(took) * 1000


@contextmanager
def served(settings: SiteSettings) -> Iterator[tuple[int, str, int]]:
    """Port, a token, and the process."""
    data = settings.data
    site = setup.open_site(settings)
    if not (data / "made").exists():
        setup.create_workspace(site, "bench", "bench", KEY)
        (data / "made").touch()
    site.close()
    command = [sys.executable, "-m", "bottool", "serve", "--data", str(data), "--port", "0"]
    variables = os.environ | {"BOTTOOL_SITE_DATABASE": settings.database}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables)
    assert server.stdout is not None
    try:
        port = int(server.stdout.readline().rsplit(":", 1)[1])
        wait_for(port)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request("POST", "/api/v2/workspace/login", json.dumps({"login": "bench", "key": KEY}))
        yield port, str(json.loads(connection.getresponse().read())["accessToken"]), server.pid
    finally:
        server.terminate()
        server.wait(60)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    import socket

    for _ in itertools.repeat(None, 600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"nothing answers on port {port}")


if __name__ == "__main__":
    main()
