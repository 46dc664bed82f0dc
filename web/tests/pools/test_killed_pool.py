"""A server that is killed while many consumers work on a data pool: nobody gets another's entry, none is lost."""

import random
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from bottool import wire
from bottool.client import Client
from bottool.errors import BottoolError
from bottool_web.actions import identity, pool_bulk, pool_work, pools

from ..tasks.test_killed_server import start  # noqa: TID252  # a server of its own process, to be killed

CONSUMERS = 4
ENTRIES = 3000


@dataclass
class Consumer:
    """Pulls and reports without end; what was not answered is asked for again under its key, as SDKs cannot."""

    address: str
    token: str
    ending: threading.Event
    pulled: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    def run(self, name: int) -> None:
        number = 0
        with Client(self.address, self.token, timeout_seconds=5) as client:
            while not self.ending.is_set():
                try:
                    said = client.post("/rest/v1/pools/cases/pull", type=wire.Pulled, key=f"{name}-{number}")
                    number += 1
                    if said.entry is None:
                        return
                    self.pulled.append(said.entry.id)
                    self.report(client, said.entry.id)
                except BottoolError:
                    self.ending.wait(0.02)

    def report(self, client: Client, entry: int) -> None:
        while not self.ending.is_set():
            try:
                client.patch(f"/rest/v1/pools/cases/entries/{entry}", wire.EntryChange(state="done"))
            except BottoolError:
                self.ending.wait(0.02)
            else:
                self.done.append(entry)
                return


@pytest.mark.parametrize("kills", [4, pytest.param(150, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
def test_no_entry_is_given_twice_or_lost_under_kills(site, admin, workspace, tmp_path, kills):
    pools.create(site, admin, wire.NewPool(label="cases"))
    table = "n\n" + "\n".join(map(str, range(ENTRIES)))
    pool_bulk.import_csv(site, admin, "cases", [table.encode()])
    token = identity.login(site, wire.Login(login=workspace.login, key=workspace.key), address="127.0.0.1").token
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data, database = tmp_path / "data", site.store.address
    data.mkdir(exist_ok=True)
    (data / "site.key").write_bytes(site.key)
    (data / "site.key").chmod(0o600)
    draw, ending = random.Random(11), threading.Event()
    consumers = [Consumer(f"http://127.0.0.1:{port}", token, ending) for _ in range(CONSUMERS)]

    with ThreadPoolExecutor(CONSUMERS) as threads:
        running = [threads.submit(consumer.run, name) for name, consumer in enumerate(consumers)]
        try:
            for _ in range(kills):
                server = start(data, database, port)
                time.sleep(draw.uniform(0.1, 0.5))
                server.send_signal(signal.SIGKILL)
                server.wait()
                server.stdout.close()
        finally:
            ending.set()
    for each in running:
        each.result()

    pulled = [entry for consumer in consumers for entry in consumer.pulled]
    done = {entry for consumer in consumers for entry in consumer.done}
    counts = pools.get_pool(site, admin, "cases").counts
    assert len(pulled) > kills
    assert len(pulled) == len(set(pulled))
    assert counts.total == ENTRIES
    # Of each consumer one may be taken, or done, and not known to it yet.
    assert 0 <= counts.done - len(done) <= CONSUMERS
    assert counts.processing <= CONSUMERS
    for entry in pulled:
        moves = [move.kind for move in pool_work.moves_of(site, admin, "cases", entry)]
        assert moves in (["pulled"], ["pulled", "done"])
