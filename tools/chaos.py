"""The long round of chaos: a real installation is killed, cut off and lied to, and the history of it is checked.

    python3 dev.py chaos --kills 10000                  ends with 1 when a promise was broken
    python3 dev.py chaos --kills 1000 --seed 7 --database postgresql
    python3 dev.py chaos --check FOLDER                 check a history that was kept once more

The work is split into rounds, each with an installation and a seed of its own. A round that broke a promise keeps its
folder, and its seed draws the same faults again; what they hit depends on the machine's own timing.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from workshop import ROOT, say

sys.path.insert(0, str(ROOT / "tests" / "chaos"))

from nemesis import history
from nemesis.checker import check, count
from nemesis.rounds import Done, Plan, run
from nemesis.told import summary

KILLS_A_ROUND = 500


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    if options.check:
        return check_again(options.check)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bottool-chaos-"))
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    say(f"seed {seed}, {options.database}, histories in {folder}")
    done = torment(options, folder, seed)
    for line in summary(done):
        say(line)
    bad = [each for each in done if each.violations]
    say(f"seed {seed}: " + (f"{len(bad)} of {len(done)} rounds broke a promise" if bad else "every promise was kept"))
    return 1 if bad else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="dev.py chaos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=1000, help="end after so many (1000)")
    parser.add_argument("--seconds", type=float, default=12 * 3600, help="or after so long")
    parser.add_argument("--seed", type=int, help="a number that draws the faults; printed when it is not given")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--machines", type=int, default=3, help="how many runners (3)")
    parser.add_argument("--every", type=float, default=0.12, help="mean pause between two faults in seconds (0.12)")
    parser.add_argument("--folder", type=Path, help="where histories go")
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="only check the history in this folder")
    return parser.parse_args(arguments)


def torment(options: argparse.Namespace, folder: Path, seed: int) -> list[Done]:
    done: list[Done] = []
    began = time.monotonic()
    while (kills := sum(each.kills for each in done)) < options.kills:
        left_seconds = options.seconds - (time.monotonic() - began)
        if left_seconds <= 0:
            break
        place = folder / f"round-{len(done) + 1}"
        plan = Plan(
            seed=seed + len(done),
            kills=min(KILLS_A_ROUND, options.kills - kills),
            seconds=left_seconds,
            database=options.database,
            machines=options.machines,
            every=options.every,
        )
        say(f"round {len(done) + 1}, seed {plan.seed}")
        done.append(run(place, plan, say))
        for violation in done[-1].violations:
            say(f"  {violation}")
        if not done[-1].violations:
            shutil.rmtree(place, ignore_errors=True)
    return done


def check_again(folder: Path) -> int:
    found = history.load(folder)
    violations = check(found)
    for violation in violations:
        say(str(violation))
    say(str(count(found, violations)))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
