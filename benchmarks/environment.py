"""What making a Python bot's environment costs, beside Python's own venv and pip; and what an unchanged one costs.

    python benchmarks/environment.py                    three rounds, a minute each

Both sides have their download cache warm and end with compiled bytecode. Ours starts from a package with its lock and
a store in which such an environment was made before; theirs from the requirements. They take turns. Both must hold the
same distributions, and pandas must start in both. Only the ratio is worth quoting.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from bottool import archive
from bottool.model import Installation, Package, Project
from bottool_python.environment import python_of
from bottool_python.language import Python

REQUIREMENTS = ("pandas", "openpyxl", "botcity-framework-web", "botcity-maestro-sdk")
ROUNDS = 3
LIMIT_SECONDS = 300
KEYS = 200
LANGUAGE = Python()
NAMES = (
    "import importlib.metadata as m, re;"
    "print(*sorted({re.sub('[-_.]+', '-', d.metadata['Name']).lower() for d in m.distributions()}))"
)
# Ours has setuptools by the lock, and no pip; venv brings pip.
NOT_COMPARED = {"pip", "setuptools"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder:
        measure(Path(folder), rounds)


def measure(work: Path, rounds: int) -> None:
    installation = a_bot(work)
    theirs_cache = work / "pip cache"
    ours(installation, work / "warm ours")
    theirs(work / "warm theirs", theirs_cache)
    assert distributions(work / "warm ours") == distributions(work / "warm theirs"), "not the same distributions"
    for made in ("warm ours", "warm theirs"):
        check(work / made)
    pairs = []
    for number in range(rounds):
        fast, slow = work / f"ours {number}", work / f"theirs {number}"
        pairs.append((ours(installation, fast), theirs(slow, theirs_cache)))
        assert distributions(fast) == distributions(slow), "not the same distributions"
        check(fast)
        shutil.rmtree(fast)
        shutil.rmtree(slow)
    mine, other = ([pair[side] for pair in pairs] for side in (0, 1))
    print(
        f"{', '.join(REQUIREMENTS)}: {len(distributions(work / 'warm ours'))} distributions, {rounds} rounds, in turn"
    )
    print(
        f"  venv + pip, warm cache           {statistics.median(other):8.2f} s  ({min(other):.2f} to {max(other):.2f})"
    )
    print(f"  bottool, from the lock, warm     {statistics.median(mine):8.2f} s  ({min(mine):.2f} to {max(mine):.2f})")
    print(f"  ratio                            {statistics.median(slow / fast for fast, slow in pairs):8.1f}")
    print(f"  unchanged                        {unchanged(installation) * 1000:8.2f} ms")


def a_bot(work: Path) -> Installation:
    """A package with its lock, unpacked as on a runner."""
    folder = work / "bot"
    folder.mkdir()
    (folder / "bot.py").write_text("import pandas\n", encoding="utf-8")
    (folder / "requirements.txt").write_text("\n".join(REQUIREMENTS) + "\n", encoding="utf-8")
    project = Project(folder=folder, language="python", bot_id="bench", version="1.0.0")
    project = replace(project, lock=LANGUAGE.lock(project))
    path = LANGUAGE.build(project, work)
    package = Package(
        path=path,
        bot_id="bench",
        version="1.0.0",
        language="python",
        sha256=archive.sha256_of(path),
        size_bytes=path.stat().st_size,
    )
    store = work / "store"
    store.mkdir()
    return Installation(package=package, folder=archive.unpack(path, work / "unpacked"), store=store)


def ours(installation: Installation, environment: Path) -> float:
    environment.mkdir()
    began = time.perf_counter()
    LANGUAGE.prepare(installation, environment)
    return time.perf_counter() - began


def theirs(environment: Path, cache: Path) -> float:
    # Python's own base, so that no venv is made from a venv.
    base = Path(sys.base_prefix) / ("python.exe" if sys.platform == "win32" else "bin/python3")
    install = [str(python_of(environment)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    began = time.perf_counter()
    subprocess.run([str(base), "-m", "venv", str(environment)], check=True, timeout=LIMIT_SECONDS)
    subprocess.run([*install, "--cache-dir", str(cache), *REQUIREMENTS], check=True, timeout=LIMIT_SECONDS)
    return time.perf_counter() - began


def distributions(environment: Path) -> set[str]:
    done = subprocess.run(
        [str(python_of(environment)), "-I", "-c", NAMES], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stdout.split()) - NOT_COMPARED


def check(environment: Path) -> None:
    """Pandas starts, and from bytecode that was there before."""
    before = compiled(environment)
    command = [
        str(python_of(environment)),
        "-c",
        "import pandas, openpyxl; print(pandas.DataFrame({'a': [1]}).a.sum())",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "1"
    assert before
    assert compiled(environment) == before, "the interpreter compiled something again"


def compiled(environment: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in environment.rglob("*.pyc")}


def unchanged(installation: Installation) -> float:
    """What a start asks before it uses the environment that is there."""
    taken = []
    for _ in range(KEYS):
        began = time.perf_counter()
        LANGUAGE.environment_key(installation)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
