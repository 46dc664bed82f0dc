"""The whole test suite, part by part, each with its budget in minutes; then the short round against built wheels.

    python3 dev.py test              everything that continuous integration runs
    python3 dev.py test --long       also the full rounds, marked ``long``
    python3 dev.py test --only web   one part (may be repeated); what follows ``--`` goes to pytest

As root on Debian, missing programs are installed through apt. Elsewhere the tests that need them are skipped, and it
is said what is missing; in continuous integration (``CI`` is set) a missing program is a failure.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import programs
import wheels
from workshop import ROOT, say, status_of


@dataclass(frozen=True, kw_only=True)
class Part:
    """``paths`` are skipped where they do not exist; ``marks`` is pytest's ``-m`` expression.

    ``workers``: so many processes share the part, file by file. For tests that need nothing but their own fixtures.
    """

    name: str
    budget_minutes: float
    paths: tuple[str, ...]
    marks: str = ""
    workers: int = 1


# What each part may take on two cores; with the wheels it comes to the 25 minutes that a run may take in all.
PARTS = (
    Part(
        name="core",
        budget_minutes=2.8,
        paths=("tests",),
        marks="not end_to_end and not browser and not example and not chaos",
        workers=2,
    ),
    Part(name="command", budget_minutes=0.5, paths=("plugins/command/tests",)),
    Part(name="python", budget_minutes=1, paths=("plugins/python/tests",), workers=2),
    Part(name="java", budget_minutes=1.2, paths=("plugins/java/tests",), workers=2),
    Part(name="javascript", budget_minutes=1, paths=("plugins/javascript/tests",), workers=2),
    Part(name="notify", budget_minutes=0.5, paths=("plugins/notify/tests",)),
    Part(name="web", budget_minutes=6.5, paths=("web/tests",), marks="not browser", workers=2),
    Part(name="browser", budget_minutes=1.5, paths=("web/tests", "tests"), marks="browser"),
    Part(name="runner", budget_minutes=2.5, paths=("runner/tests",), workers=2),
    Part(name="example plugin", budget_minutes=0.8, paths=("tests",), marks="example"),
    Part(name="chaos", budget_minutes=4, paths=("tests/chaos",), marks="chaos", workers=2),
    Part(name="end to end", budget_minutes=4.5, paths=("tests",), marks="end_to_end and not browser"),
)
WHEELS_MINUTES = 2.0
NOTHING_COLLECTED = 5
"""pytest's exit status when no test was chosen."""


@dataclass(frozen=True, kw_only=True)
class Result:
    name: str
    budget_minutes: float
    minutes: float
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    well: bool = True


def main(arguments: list[str]) -> int:
    options, for_pytest = parse(arguments)
    missing = programs.install_missing()
    for program in missing:
        say(f"missing: {program.name} ({program.needed_by}); install with: {program.hint}")
    if missing and programs.in_ci():
        say("in continuous integration a missing program is a failure")
        return 1
    chosen = [part for part in PARTS if not options.only or part.name in options.only]
    results = [run(part, options, for_pytest) for part in chosen]
    if not options.only or "wheels" in options.only:
        results.append(run_wheels())
    return report(results)


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    ours, _, for_pytest = "\0".join(arguments).partition("\0--\0")
    parser = argparse.ArgumentParser(prog="dev.py test", description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="also the full rounds")
    names = [*(part.name for part in PARTS), "wheels"]
    parser.add_argument("--only", action="append", choices=names, default=[], help="one part; may be repeated")
    return parser.parse_args([text for text in ours.split("\0") if text]), [
        text for text in for_pytest.split("\0") if text
    ]


def run(part: Part, options: argparse.Namespace, for_pytest: Sequence[str]) -> Result:
    paths = [path for path in part.paths if any((ROOT / path).rglob("test_*.py"))]
    marks = " and ".join(filter(None, [part.marks, "not wheel", "" if options.long else "not long"]))
    with tempfile.TemporaryDirectory(prefix="bottool-test-") as folder:
        counted = Path(folder) / "counted.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-ra", "--durations=5", f"--junitxml={counted}"]
        command += ["-n", str(part.workers), "--dist=loadfile"] if part.workers > 1 else []
        command += ["-m", marks, *for_pytest, *paths]
        started = time.monotonic()
        status = status_of(part.name, command) if paths else NOTHING_COLLECTED
        minutes = (time.monotonic() - started) / 60
        return count(part.name, part.budget_minutes, minutes, is_well(status), counted)


def is_well(status: int) -> bool:
    """Choosing no test at all is well on a laptop; in continuous integration every part has tests to run."""
    return status == 0 or (status == NOTHING_COLLECTED and not programs.in_ci())


def run_wheels() -> Result:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bottool-test-") as folder:
        counted = Path(folder) / "counted.xml"
        well = wheels.main([f"--junitxml={counted}"]) == 0
        return count("wheels", WHEELS_MINUTES, (time.monotonic() - started) / 60, well, counted)


def count(name: str, budget_minutes: float, minutes: float, well: bool, counted: Path) -> Result:
    """Read pytest's own count."""
    passed = failed = skipped = 0
    if counted.exists():
        for suite in ET.parse(counted).getroot().iter("testsuite"):  # noqa: S314 - pytest wrote it just now
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
            passed += int(suite.get("tests", 0))
        passed -= failed + skipped
    return Result(
        name=name,
        budget_minutes=budget_minutes,
        minutes=minutes,
        passed=passed,
        failed=failed,
        skipped=skipped,
        well=well,
    )


def report(results: Sequence[Result]) -> int:
    """Print the budget table and the count; returns the exit status."""
    say()
    say(f"{'part':<14} {'budget':>8} {'actual':>8} {'passed':>7} {'failed':>7} {'skipped':>8}")
    for result in results:
        over = "  over budget" if result.minutes > result.budget_minutes else ""
        trouble = "" if result.well else "  FAILED"
        say(
            f"{result.name:<14} {result.budget_minutes:>4.1f} min {result.minutes:>4.1f} min"
            f" {result.passed:>7} {result.failed:>7} {result.skipped:>8}{over}{trouble}"
        )
    budget, actual = sum(result.budget_minutes for result in results), sum(result.minutes for result in results)
    say(f"{'in all':<14} {budget:>4.1f} min {actual:>4.1f} min")
    say()
    passed, failed = sum(result.passed for result in results), sum(result.failed for result in results)
    not_well = [result.name for result in results if not result.well]
    if not_well:
        say(f"test failed: {', '.join(not_well)}")
    say(f"{passed} passed, {failed} failed, {sum(result.skipped for result in results)} skipped")
    return 1 if not_well or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
