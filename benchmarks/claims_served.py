"""Tasks taken through the server, everything durable: how many a second, and how long does each take?

    python benchmarks/claims_served.py                            SQLite in a temporary folder
    python benchmarks/claims_served.py --database postgresql://…  an empty database

So many runners, each a process with one kept connection, take one task a call (`/runner/v1/sync`) out of one queue.
A call is what a real one is: token, session, leases, claim, event, and an answer only when it is safe on the disk.
Beside it in the same run, in turn with it, the bare limit: as many processes that take rows of a table of a SQLite file
with one guarded statement and a commit each, at full durability, with no server between.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import secrets
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from claim_cost import AUTOMATIONS, NOW, add, fill
from idle_runners import KEY, served

from bottool import sqlite_build, wire
from bottool_web.actions import setup
from bottool_web.actions.identity import acting_site, hash_secret
from bottool_web.settings import SiteSettings
from bottool_web.store import tables
from bottool_web.store.scope import Principal

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL; else SQLite")
    parser.add_argument("--runners", type=int, default=8)
    parser.add_argument("--claims", type=int, default=300, help="of each runner in each round")
    given = parser.parse_args()
    print(f"{given.runners} runners, {os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder:
        data, bare = Path(folder) / "data", Path(folder) / "bare.db"
        runners = prepare(data, given)
        make_bare(bare, given)
        command = [sys.executable, "-m", "bottool", "serve", "--data", str(data)]
        with served(command, given.database) as (_, port):
            found = [
                (
                    together(take_bare, [(str(bare), given.claims)] * given.runners),
                    together(take_served, [(port, token, given.claims) for token in runners]),
                )
                for _ in range(ROUNDS)
            ]
    for name, side in (("bare", 0), ("through the server", 1)):
        rates = [rate for rate, _ in (pair[side] for pair in found)]
        times = sorted(each * 1000 for pair in found for each in pair[side][1])
        p95, p99 = (times[int(len(times) * share)] for share in (0.95, 0.99))
        print(
            f"  {name:20} {statistics.median(rates):7.0f} claims/s;"
            f" median {statistics.median(times):.1f}, p95 {p95:.1f}, p99 {p99:.1f}, max {times[-1]:.1f} ms"
        )
    print(f"  ratio of the rates: {statistics.median(ours[0] / bare[0] for bare, ours in found):.2f}")


def together(work: Any, loads: list[Any]) -> tuple[float, list[float]]:
    """The rate of all processes, each of which begins when all are ready, and how long every claim took."""
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(len(loads) + 1), context.SimpleQueue()
    processes = [context.Process(target=work, args=(barrier, results, *load)) for load in loads]
    for process in processes:
        process.start()
    barrier.wait(60)
    began = time.perf_counter()
    times = [each for _ in processes for each in results.get()]
    seconds = time.perf_counter() - began
    for process in processes:
        process.join()
    return len(times) / seconds, times


def take_served(barrier: Any, results: Any, port: int, token: str, claims: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        wire.PROTOCOL_HEADER: str(wire.PROTOCOL),
    }
    said: dict[str, Any] = {
        "session_id": token[-8:],
        "installation_id": token[-8:],
        "free_slots": 1,
        "slots": 1000,
        "hold_seconds": 0,
        "capabilities": {"languages": ["python"], "technologies": ["PYTHON"]},
    }
    times = []
    barrier.wait(60)
    for _ in range(claims):
        body = json.dumps(said | {"claim_key": secrets.token_hex(16)})
        began = time.perf_counter()
        connection.request("POST", "/runner/v1/sync", body, headers)
        answer = connection.getresponse()
        heard = json.loads(answer.read())
        times.append(time.perf_counter() - began)
        assert answer.status == 200, heard
        assert len(heard["work"]) == 1, heard
    results.put(times)


def take_bare(barrier: Any, results: Any, path: str, claims: int) -> None:
    connection = sqlite_build.module().connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA synchronous=FULL")
    times = []
    barrier.wait(60)
    for _ in range(claims):
        began = time.perf_counter()
        connection.execute(
            "UPDATE task SET state='leased' WHERE id ="
            " (SELECT id FROM task WHERE state='queued' ORDER BY priority DESC, id LIMIT 1)"
        )
        times.append(time.perf_counter() - began)
    results.put(times)


def make_bare(path: Path, given: argparse.Namespace) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=wal")
        connection.execute("CREATE TABLE task (id INTEGER PRIMARY KEY, state TEXT, priority INTEGER)")
        connection.execute("CREATE INDEX queue ON task (priority DESC, id) WHERE state='queued'")
        rows = [("queued", row * 7 % 11) for row in range(given.runners * given.claims * ROUNDS)]
        connection.executemany("INSERT INTO task (state, priority) VALUES (?, ?)", rows)
    connection.close()


def prepare(data: Path, given: argparse.Namespace) -> list[str]:
    """A workspace with its runners, linked to all of ten automations, and enough waiting tasks; the runners' tokens."""
    data.mkdir()
    site = setup.open_site(SiteSettings(data=data, database=given.database))
    try:
        workspace_id = setup.create_workspace(site, "bench", "bench", KEY)
        found = [f"btl_runner_{secrets.token_urlsafe(32)}" for _ in range(given.runners)]
        site.store.write(lambda tx: register(tx, workspace_id, found))
        who = Principal(kind="runner", id=1, name="bench", role="runner", workspace_id=workspace_id)
        fill(site, who, "queued", given.runners * given.claims * ROUNDS)
        site.store.write(lambda tx: tx.exec_driver_sql("ANALYZE"))
        return found
    finally:
        site.close()


def register(tx: sa.Connection, workspace_id: int, found: list[str]) -> None:
    own: dict[str, Any] = {"workspace_id": workspace_id, "created_at": NOW}
    scope = acting_site(workspace_id).scope
    repository = tx.scalar(
        sa.select(tables.repository.c.id).where(tables.repository.c.workspace_id == scope.workspace_id)
    )
    bot = add(tx, tables.bot, **own, repository_id=repository, bot_id="bench", technology="PYTHON")
    version = add(tx, tables.bot_version, **own, bot_id=bot, version="1", technology="PYTHON", state="ready")
    revision = add(tx, tables.revision, **own, bot_version_id=version, sha256="0" * 64, size_bytes=1, findings=[])
    tx.execute(sa.update(tables.bot).where(tables.bot.c.id == bot).values(release_id=version))
    tx.execute(sa.update(tables.bot_version).where(tables.bot_version.c.id == version).values(revision_id=revision))
    runners = []
    for number, token in enumerate(found):
        runner = add(tx, tables.runner, **own, machine_id=f"bench-{number}", slots=1000, capabilities={})
        add(tx, tables.token, **own, kind="runner", token_hash=hash_secret(token), runner_id=runner)
        runners.append(runner)
    for number in range(AUTOMATIONS):
        named = {"label": f"a{number}", "name": "", "bot_id": bot, "parameters": []}
        automation = add(tx, tables.automation, **own, repository_id=repository, **named)
        for runner in runners:
            link = {"workspace_id": workspace_id, "automation_id": automation, "runner_id": runner}
            add(tx, tables.automation_runner, **link)


if __name__ == "__main__":
    main()
