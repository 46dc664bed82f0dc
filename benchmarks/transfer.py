"""Large result files through a real server: is its memory flat, and what does it cost against the bare limit?

    python benchmarks/transfer.py                          16 clients, 200 MB each: 3.2 GB on the disk
    python benchmarks/transfer.py --clients 4 --megabytes 50
    python benchmarks/transfer.py --folder /path/on/the/disk/that/counts

Each client uploads a file of its own as Maestro's clients do (announce, then multipart) and downloads it again; every
byte is compared by checksum. The bare limit is a program of thirty lines on the same server library that writes the
same bytes to the same disk with fsync, and sends them; both sides run in turn. A page is asked for all the while: its
time says whether large files keep others waiting. Only ratios, and memory against idle, are worth quoting.
"""

import argparse
import hashlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bottool_web.actions import setup
from bottool_web.settings import SiteSettings

KEY = "a key of the bench"
BLOCK = 1024 * 1024
SAMPLE_SECONDS = 0.05
BARE = """
import os, sys, tempfile, uvicorn

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    path = os.path.join(sys.argv[1], scope["path"].strip("/").replace("/", "-"))
    await send_file(path, receive, send) if scope["method"] == "GET" else await keep(path, receive, send)

async def keep(path, receive, send):
    more = True
    with open(path, "wb") as file:
        while more:
            message = await receive()
            file.write(message.get("body", b""))
            more = message.get("more_body", False)
        file.flush()
        os.fsync(file.fileno())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})

async def send_file(path, receive, send):
    length = str(os.path.getsize(path)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    with open(path, "rb") as file:
        while piece := file.read(262144):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

uvicorn.run(app, port=int(sys.argv[2]), log_level="error", lifespan="off")
"""


@dataclass
class Sampler:
    """The memory of a process, watched from a thread."""

    process: psutil.Process
    peak: int = 0
    ending: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.ending.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, self.process.memory_info().rss)


@dataclass(frozen=True, kw_only=True)
class Measured:
    seconds: float
    peak: int
    page_seconds: tuple[float, ...] = ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the data lies while it runs")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bottool-bench-", dir=given.folder) as folder:
        measure(Path(folder), clients=given.clients, megabytes=given.megabytes, rounds=given.rounds)


def measure(folder: Path, *, clients: int, megabytes: int, rounds: int) -> None:
    print(f"{clients} clients, {megabytes} MB each, {rounds} round(s)")
    pairs = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            limits = against_the_bare(Path(place), clients, megabytes)
        with tempfile.TemporaryDirectory(dir=folder) as place:
            idle, *ours = against_the_server(Path(place), clients, megabytes)
        for what, measured, limit in zip(("upload", "download"), ours, limits, strict=True):
            report(f"round {number + 1}, {what}", clients * megabytes, idle, measured, limit)
        pairs.append([measured.seconds / limit.seconds for measured, limit in zip(ours, limits, strict=True)])
    ups, downs = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    print(f"time against the bare limit: upload {ups:.2f}, download {downs:.2f}")


def against_the_bare(place: Path, clients: int, megabytes: int) -> tuple[Measured, Measured]:
    with bare(place) as (port, process):
        up = timed(process, clients, lambda n: bare_upload(port, n, megabytes))
        down = timed(process, clients, lambda n: download(port, f"/file/{n}", {}, checksum(n, megabytes)))
    return up, down


def against_the_server(place: Path, clients: int, megabytes: int) -> tuple[int, Measured, Measured]:
    """Memory before, then both ways."""
    ids: dict[int, int] = {}
    with served(place) as (port, token, process):
        headers = {"token": token}
        task_id = a_task(port, headers)

        def send_one(client: int) -> None:
            ids[client] = upload(port, headers, task_id, client, megabytes)

        def fetch_one(client: int) -> None:
            download(port, f"/api/v2/artifact/{ids[client]}/file", headers, checksum(client, megabytes))

        def look() -> None:
            ask(port, "GET", f"/api/v2/task/{task_id}", headers)

        idle = process.memory_info().rss
        up, down = timed(process, clients, send_one, look), timed(process, clients, fetch_one, look)
    return idle, up, down


def report(what: str, megabytes: int, idle: int, measured: Measured, limit: Measured) -> None:
    pages = sorted(measured.page_seconds)
    p95 = pages[int(len(pages) * 0.95)] * 1000 if pages else 0.0
    now, before, peak_of_limit = (each // 2**20 for each in (measured.peak, idle, limit.peak))
    print(f"{what}: {megabytes / measured.seconds:.0f} MB/s, bare {megabytes / limit.seconds:.0f} MB/s")
    print(f"    memory: idle {before} MB, peak {now} MB (+{now - before}); bare peak {peak_of_limit} MB")
    print(f"    {len(pages)} small calls beside it: p95 {p95:.0f} ms")


def timed(
    process: psutil.Process, clients: int, work: Callable[[int], object], beside: Callable[[], object] | None = None
) -> Measured:
    """All clients at once; ``beside`` is called over and over until they are done."""
    sampler, took = Sampler(process), []
    watching = threading.Thread(target=sampler.run)
    watching.start()
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        working = [pool.submit(work, number) for number in range(clients)]
        while beside is not None and not all(each.done() for each in working):
            asked = time.perf_counter()
            beside()
            took.append(time.perf_counter() - asked)
            time.sleep(0.1)
        for each in working:
            each.result()
    seconds = time.perf_counter() - began
    sampler.ending.set()
    watching.join()
    return Measured(seconds=seconds, peak=sampler.peak, page_seconds=tuple(took))


# The files: a block that only this client has, over and over.


def block(client: int) -> bytes:
    return hashlib.shake_128(f"client {client}".encode()).digest(BLOCK)


def content(client: int, megabytes: int) -> Iterator[bytes]:
    piece = block(client)
    for _ in range(megabytes):
        yield piece


def checksum(client: int, megabytes: int) -> str:
    digest, piece = hashlib.sha256(), block(client)
    for _ in range(megabytes):
        digest.update(piece)
    return digest.hexdigest()


# What a client does.


def ask(port: int, method: str, path: str, headers: dict[str, str], body: object = None) -> dict[str, object]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    data = json.dumps(body) if body is not None else None
    connection.request(method, path, data, {**headers, "Content-Type": "application/json"})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    assert answer.status < 300, said
    value: dict[str, object] = json.loads(said)
    return value


def send(port: int, path: str, headers: dict[str, str], pieces: Iterator[bytes], length: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("POST", path, pieces, {**headers, "Content-Length": str(length)})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    assert answer.status == 200, said


def bare_upload(port: int, client: int, megabytes: int) -> None:
    send(port, f"/file/{client}", {}, content(client, megabytes), megabytes * BLOCK)


def upload(port: int, headers: dict[str, str], task_id: int, client: int, megabytes: int) -> int:
    name = f"client-{client}.bin"
    made = ask(port, "POST", "/api/v2/artifact", headers, {"taskId": task_id, "name": name, "filename": name})
    head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    tail = b"\r\n--b--\r\n"

    def pieces() -> Iterator[bytes]:
        yield head
        yield from content(client, megabytes)
        yield tail

    length = len(head) + megabytes * BLOCK + len(tail)
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    send(port, f"/api/v2/artifact/log/{made['id']}", {**headers, **kind}, pieces(), length)
    return int(str(made["id"]))


def download(port: int, path: str, headers: dict[str, str], wanted: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", path, headers=headers)
    answer, digest = connection.getresponse(), hashlib.sha256()
    assert answer.status == 200, answer.read()
    while piece := answer.read(BLOCK):
        digest.update(piece)
    connection.close()
    assert digest.hexdigest() == wanted, "other bytes came than were sent"


def a_task(port: int, headers: dict[str, str]) -> int:
    bearer = {"Authorization": f"Bearer {headers['token']}"}
    ask(port, "POST", "/rest/v1/automations", bearer, {"label": "bench"})
    return int(str(ask(port, "POST", "/api/v2/task", headers, {"activityLabel": "bench"})["id"]))


# The servers.


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, str, psutil.Process]]:
    site = setup.open_site(SiteSettings(data=folder / "data"))
    setup.create_workspace(site, "bench", "bench", KEY)
    site.close()
    command = [sys.executable, "-m", "bottool", "serve", "--data", str(folder / "data"), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        port = int(line.rsplit(":", 1)[1])
        token = ask(port, "POST", "/api/v2/workspace/login", {}, {"login": "bench", "key": KEY})["accessToken"]
        yield port, str(token), psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(60)


@contextmanager
def bare(folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", BARE, str(folder), str(port)])
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert time.monotonic() < deadline, "the bare server does not answer"
            time.sleep(0.05)
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(60)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def answers(port: int) -> bool:
    import socket

    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    os.nice(5)
    main()
