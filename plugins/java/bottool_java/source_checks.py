"""Looks into the sources of a Java bot for what would stop it where nobody sits. Reads text, runs nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bottool.model import Problem, Project, Severity

_MOST_FILES = 2000
_LIMIT_BYTES = 500_000
_ENDINGS = (".java", ".kt", ".groovy", ".scala")
_NOT_SEARCHED = frozenset({".git", "target", "build", "node_modules", ".gradle", ".idea", "test"})
_MAIN = re.compile(
    rb"\bstatic\s+void\s+main\s*\(|\bvoid\s+main\s*\(|\bfun\s+main\s*\(|\bdef\s+main\s*\(|extends\s+App\b"
)
_COMMENT = re.compile(r"//[^\n\"]*$|/\*.*?\*/", re.DOTALL | re.MULTILINE)
_PROMPT = re.compile(
    r"new\s+Scanner\s*\(\s*System\s*\.\s*in\b|InputStreamReader\s*\(\s*System\s*\.\s*in\b|System\s*\.\s*console\s*\(\)|JOptionPane\s*\.\s*show(?:Input|Confirm)Dialog"
)
_DISPLAY = re.compile(
    r"\bextends\s+DesktopBot\b|\bnew\s+DesktopBot\b|\bjava\.awt\.Robot\b|\bnew\s+Robot\s*\(|\bJOptionPane\s*\.\s*show"
)
_SDK = re.compile(r"\bBotMaestroSDK\b")
_REPORTS_BY_ITSELF = re.compile(r"\b(BotExecutor|RunnableAgent)\b")
_WEB_SERVER = re.compile(r"@(RestController|Controller)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    name: str
    text: str

    def first(self, pattern: re.Pattern[str]) -> int | None:
        found = pattern.search(self.text)
        return self.text.count("\n", 0, found.start()) + 1 if found else None


def source_paths(folder: Path) -> Iterator[Path]:
    """The files with a bot's own code, without its tests; at most so many that it stays quick."""
    waiting = [folder]
    found = 0
    while waiting and found < _MOST_FILES:
        try:
            entries = sorted(waiting.pop().iterdir())
        except OSError:
            continue
        for path in entries:
            if path.is_symlink():
                continue
            if path.suffix in _ENDINGS and path.is_file():
                found += 1
                yield path
            elif path.is_dir() and path.name not in _NOT_SEARCHED:
                waiting.append(path)


def has_main(folder: Path) -> bool:
    """True when some class can be started."""
    return any(_MAIN.search(_bytes(path)) for path in source_paths(folder))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LIMIT_BYTES)
    except OSError:
        return b""


def problems_of(project: Project) -> Iterator[Problem]:
    """Warnings: what is seen in a text may never be run."""
    sources = [_source(path, project.folder) for path in source_paths(project.folder)]
    for source in sources:
        yield from _alone(source)
    yield from _together(sources)


def _source(path: Path, folder: Path) -> _Source:
    text = _bytes(path).decode("utf-8", errors="replace")
    # Comments go, their lines stay.
    text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    return _Source(name=path.relative_to(folder).as_posix(), text=text)


def _alone(source: _Source) -> Iterator[Problem]:
    if (line := source.first(_PROMPT)) is not None:
        yield _warning(
            "prompts",
            "asks for input, but nobody sits before a runner",
            "read it from the task's parameters",
            source,
            line,
        )
    if (line := source.first(_DISPLAY)) is not None:
        yield _warning(
            "needs_display",
            "needs a display",
            "run it where somebody is signed in, or on a runner with a virtual display",
            source,
            line,
        )


def _together(sources: list[_Source]) -> Iterator[Problem]:
    texts = [each.text for each in sources]
    if any("SpringApplication" in text for text in texts):
        for source in sources:
            if (line := source.first(_WEB_SERVER)) is not None:
                hint = "a bot does its work and ends; call System.exit(SpringApplication.exit(context)) when it is done"
                yield _warning(
                    "web_application", "answers web requests, and so never ends by itself", hint, source, line
                )
                break
    if any("finishTask" in text or _REPORTS_BY_ITSELF.search(text) for text in texts):
        return
    for source in sources:
        if (line := source.first(_SDK)) is not None:
            hint = "call finishTask at the end, so that the task says what was done"
            yield _warning("never_finishes", "uses BotMaestroSDK, but finishTask is never called", hint, source, line)
            return


def _warning(code: str, message: str, hint: str, source: _Source, line: int) -> Problem:
    return Problem(severity=Severity.WARNING, code=code, message=message, hint=hint, path=source.name, line=line)
