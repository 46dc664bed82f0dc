"""Formatter, linter, types and architecture. Every step runs, so that one call tells all that is wrong.

``--fix`` lets the formatter and the linter change what they safely can.
"""

import sys

from workshop import say, step

RULES = ["tests/test_architecture.py", "tests/test_packaging.py", "tests/test_documented.py"]


def main(arguments: list[str]) -> int:
    python = [sys.executable, "-m"]
    if "--fix" in arguments:
        step("fix what is safe", [*python, "ruff", "check", "--fix", "--quiet", "."])
        step("format", [*python, "ruff", "format", "."])
    steps = {
        "formatter": [*python, "ruff", "format", "--check", "."],
        "linter": [*python, "ruff", "check", "."],
        "types": [*python, "mypy"],
        "architecture, packaging, documents": [*python, "pytest", "-q", *RULES],
    }
    failed = [title for title, command in steps.items() if not step(title, command)]
    say(f"check failed: {', '.join(failed)}" if failed else "check passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
