"""Many short bots through one runner with two slots, over a bare pool of two threads that starts the same processes.

    python benchmarks/throughput.py                     200 bots, three rounds
    python benchmarks/throughput.py --tasks 50 --rounds 1

Everything is durable: claim, permit, journal, output, outcome. The tasks wait already when the runner begins; the time
counts from the first bot's first line to the server having the last result, so that the start of the runner does not
count, and neither does creating the tasks. Both sides take turns. Goal: at least 0.5 of the bare rate; it is missed,
and ``docs/decisions/029`` says what is known of why. The processor
seconds and the disk's time for a lasting write say where the rest goes; a folder in memory (``TMPDIR=/dev/shm``) shows
the rate without the disk. The absolute times belong to the machine.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
from whole import Whole, lasting_ms, wait_for_runner, whole

SLOTS = 2
GOAL = 0.5


@dataclass(frozen=True, kw_only=True)
class Round:
    rate: float
    server_seconds: float
    """Of the processor, per task; likewise the others."""
    runner_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder, whole(Path(folder)) as site:
        site.deploy()
        with site.runner("--slots", str(SLOTS)):
            wait_for_runner(site)
        disk = lasting_ms(site.folder)
        pairs = [(bare(site, given.tasks), ours(site, given.tasks)) for _ in range(given.rounds)]
    show(given.tasks, pairs)
    print(f"  one lasting write       {disk:8.1f} ms; runner, keeper and server make about thirteen per bot")


def bare(site: Whole, tasks: int) -> float:
    """Bots per second of a pool that keeps nothing."""
    command = [str(site.python), str(site.folder / "bench" / "bot.py"), "server"]

    def one(number: int) -> None:
        subprocess.run([*command, f"bare-{number}"], stdin=subprocess.DEVNULL, capture_output=True, check=True)

    began = time.time()
    with ThreadPoolExecutor(SLOTS) as pool:
        list(pool.map(one, range(tasks)))
    return tasks / (time.time() - began)


def ours(site: Whole, tasks: int) -> Round:
    created = [site.create()[0] for _ in range(tasks)]
    server = site.server_seconds()
    with site.runner("--slots", str(SLOTS)) as runner:
        process = psutil.Process(runner.pid)
        ended = [site.ended(task, 600, look_seconds=1).ended_at for task in reversed(created)]
        runner_seconds = sum(process.cpu_times()[:4])
    begun = site.begun()
    first = min(begun[str(task)] for task in created)
    last = max(at.timestamp() for at in ended if at)
    return Round(
        rate=(tasks - 1) / (last - first),
        server_seconds=(site.server_seconds() - server) / tasks,
        runner_seconds=runner_seconds / tasks,
    )


def show(tasks: int, pairs: list[tuple[float, Round]]) -> None:
    ratio = statistics.median(mine.rate / plain for plain, mine in pairs)
    rates = statistics.median(plain for plain, _ in pairs), statistics.median(mine.rate for _, mine in pairs)
    print(f"{tasks} bots, {SLOTS} at a time, {len(pairs)} rounds in turn")
    print(f"  bare pool of {SLOTS} threads   {rates[0]:8.1f} bots/s")
    print(f"  runner with {SLOTS} slots      {rates[1]:8.1f} bots/s")
    print(f"  ratio                    {ratio:8.2f}   (goal: {GOAL})")
    for name in ("server_seconds", "runner_seconds"):
        each = statistics.median(getattr(mine, name) for _, mine in pairs)
        print(f"  processor, {name.split('_')[0]}        {each * 1000:8.1f} ms per bot")


if __name__ == "__main__":
    main()
