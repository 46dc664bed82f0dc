"""What a fresh working folder costs, of a bot of 10,000 files and 100 MB that this machine has already.

    python benchmarks/working_folder.py                 five rounds, some minutes
    python benchmarks/working_folder.py --folder /mnt   on another disk

In turn, in one run: hard links (which protect nothing: a bot that writes, writes into the cache), a plain copy, and
ours, once with the copy made ahead and once without. Ours includes all that a start does: the note of its use, the look
at the tree, and the look at the copy. What a bot then does to its files is checked against the tree. The disk is left
to settle before each, because a copy that finds it busy waits for it. Only the ratios are worth quoting.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bottool.shelf import About, Shelf, Thing
from bottool.working_folder import make_spare, provide

FILES = 10_000
FILE_BYTES = 10_240
ROUNDS = 5
TREE = Thing("trees", "benchmark")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path, help="Where to work; its disk is measured.")
    parser.add_argument("--busy", action="store_true", help="Do not let the disk settle before each.")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bottool-bench-", dir=said.folder) as folder:
        measure(Path(folder), said.rounds, settles=not said.busy)


def measure(place: Path, rounds: int, *, settles: bool) -> None:
    root = place / "cache"
    tree = Shelf(root).have(TREE, fill, About(label="benchmark"))
    ways: dict[str, Callable[[Path], object]] = {
        "cp -al (hard links)": lambda work: subprocess.run(["cp", "-al", tree, work], check=True),
        "cp -a (copy)": lambda work: subprocess.run(["cp", "-a", tree, work], check=True),
        "bottool, made ahead": lambda work: start(root, work),
        "bottool, not made ahead": lambda work: start(root, work),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            if name.endswith(", made ahead"):
                make_spare(Shelf(root), TREE)
            if settles:
                os.sync()
            taken[name].append(timed(way, place / "work"))
            check(tree, place / "work", is_shared="links" in name)
            shutil.rmtree(place / "work")
    copy = statistics.median(taken["cp -a (copy)"])
    print(f"{FILES:,} files, {FILES * FILE_BYTES // 1_000_000} MB, {rounds} rounds, in turn; medians")
    for name, seconds in taken.items():
        median = statistics.median(seconds)
        print(f"  {name:26}{median:8.3f} s  ({min(seconds):.3f} to {max(seconds):.3f}){copy / median:8.1f} x as fast")


def fill(folder: Path) -> None:
    for number in range(FILES):
        part = folder / f"part {number // 100}"
        part.mkdir(exist_ok=True)
        (part / f"{number}.bin").write_bytes(os.urandom(FILE_BYTES))


def start(root: Path, work: Path) -> None:
    """What ``make_ready`` does for the files, as a process does that has just started."""
    shelf = Shelf(root)
    if shelf.use(TREE) is None:
        raise SystemExit("the tree is damaged")
    provide(shelf, TREE, work)
    shelf.release()


def timed(way: Callable[[Path], object], work: Path) -> float:
    began = time.perf_counter()
    way(work)
    return time.perf_counter() - began


def check(tree: Path, work: Path, *, is_shared: bool) -> None:
    """A bot appends to one of its files; only hard links let that reach the tree."""
    name = "part 7/777.bin"
    before = (tree / name).read_bytes()
    with (work / name).open("ab") as file:
        file.write(b"more")
    assert ((tree / name).read_bytes() != before) == is_shared
    if is_shared:
        found = (work / name).stat()
        os.truncate(tree / name, FILE_BYTES)
        os.utime(tree / name, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert sum(1 for path in work.rglob("*.bin")) == FILES


if __name__ == "__main__":
    main()
