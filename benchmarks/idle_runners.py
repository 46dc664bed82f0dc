"""What runners cost that have nothing to do: memory, the server's share of a core, and how quickly one is woken.

    python benchmarks/idle_runners.py                      2,000 runners, SQLite in a temporary folder
    python benchmarks/idle_runners.py --runners 5000
    python benchmarks/idle_runners.py --database postgresql://…   an empty database

One process of the real server holds the runners' calls; another process holds all their connections, each of which
asks again as soon as it is answered, as a runner does. Memory is the server's proportional set size with all of them
against with none, after a full round of calls. A wake-up goes from the moment when a task's creation is acknowledged
until the one runner that may take it has its work in hand. Beside them, in the same run, a bare ASGI application that
holds as many calls: the least that this can cost.
"""

import argparse
import asyncio
import http.client
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
from claim_cost import NOW, add

from bottool import wire
from bottool_web.actions import setup
from bottool_web.actions.identity import acting_site, hash_secret
from bottool_web.settings import SiteSettings
from bottool_web.store import tables

KEY = "a key of the bench"
WOKEN = 40
"""So many of the runners have an automation of their own and are woken in turn."""
BARE = """
import asyncio, sys, uvicorn

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/hold":
        await asyncio.sleep(10)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})

uvicorn.run(app, port=int(sys.argv[1]), log_level="error", lifespan="off", backlog=2048)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runners", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they idle")
    parser.add_argument("--database", default="", help="address of an empty PostgreSQL; else SQLite")
    given = parser.parse_args()
    print(f"{given.runners} runners, {os.cpu_count()} cores, load before: {os.getloadavg()[0]:.1f}", flush=True)
    bare = measure_bare(given)
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder:
        data = Path(folder) / "data"
        tokens = prepare(data, given)
        with served([sys.executable, "-m", "bottool", "serve", "--data", str(data)], given.database) as (process, port):
            measure(process, port, tokens, given, bare)


def measure_bare(given: argparse.Namespace) -> float:
    """KB that a held call costs the bare application."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port)])
    try:
        await_answer(port, "/")
        before = pss(process.pid)
        with holding(port, [""] * given.runners, "/hold"):
            time.sleep(15)
            return (pss(process.pid) - before) / given.runners / 1024
    finally:
        process.terminate()
        process.wait()


def measure(
    process: "subprocess.Popen[str]", port: int, tokens: list[str], given: argparse.Namespace, bare: float
) -> None:
    server = psutil.Process(process.pid)
    before = pss(process.pid)
    with holding(port, tokens, "/runner/v1/sync") as heard:
        # Until each has had a call answered and holds the next: what the first calls leave behind counts too.
        time.sleep(SiteSettings(data=Path()).hold_seconds * 2)
        after = pss(process.pid)
        cpu, began = sum(server.cpu_times()[:2]), time.monotonic()
        health: list[float] = []
        while time.monotonic() < began + given.seconds:
            health.append(timed_get(port, "/rest/v1/status"))
            time.sleep(0.05)
        share = (sum(server.cpu_times()[:2]) - cpu) / (time.monotonic() - began)
        woken = wake_ups(port, heard)
        faults = heard["faults"]
    print(f"  memory of an idle runner:   {(after - before) / given.runners / 1024:8.1f} KB   (bare: {bare:.1f} KB)")
    print(f"  health check, ms:           {told(health)}")
    print(f"  wake-up, ms:                {told(woken)}")
    print(f"  the server's share of a core: {share:6.2f}")
    print(f"  calls that were not answered with 200: {faults}")


def told(seconds: list[float]) -> str:
    ordered = sorted(each * 1000 for each in seconds)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"median {statistics.median(ordered):.1f}, p95 {p95:.1f}, max {ordered[-1]:.1f} of {len(ordered)}"


def wake_ups(port: int, heard: Any) -> list[float]:
    """From a task's acknowledgement until its runner has it, for one runner after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(path: str, body: Any, token: str = "") -> Any:
        headers = {"Content-Type": "application/json", "token": token, "organization": "bench"}
        connection.request("POST", path, json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status in {200, 201}, said
        return json.loads(said)

    token = ask("/api/v2/workspace/login", {"login": "bench", "key": KEY})["accessToken"]
    found = []
    for number in range(WOKEN):
        ask("/api/v2/task", {"activityLabel": f"wake{number}"}, token)
        acknowledged = time.monotonic()
        deadline = acknowledged + 10
        while (at := heard.get(number)) is None:
            assert time.monotonic() < deadline, f"runner {number} was not woken"
            time.sleep(0.001)
        found.append(max(at - acknowledged, 0.0))
        time.sleep(0.1)
    return found


# The runners' side: one process, one connection each.


@contextmanager
def holding(port: int, tokens: list[str], path: str) -> Iterator[Any]:
    """All runners' calls are held while this is open; the value says when which of them got work."""
    context = get_context("spawn")
    manager = context.Manager()
    heard = manager.dict(faults=0, connected=0)
    process = context.Process(target=hold, args=(port, tokens, path, heard), daemon=True)
    process.start()
    try:
        deadline = time.monotonic() + 120
        while heard["connected"] < len(tokens):
            assert time.monotonic() < deadline, f"{heard['connected']} of {len(tokens)} are connected"
            time.sleep(0.1)
        yield heard
    finally:
        process.terminate()
        process.join()
        manager.shutdown()


def hold(port: int, tokens: list[str], path: str, heard: Any) -> None:
    asyncio.run(hold_all(port, tokens, path, heard))


async def hold_all(port: int, tokens: list[str], path: str, heard: Any) -> None:
    few = asyncio.Semaphore(50)
    await asyncio.gather(*(hold_one(port, number, token, path, heard, few) for number, token in enumerate(tokens)))


async def hold_one(port: int, number: int, token: str, path: str, heard: Any, few: asyncio.Semaphore) -> None:
    async with few:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    first = True
    while True:
        body = json.dumps(message(number)).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
            f"{wire.PROTOCOL_HEADER}: {wire.PROTOCOL}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        if first:
            first = False
            heard["connected"] += 1
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in answer.lower().split(b"\r\n") if b"content-length" in line)
        said = await reader.readexactly(length)
        if b" 200 " not in answer.split(b"\r\n")[0]:
            heard["faults"] += 1
        elif b'"work":[{' in said:
            heard[number] = time.monotonic()


def message(number: int) -> dict[str, Any]:
    return {
        "session_id": f"session {number}",
        "installation_id": f"installation {number}",
        "claim_key": secrets.token_hex(16),
        "free_slots": 1,
        "slots": 1000,
        "capabilities": {"languages": ["python"], "technologies": ["PYTHON"]},
        "hostname": "bench",
        "system": "bench",
        "version": "0.1.0",
        "attempts": [],
    }


# The server's side.


def prepare(data: Path, given: argparse.Namespace) -> list[str]:
    """A workspace with so many runners; their tokens. The first ones have an automation each that only they may run."""
    data.mkdir()
    site = setup.open_site(SiteSettings(data=data, database=given.database))
    try:
        workspace_id = setup.create_workspace(site, "bench", "bench", KEY)
        found = [f"btl_runner_{secrets.token_urlsafe(32)}" for _ in range(given.runners)]
        site.store.write(lambda tx: register(tx, workspace_id, found))
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
    for number, token in enumerate(found):
        runner = add(tx, tables.runner, **own, machine_id=f"bench-{number}", slots=1000, capabilities={})
        tx.execute(
            sa.insert(tables.token).values(**own, kind="runner", token_hash=hash_secret(token), runner_id=runner)
        )
        if number < WOKEN:
            named = {"label": f"wake{number}", "name": "", "bot_id": bot, "parameters": []}
            automation = add(tx, tables.automation, **own, repository_id=repository, **named)
            link = {"workspace_id": workspace_id, "automation_id": automation, "runner_id": runner}
            add(tx, tables.automation_runner, **link)


@contextmanager
def served(command: list[str], database: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    variables = os.environ | ({"BOTTOOL_SITE_DATABASE": database} if database else {})
    process = subprocess.Popen([*command, "--port", "0"], stdout=subprocess.PIPE, text=True, env=variables)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield process, int(line.rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def await_answer(port: int, path: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            timed_get(port, path)
        except OSError:
            assert time.monotonic() < deadline, "the bare server does not answer"
            time.sleep(0.05)
        else:
            return


def timed_get(port: int, path: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status
    connection.close()
    return time.perf_counter() - began


def pss(pid: int) -> int:
    """The process's proportional set size, in bytes."""
    return int(psutil.Process(pid).memory_full_info().pss)


if __name__ == "__main__":
    main()
