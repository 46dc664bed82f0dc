"""The short round against built wheels: what a user gets, seen from outside the source tree.

Builds a wheel of every distribution, installs them into a fresh environment in a temporary folder, copies the tests
marked ``wheel`` there and runs them with the ``pytest`` script, so that nothing of the tree is importable by accident.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from workshop import ROOT, UV, members, say, step, variables

TESTS = ["tests/test_wheel.py"]


def main(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="bottool-wheels-") as name:
        folder = Path(name)
        wheels = build(folder / "wheels")
        programs = install(folder / "environment", wheels)
        return 0 if run(folder / "round", programs, arguments) else 1


def build(folder: Path) -> list[Path]:
    for member in members():
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
        subprocess.run(command, cwd=member, check=True, stdout=subprocess.DEVNULL)
    wheels = sorted(folder.glob("*.whl"))
    say("built " + ", ".join(wheel.name for wheel in wheels))
    return wheels


def install(environment: Path, wheels: list[Path]) -> Path:
    """Make the environment; returns the folder of its programs."""
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([*UV, "venv", "--quiet", "--python", sys.executable, str(environment)], check=True)
    pip = [*UV, "pip", "install", "--quiet", "--python", str(environment)]
    purposes = ["runtime", "test"] if shutil.which("npm") else ["runtime", "test", "node"]
    files = [part for purpose in purposes for part in ("-r", str(ROOT / "requirements" / f"{purpose}.txt"))]
    subprocess.run([*pip, "--require-hashes", *files], check=True)
    subprocess.run([*pip, "--no-deps", "--no-index", *map(str, wheels)], check=True)
    return programs


def run(folder: Path, programs: Path, arguments: list[str]) -> bool:
    folder.mkdir()
    for test in TESTS:
        shutil.copy(ROOT / test, folder)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = wheel: the short round\nfilterwarnings = error\n")
    outside = variables(PATH=f"{programs}{os.pathsep}{os.environ.get('PATH', '')}", BOTTOOL_SOURCES=str(ROOT))
    pytest = shutil.which("pytest", path=str(programs)) or "pytest"
    options = ["--import-mode=importlib", "-p", "bottool.testing", "-m", "wheel", "--timeout", "300", "-q"]
    return step("wheels", [pytest, *options, *arguments], folder, outside)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
