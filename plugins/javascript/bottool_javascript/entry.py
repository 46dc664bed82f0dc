"""Finds the file with which a Node.js project starts.

The start script counts first, then ``main``, then the usual names. Knows files by name only, so that it serves a
folder, an archive and a project whose output is not there yet.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass

from bottool_javascript.package_json import PackageJson

NAMES = ("index", "app", "bot", "main")
_JS = (".js", ".mjs", ".cjs")
_TS = (".ts", ".mts", ".cts", ".tsx")
_USUAL_TS_FOLDERS = ("", "src/")
_WITH_VALUE = frozenset({"-r", "--require", "--import", "--loader", "--experimental-loader", "--env-file", "-C"})
_STARTERS = frozenset({"node", "nodemon", "ts-node", "ts-node-dev", "tsx", "node.exe"})
_WORD = re.compile(r"""'([^']*)'|"([^"]*)"|(\S+)""")
_SEPARATOR = re.compile(r"&&|\|\||[;|&]")

Exists = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How to start: ``file`` relative to the project, with ``/``. ``dropped`` are arguments a script gives the bot."""

    file: str
    options: tuple[str, ...] = ()
    """For node itself, before the file."""
    dropped: tuple[str, ...] = ()

    @property
    def is_typescript(self) -> bool:
        return self.file.endswith(_TS)


def of_script(script: str) -> Start | None:
    """What a start script such as ``node --max-old-space-size=4096 app.js`` starts, when it starts a file."""
    for part in reversed(_SEPARATOR.split(script)):
        words = ["".join(match) for match in _WORD.findall(part)]
        while words and re.fullmatch(r"cross-env|npx|\w+=\S*", words[0]):
            del words[0]
        if words and words[0] in _STARTERS and (start := _of_arguments(words[1:])):
            return start
    return None


def _of_arguments(words: list[str]) -> Start | None:
    options: list[str] = []
    while words and words[0].startswith("-"):
        options.append(words.pop(0))
        if options[-1] in _WITH_VALUE and words:
            options.append(words.pop(0))
    return Start(file=normal(words[0]), options=tuple(options), dropped=tuple(words[1:])) if words else None


def normal(name: str) -> str:
    """The name with ``/`` and without ``./``; empty when it leads outside."""
    plain = posixpath.normpath(name.replace("\\", "/"))
    outside = plain.startswith(("/", "..")) or plain == "." or re.match(r"[A-Za-z]:", plain)
    return "" if outside else plain


def resolved(name: str, exists: Exists, suffixes: tuple[str, ...] = (*_JS, ".json")) -> str:
    """The file that node would load for ``name``; empty when there is none."""
    if not name:
        return ""
    tries = [name, *(name + suffix for suffix in suffixes), *(f"{name}/index{suffix}" for suffix in suffixes)]
    return next((each for each in tries if exists(each)), "")


def find(package: PackageJson, exists: Exists, chosen: str = "") -> Start | None:
    """The start of a project whose files are there; ``chosen`` is what its owner said, and counts first."""
    scripted = of_script(package.scripts.get("start", ""))
    if chosen:
        # The options of the start script go with its own file only.
        same = scripted is not None and scripted.file == normal(chosen)
        name = resolved(normal(chosen), exists)
        return Start(file=name, options=scripted.options if scripted and same else ()) if name else None
    if scripted and (name := resolved(scripted.file, exists)):
        return Start(file=name, options=scripted.options, dropped=scripted.dropped)
    usual = [normal(package.main), *(base + suffix for base in NAMES for suffix in _JS)]
    found = next((name for each in usual if (name := resolved(each, exists))), "")
    return Start(file=found) if found and not found.endswith(".json") else None


def source_of(package: PackageJson, exists: Exists, chosen: str = "") -> str:
    """The TypeScript file with which a project starts; empty when none is known."""
    scripted = of_script(package.scripts.get("start", ""))
    names = [normal(chosen), scripted.file if scripted else "", normal(package.main)]
    names += [folder + base + suffix for base in NAMES for suffix in _TS for folder in _USUAL_TS_FOLDERS]
    return next((name for name in names if name.endswith(_TS) and exists(name)), "")


def compiled_from(source: str, made: list[str]) -> str:
    """The JavaScript file among ``made`` that a compiler made of ``source``: the one whose path ends most alike."""
    stem = re.sub(r"\.([mc]?)tsx?$", r".\1js", source)
    parts = stem.split("/")
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        fitting = sorted(
            (name for name in made if name == tail or name.endswith(f"/{tail}")), key=lambda name: (len(name), name)
        )
        if fitting:
            return fitting[0]
    return ""


def said_by(package: PackageJson) -> str:
    """Where was looked for the start, for a message."""
    start = package.scripts.get("start")
    scripted = f"its start script is '{start}'" if start else "it has no start script"
    main = f"main is '{package.main}', which is not there" if package.main else "it names no main"
    return f"{scripted}, {main}, and there is no {', '.join(f'{name}.js' for name in NAMES[:-1])} or {NAMES[-1]}.js"
