"""What a language's plugin tells of an uploaded package, asked in a child process with little memory and time.

``inspect_package`` is for the server; the module itself, run with ``-m``, is the child. A plugin's code runs in the
child only, and what it answers is cut to size before anything is kept. Nothing of a package is unpacked or run.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bottool_web.package_check import limit_this_process

SECONDS = 60.0
"""The longest that the server's own thread waits for an inspection; an upload waits for less."""
ANSWER_BYTES = 16 * 1024 * 1024
MOST_DEPENDENCIES = 5000
MOST_FINDINGS = 50
TEXT_LENGTH = 300
_BEAT_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A package as the server knows it; ``technology`` as the version was announced."""

    path: Path
    bot_id: str
    version: str
    technology: str
    command: str = ""


class Part(msgspec.Struct, kw_only=True, frozen=True):
    name: str
    version: str = ""
    licence: str = ""
    ecosystem: str = ""
    direct: bool = False


class Told(msgspec.Struct, kw_only=True, frozen=True):
    """The answer. ``state``: ``done``, ``none`` (no plugin here serves the technology) or ``failed``.

    ``obstacle`` says why the package could never start; ``""`` when it has something to start.
    """

    state: str
    language: str = ""
    entry: str = ""
    requires: str = ""
    bot_id: str = ""
    locked: bool = False
    obstacle: str = ""
    findings: list[str] = []
    dependencies: list[Part] = []


def inspect_package(question: Question, seconds: float, ending: threading.Event | None = None) -> Told | None:
    """What is told within ``seconds``; ``None`` when it takes longer, or when ``ending`` is set meanwhile."""
    # Into a file, which has a limit in the child: a pipe could be filled without end.
    with tempfile.TemporaryFile() as answer:
        child = subprocess.Popen(
            # -P: the folder that the server happens to be in has no say in what is imported.
            [sys.executable, "-P", "-m", "bottool_web.package_inspection", *_arguments(question)],
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=subprocess.DEVNULL,
        )
        try:
            if not _ended(child, seconds, ending):
                return None
        finally:
            child.kill()
            child.wait()
        answer.seek(0)
        return _understood(answer.read(ANSWER_BYTES))


def _arguments(question: Question) -> list[str]:
    return [str(question.path), question.bot_id, question.version, question.technology, question.command]


def _ended(child: "subprocess.Popen[bytes]", seconds: float, ending: threading.Event | None) -> bool:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0 and not (ending and ending.is_set()):
        try:
            child.wait(min(left, _BEAT_SECONDS) if ending else left)
        except subprocess.TimeoutExpired:
            continue
        return True
    return False


def _understood(answer: bytes) -> Told:
    try:
        told = msgspec.json.decode(answer, type=Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Told(state="failed", findings=["it could not be inspected: the inspection ended without an answer"])
    findings = [_line(each) for each in told.findings[:MOST_FINDINGS]]
    if len(told.dependencies) > MOST_DEPENDENCIES:
        findings.append(f"only {MOST_DEPENDENCIES} of its {len(told.dependencies)} dependencies are kept")
    return Told(
        state=told.state if told.state in {"done", "none"} else "failed",
        language=_line(told.language),
        entry=_line(told.entry),
        requires=_line(told.requires),
        bot_id=_line(told.bot_id),
        locked=told.locked,
        obstacle=_line(told.obstacle),
        findings=findings,
        dependencies=[_cut(each) for each in told.dependencies[:MOST_DEPENDENCIES] if _line(each.name)],
    )


def _cut(part: Part) -> Part:
    texts = {name: _line(getattr(part, name)) for name in ("name", "version", "licence", "ecosystem")}
    return Part(**texts, direct=part.direct)


def _line(text: str) -> str:
    """One printable line of bounded length; no database takes a lone surrogate or a NUL."""
    plain = "".join(sign for sign in text[: 4 * TEXT_LENGTH] if sign.isprintable())
    return plain if len(plain) <= TEXT_LENGTH else f"{plain[: TEXT_LENGTH - 1]}…"


def _tell(path: str, bot_id: str, version: str, technology: str, command: str) -> dict[str, Any]:
    """In the child: everything but a broken process becomes an answer."""
    from bottool import archive, opening
    from bottool.errors import BottoolError, ProjectError
    from bottool.model import Package
    from bottool.plugins import Plugins
    from bottool.settings import disabled_plugins

    found = Plugins.load(disabled_plugins())
    try:
        language = found.for_technology(technology)
    except ProjectError:
        return {"state": "none"}
    package = Path(path)
    try:
        inspection = opening.inspect(
            found,
            Package(
                path=package,
                bot_id=bot_id,
                version=version,
                language=language.name,
                sha256=archive.sha256_of(package),
                size_bytes=package.stat().st_size,
                manifest=archive.read_manifest(package),
                command=command,
            ),
        )
    except (BottoolError, MemoryError) as error:
        return {"state": "failed", "language": language.name, "findings": [f"it could not be inspected: {error}"]}
    return _told_of(inspection) | {"state": "done", "language": language.name}


def _told_of(inspection: Any) -> dict[str, Any]:
    from bottool.build import described
    from bottool.model import Severity

    worst_first = sorted(inspection.problems, key=lambda each: each.severity is not Severity.ERROR)
    errors = [each for each in worst_first if each.severity is Severity.ERROR]
    # Only what has nothing to start can be said to never start: whether its code compiles depends on the machine.
    stuck = errors[0] if errors and not inspection.entry else None
    hint = f": {stuck.hint}" if stuck and stuck.hint else ""
    return {
        "entry": inspection.entry,
        "requires": inspection.requires,
        "bot_id": inspection.bot_id,
        "locked": inspection.locked,
        "obstacle": f"{described(stuck)}{hint}" if stuck else "",
        "findings": [f"{each.severity}: {described(each)}" for each in worst_first[:MOST_FINDINGS]],
        "dependencies": [
            {name: getattr(each, name) for name in ("name", "version", "licence", "ecosystem", "direct")}
            for each in inspection.dependencies
        ],
    }


def _main(arguments: list[str]) -> None:
    limit_this_process(ANSWER_BYTES)
    # What a plugin prints must not stand in the answer.
    with os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace") as answer:
        sys.stdout = io.StringIO()
        os.dup2(2, 1)
        json.dump(_tell(*arguments), answer, ensure_ascii=False)


if __name__ == "__main__":
    _main(sys.argv[1:])
