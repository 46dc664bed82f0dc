"""What a keeper costs while its bot has fifty processes: memory and processor.

    python benchmarks/keeper_cost.py                    one minute
    python benchmarks/keeper_cost.py --seconds 600      ten minutes

Memory is the PSS, in which pages shared with the nursery count by their share; the nursery's own is told beside it.
Goal: at most 20 MB and 1 % of one core. Linux only.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import psutil
from whole import Whole, whole

PROCESSES = 50
GOAL_MB, GOAL_PERCENT = 20.0, 1.0
BOT = f"""
import subprocess
children = [subprocess.Popen(["sleep", "3600"]) for _ in range({PROCESSES - 1})]
print("ready", flush=True)
time.sleep(3600)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder, whole(Path(folder)) as site:
        site.deploy(BOT)
        with site.runner():
            task = site.create()[0]
            keeper = keeper_of(site, task)
            try:
                measure(keeper, given.seconds)
            finally:
                keeper.terminate()
                site.ended(task)


def keeper_of(site: Whole, task: int) -> psutil.Process:
    """The keeper of that task, once its bot is complete."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            keeper = psutil.Process(json.loads((site.attempts / f"{task}-1" / "keeper.pid").read_bytes())["pid"])
            if len(keeper.children(recursive=True)) == PROCESSES:
                return keeper
        except (OSError, psutil.Error):
            pass
        time.sleep(0.1)
    raise AssertionError("the bot did not get its processes")


def measure(keeper: psutil.Process, seconds: float) -> None:
    time.sleep(2)
    began, used = time.monotonic(), sum(keeper.cpu_times()[:2])
    highest = 0.0
    while (passed := time.monotonic() - began) < seconds:
        highest = max(highest, keeper.memory_full_info().pss / 1e6)
        time.sleep(min(5.0, seconds - passed))
    percent = (sum(keeper.cpu_times()[:2]) - used) / (time.monotonic() - began) * 100
    print(f"keeper of a bot of {PROCESSES} processes, {seconds:.0f} s")
    print(f"  memory (PSS, highest)   {highest:7.1f} MB   (goal: {GOAL_MB:.0f})")
    print(f"  processor               {percent:7.2f} %    (goal: {GOAL_PERCENT:.0f} % of one core)")
    parent = keeper.parent()
    if parent is not None and "bottool_runner.nursery" in parent.cmdline():
        print(f"  the nursery beside it   {parent.memory_full_info().pss / 1e6:7.1f} MB, once per runner")


if __name__ == "__main__":
    main()
