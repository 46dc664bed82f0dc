"""Which packages and files the code of a bot asks for, read from its entry on without running it.

Follows relative imports. Code that computes what it loads cannot be followed; ``Found.computed`` says that there is
some. A regular expression is no parser: what is found here is worth a warning, never a refusal.
"""

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bottool_javascript.entry import resolved

_FILE_LIMIT = 2000
_SIZE_LIMIT_BYTES = 2_000_000
_FOLLOWED = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".tsx", ".jsx")
_SOURCES = (".ts", ".tsx", ".mts", ".cts", "/index.ts")
# Comments go, strings stay: each alternative takes a whole string, so that "//" inside one is no comment. Both patterns
# are bounded or run to the end, so that no text costs the square of its length.
_COMMENT_OR_STRING = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)""", re.DOTALL
)
_ASKS = re.compile(
    r"""(?<![\w.$])(?:require(?:\.resolve)?|import)\s*\(\s*(?:(?P<quote>["'`])(?P<called>[^"'`$]+)(?P=quote)|(?P<computed>[^\s"'`)]))"""
    r"""|(?<![\w.$])(?:import|export)\b(?!\s+type\b)[^;"'()]{0,500}?\bfrom\s*["'](?P<named>[^"']+)["']"""
    r"""|(?<![\w.$])import\s*["'](?P<bare>[^"']+)["']"""
)
# As "node -p module.builtinModules" lists them, without their parts and the underscored ones.
_BUILT_IN = frozenset(
    """
    assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel
    dns domain events fs http http2 https inspector module net
    os path perf_hooks process punycode querystring readline repl stream string_decoder
    sys timers tls trace_events tty url util v8 vm wasi
    worker_threads zlib
    """.split()  # noqa: SIM905 - one name per line would fill a page
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One place where code asks for something. ``name`` is a package's name, or a relative path that is not there."""

    name: str
    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    packages: tuple[Asked, ...] = ()
    missing_files: tuple[Asked, ...] = ()
    files: tuple[str, ...] = ()
    """All that is loaded, the entry first."""
    computed: bool = False


def follow(folder: Path, entry: str) -> Found:
    """All that is asked for from ``entry`` on, each name once, where it is asked for first."""
    waiting, seen = [entry], {entry}
    read: list[str] = []
    packages: dict[str, Asked] = {}
    missing: dict[str, Asked] = {}
    computed = False
    while waiting and len(seen) < _FILE_LIMIT:
        here = waiting.pop(0)
        read.append(here)
        for name, line in _asks(folder / here):
            computed = computed or not name
            target = _target(here, name)
            asked = Asked(name=target or _package(name), path=here, line=line)
            if not target:
                packages.setdefault(asked.name, asked)
            elif not (file := _file(target, lambda each: (folder / each).is_file())):
                missing.setdefault(target, asked)
            elif file not in seen and file.endswith(_FOLLOWED):
                seen.add(file)
                waiting.append(file)
    packages.pop("", None)
    return Found(
        packages=tuple(packages.values()), missing_files=tuple(missing.values()), files=tuple(read), computed=computed
    )


def _file(target: str, exists: Callable[[str], bool]) -> str:
    """The file that a path means, in JavaScript or in TypeScript, which writes ``./x.js`` for ``x.ts``."""
    stem = re.sub(r"\.[mc]?js$", "", target)
    return resolved(target, exists) or next((stem + each for each in _SOURCES if exists(stem + each)), "")


def text_of(path: Path) -> str:
    """The file's code without comments, with its lines where they were; empty when it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_SIZE_LIMIT_BYTES)
    except OSError:
        return ""
    return _COMMENT_OR_STRING.sub(lambda match: match[1] or "\n" * match[0].count("\n"), text)


def _asks(path: Path) -> Iterator[tuple[str, int]]:
    """What the file asks for, as it is written, with the line; an empty name for what is computed."""
    text = text_of(path)
    line, counted = 1, 0
    for match in _ASKS.finditer(text):
        line += text.count("\n", counted, match.end())
        counted = match.end()
        yield match["called"] or match["named"] or match["bare"] or "", line


def _target(here: str, name: str) -> str:
    """The path that a relative name means; empty for a package."""
    if not name.startswith("."):
        return ""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(here), name))
    return "" if target.startswith("..") else target


def _package(name: str) -> str:
    """The package of a name such as ``@scope/name/part``; empty for what node brings, and for paths and aliases."""
    parts = name.split("/")
    if name.startswith((".", "/", "#", "node:", "data:", "http:", "https:", "file:")) or parts[0] in _BUILT_IN:
        return ""
    return "/".join(parts[:2]) if name.startswith("@") else parts[0]
