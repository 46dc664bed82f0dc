"""What packing costs against ``zip -r``, and what a build of an untouched folder costs against looking at its files.

    python benchmarks/packing.py [--rounds 5]

Two generated trees, the same in every run: 300 files of 23 MB and 10,000 files of 100 MB, of texts, tables, pictures
and programs in a bot's usual mix. Both sides in turn, from a warm cache; the medians and their ratio count. Where
``zip`` is not installed, its rows are missing and that is said.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from bottool import archive
from bottool.build import build
from bottool.model import Project
from bottool.plugins import Plugins
from bottool.project import find

TREES = {"300 files, 23 MB": (300, 23_000_000), "10,000 files, 100 MB": (10_000, 100_000_000)}
WORDS = (
    "invoice",
    "customer",
    "total",
    "amount",
    "date",
    "number",
    "status",
    "payment",
    "order",
    "bot",
    "browser",
    "wait",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    zip_program = shutil.which("zip")
    if zip_program is None:
        print("'zip' is not installed: no comparison with 'zip -rqX'")
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as scratch:
        for title, (files, size_bytes) in TREES.items():
            folder = Path(scratch) / f"bot-{files}"
            make_tree(folder, files, size_bytes)
            print(f"{title}, {rounds} rounds")
            measure(folder, Path(scratch), zip_program, rounds)


def make_tree(folder: Path, files: int, size_bytes: int) -> None:
    """Half of the bytes are text of three kinds, the other half does not shrink; sizes differ widely."""
    dice = random.Random(files)  # noqa: S311 - the same in every run, nothing secret
    weights = [dice.paretovariate(1.2) for _ in range(files)]
    text = " ".join(dice.choice(WORDS) for _ in range(200_000)).encode()
    rows = "\n".join(f"{n};{dice.choice(WORDS)};{dice.random():.6f};{dice.randrange(10**9)}" for n in range(40_000))
    for number, weight in enumerate(weights):
        size = max(40, min(int(size_bytes * weight / sum(weights)), size_bytes // 12))
        kind = number % 4
        content = random_part(dice, text, size) if kind == 0 else random_part(dice, rows.encode(), size)
        if kind >= 2:
            content = dice.randbytes(size)
        path = folder / f"part{number // 100:03}" / f"file {number}.{('txt', 'csv', 'png', 'xlsx')[kind]}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "bot.py").write_text("print('hello')\n", "utf-8")


def random_part(dice: random.Random, text: bytes, size: int) -> bytes:
    start = dice.randrange(len(text))
    return ((text[start:] + text) * (size // len(text) + 1))[:size]


def measure(folder: Path, scratch: Path, zip_program: str | None, rounds: int) -> None:
    plugins = Plugins.load()
    project = find(folder, plugins)
    ours, theirs, out = scratch / "ours.zip", scratch / "theirs.zip", scratch / "out"
    cache = scratch / f"cache-{folder.name}"

    def pack() -> None:
        pack_all(project, ours)

    def zip_them() -> None:
        theirs.unlink(missing_ok=True)
        subprocess.run([str(zip_program), "-rqX", str(theirs), "."], cwd=folder, check=True)

    def build_anew() -> None:
        command = [sys.executable, "-P", "-m", "bottool", "build", str(folder), "--fresh", "--out", str(out)]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "BOTTOOL_CACHE": str(cache)})

    def build_untouched() -> None:
        assert build(plugins, project, out, cache=cache).up_to_date, "the folder was built anew"

    build(plugins, project, out, cache=cache)
    # What was just written is not trusted by its times alone; once looked at, it is.
    time.sleep(3)
    build_untouched()
    sides = {
        "walk": lambda: stat_walk(folder),
        "untouched": build_untouched,
        "ours": pack,
        **({"zip": zip_them} if zip_program else {}),
        "process": build_anew,
    }
    taken = in_turn(sides, rounds)
    compare("packing", taken, "ours", "zip", "zip -rqX")
    compare("bottool build, the whole process", taken, "process", "zip", "zip -rqX")
    compare("untouched", taken, "untouched", "walk", "a walk with stat")
    if zip_program:
        assert packed_files(ours) == packed_files(theirs), "both sides must pack the same"
        ratio = ours.stat().st_size / theirs.stat().st_size
        print(f"  size: ours {ours.stat().st_size / 1e6:.2f} MB, zip {theirs.stat().st_size / 1e6:.2f} MB: {ratio:.3f}")


def pack_all(project: Project, target: Path) -> None:
    """What a language does to pack: find the files, pack them with their hashes."""
    entries: dict[str, Path | bytes] = dict(archive.source_files(project.folder, project.exclude).files)
    archive.pack_zip(target, entries, manifest=archive.manifest(project, entry="bot.py"))


def packed_files(path: Path) -> dict[str, int]:
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        return {
            each.filename: each.CRC
            for each in packed.infolist()
            if not each.is_dir() and each.filename != "bottool.json"
        }


def stat_walk(folder: Path) -> None:
    for here, _, names in os.walk(folder):
        for name in names:
            os.stat(f"{here}/{name}")  # noqa: PTH116 - the bare walk, without what a Path costs


def in_turn(sides: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds + 1):
        for name, run in sides.items():
            began = time.perf_counter()
            run()
            if turn:  # the first round warms the cache
                taken[name].append(time.perf_counter() - began)
    return taken


def compare(what: str, taken: dict[str, list[float]], ours: str, theirs: str, peer: str) -> None:
    own = statistics.median(taken[ours])
    if theirs not in taken:
        print(f"  {what}: {own * 1000:.0f} ms")
        return
    ratio = statistics.median(mine / other for mine, other in zip(taken[ours], taken[theirs], strict=True))
    print(f"  {what}: {own * 1000:.0f} ms; {peer}: {statistics.median(taken[theirs]) * 1000:.0f} ms; ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
