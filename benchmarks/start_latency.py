"""From a task that was created to the first line of its bot, over a bare start of the same bot: what is added?

    python benchmarks/start_latency.py                  60 tasks, 0.3 s apart
    python benchmarks/start_latency.py --phases         and where the time goes

An idle runner with its package and environment in the cache; everything durable. The time counts from the moment when
the client has the server's answer. The bare side starts the same file with the same interpreter from a plain
``Popen``. They take turns, so that a loaded machine loads both. Goal: at most 15 ms more at the median, 40 ms at the
95th percentile. The absolute times belong to the machine.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from whole import Whole, lasting_ms, percentile, wait_for_runner, whole

MEDIAN_MS, P95_MS = 15.0, 40.0
FILES = ("work.json", "keeper.pid", "ready", "intent", "start.ticket", "started")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=60)
    parser.add_argument("--phases", action="store_true", help="also say when each file of the attempt was there")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder, whole(Path(folder)) as site:
        # The bot waits a moment, so that its attempt's files can be looked at.
        site.deploy("time.sleep(1)" if given.phases else "")
        with site.runner():
            wait_for_runner(site)
            wait_for_runner(site)
            measure(site, given.tasks, phases=given.phases)


def measure(site: Whole, tasks: int, *, phases: bool) -> None:
    bare, ours, seen = [], [], []
    for number in range(tasks):
        bare.append(bare_start(site, f"bare-{number}"))
        time.sleep(0.3)
        seconds, files = one_task(site, phases=phases)
        ours.append(seconds)
        seen.append(files)
    print(f"{tasks} tasks one at a time, a bare start of the same bot before each")
    print(f"  {'':24} {'median':>8} {'p95':>8}  (ms)")
    for name, values in (("bare start", bare), ("created → first line", ours)):
        print(f"  {name:24} {statistics.median(values) * 1000:8.1f} {percentile(values, 0.95) * 1000:8.1f}")
    more = (statistics.median(ours) - statistics.median(bare)) * 1000
    more_p95 = (percentile(ours, 0.95) - percentile(bare, 0.95)) * 1000
    print(f"  {'more':24} {more:8.1f} {more_p95:8.1f}   (goal: {MEDIAN_MS:.0f}, {P95_MS:.0f})")
    print(f"  one lasting write on this disk, now: {lasting_ms(site.folder):.1f} ms; a start has seven in a row")
    if phases:
        for name in FILES:
            times = [files[name] for files in seen if name in files]
            print(f"    {name:22} {statistics.median(times) * 1000:8.1f}" if times else f"    {name:22} not seen")


def bare_start(site: Whole, name: str) -> float:
    began = time.time()
    subprocess.run(
        [site.python, site.folder / "bench" / "bot.py", "server", name],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return site.begun()[name] - began


def one_task(site: Whole, *, phases: bool) -> tuple[float, dict[str, float]]:
    task, created = site.create()
    files: dict[str, float] = {}
    if phases:
        folder = site.attempts / f"{task}-1"
        while not (folder / "started").exists():
            time.sleep(0.02)
        files = {path.name: path.stat().st_mtime - created for path in folder.glob("*") if path.is_file()}
    site.ended(task)
    return site.begun()[str(task)] - created, files


if __name__ == "__main__":
    main()
