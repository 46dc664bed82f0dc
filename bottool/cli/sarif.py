"""Problems as SARIF 2.1.0, which code hosts and editors show beside the lines; no network, no machine's own paths."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bottool import __version__
from bottool.bot_toml import FILE_NAME
from bottool.model import Problem, Severity
from bottool.pages import Page, page_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FALLBACKS = (FILE_NAME, "bot.py", "main.py", "package.json", "pom.xml", "requirements.txt")
"""Where a problem of the whole bot is shown: some readers refuse a result without a place."""


def log_of(found: Mapping[Path, Iterable[Problem]], root: Path) -> dict[str, Any]:
    """The whole file; ``found`` are problems by their bot's folder, paths count from ``root``."""
    problems = [(folder, problem) for folder, each in found.items() for problem in each]
    codes = sorted({problem.code for _, problem in problems})
    worst = {problem.code: problem.severity for _, problem in problems}
    worst |= {problem.code: problem.severity for _, problem in problems if problem.severity is Severity.ERROR}
    driver = {"name": "bottool", "version": __version__, "rules": [_rule(code, worst[code]) for code in codes]}
    results = [_result(problem, codes, folder, root) for folder, problem in problems]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, severity: Severity) -> dict[str, Any]:
    page = page_of(code) or Page(code=code, name="", text=f"# {code}\n\n{code}\n")
    return {
        "id": code,
        "shortDescription": {"text": page.summary},
        "help": {"text": page.text, "markdown": page.text},
        "defaultConfiguration": {"level": _level(severity)},
    }


def _result(problem: Problem, codes: list[str], folder: Path, root: Path) -> dict[str, Any]:
    hint = f"; {problem.hint}" if problem.hint else ""
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem, folder, root)}}
    if problem.line is not None:
        place["region"] = {"startLine": max(1, problem.line)}
    return {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": _level(problem.severity),
        "message": {"text": f"{problem.message}{hint}"},
        "locations": [{"physicalLocation": place}],
    }


def _uri(problem: Problem, folder: Path, root: Path) -> str:
    """Relative to ``root``, with what a web address may not hold written in its own way."""
    inside = folder.relative_to(root).as_posix() if folder.is_relative_to(root) else "."
    name = problem.path or next((each for each in _FALLBACKS if (folder / each).is_file()), FILE_NAME)
    return quote(name if inside == "." else f"{inside}/{name}", errors="surrogateescape")


def _level(severity: Severity) -> str:
    return "error" if severity is Severity.ERROR else "warning"
