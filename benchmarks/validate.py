"""What ``bottool validate`` costs as a whole process, beside the bare start of the command line and a bare read.

    python benchmarks/validate.py [--files 200] [--rounds 9]

Writes a Python bot of that many files with code in them, then runs three programs in turn: ``bottool validate``,
the import of ``bottool.cli.main``, and a Python that walks the folder and reads every file. Prints medians and ratios.
All three find their modules compiled, as they are where bottool is installed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bottool.settings import base_variables

READ = (
    "import sys, pathlib\nprint(sum(len(p.read_bytes()) for p in pathlib.Path(sys.argv[1]).rglob('*') if p.is_file()))"
)
SOURCE = '''"""Part {number} of a bot that is measured."""

import json


class Step{number}:
    """Does one of many things."""

    def __init__(self, folder, name="step {number}"):
        self.folder, self.name = folder, name
        self.settings = {{"retries": {number}, "pause": 0.5}}

    def run(self, item):
        text = json.dumps({{"item": item, "name": self.name, "value": item * {number}}})
        if len(text) > 1000:
            print("too long:", self.name, text[:20])
        return text
'''
REPEATED = 6
"""Times that a class is repeated in a file, which makes it about 4 kB."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as work:
        folder = Path(work) / "bot"
        size = write_bot(folder, given.files)
        measure(folder, size, given.files, given.rounds)


def write_bot(folder: Path, files: int) -> int:
    """A bot whose entry imports all its other files; returns their size."""
    (folder / "steps").mkdir(parents=True)
    names = [f"step{number}" for number in range(files - 3)]
    for number, name in enumerate(names):
        (folder / "steps" / f"{name}.py").write_text(SOURCE.format(number=number) * REPEATED, "utf-8")
    (folder / "steps" / "__init__.py").write_text("", "utf-8")
    imports = "".join(f"from steps import {name}\n" for name in names)
    (folder / "bot.py").write_text(f'{imports}\npassword = "{"Xk29" + "!abQ"}"\n', "utf-8")
    (folder / "requirements.txt").write_text("", "utf-8")
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(folder: Path, size: int, files: int, rounds: int) -> None:
    sides = {
        "bottool validate": [sys.executable, "-m", "bottool", "validate", str(folder), "--json"],
        "import of the command line": [sys.executable, "-c", "import bottool.cli.main"],
        "bare read of all files": [sys.executable, "-c", READ, str(folder)],
    }
    modules = str(folder.parent / "compiled")
    compiled = {**base_variables(), "PYTHONPYCACHEPREFIX": modules, "PYTHONDONTWRITEBYTECODE": ""}
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds + 1):
        for name, command in sides.items():
            started = time.perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=compiled)
            times[name].append(time.perf_counter() - started)
            check(name, done.stdout, size)
    print(
        f"{files} files, {size / 1000:.0f} kB; {rounds} rounds in turn after one to warm up; medians of whole processes"
    )
    medians = {name: statistics.median(each[1:]) for name, each in times.items()}
    for name, seconds in medians.items():
        print(f"  {name:28} {seconds * 1000:6.0f} ms   {medians['bottool validate'] / seconds:5.2f}")


def check(name: str, said: str, size: int) -> None:
    """Both sides did the work: the secret was found, every byte was read."""
    if name == "bottool validate":
        assert "secret_in_code" in [each["code"] for each in json.loads(said)["problems"]]
    elif name == "bare read of all files":
        assert int(said) == size


if __name__ == "__main__":
    main()
