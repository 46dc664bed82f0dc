"""Reads requirements the way they are found: any encoding, any line ends, with options, included files and links.

The result is flat and clean: included files are taken in, comments are gone, editable installs are plain ones. That
text is what is installed and what an environment depends on; ``problems`` say with file and line what is wrong.

Source: the requirements file format, pip's documentation.
"""

import codecs
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bottool.model import Dependency, Problem, Severity
from bottool_python import metadata
from bottool_python.layout import Options
from bottool_python.tree import Tree

FILE = "requirements.txt"
_MAX_LINES = 50_000
# The 32-bit marks begin with the 16-bit ones.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint)[\s=]*(.+)")
_EDITABLE = re.compile(r"(-e|--editable)[\s=]+")
_LINK = re.compile(r"\w[\w+.-]*:.|\.{0,2}[/\\]|\.{1,2}$|[A-Za-z]:[\\/]|.*\.(whl|tar\.gz|zip)$")
_NAMED_LINK = re.compile(r"#(?:.*&)?egg=([\w.-]+)|([\w.]+)-\d[^/\\]*\.whl$")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
WINDOWS_ONLY = frozenset(
    {"comtypes", "pypiwin32", "pywin32", "pywinauto", "pywinpty", "uiautomation", "win10toast", "winshell", "wmi"}
)
"""Distributions of no use elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One logical line without its comment; ``number`` counts from 1, ``0`` where a file has no lines to name."""

    text: str
    path: str
    number: int = 0

    def problem(self, severity: Severity, code: str, message: str, hint: str = "") -> Problem:
        return Problem(
            severity=severity, code=code, message=message, hint=hint, path=self.path, line=self.number or None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """``lines`` are requirements and options; ``links`` of them name no package, ``local`` ones lie in the bot."""

    lines: tuple[Line, ...] = ()
    constraints: tuple[Line, ...] = ()
    problems: tuple[Problem, ...] = ()
    parsed: tuple[Requirement, ...] = ()
    links: tuple[str, ...] = ()
    local: bool = False
    path: str = ""
    """The file that they come from, ``""`` when nothing declares any."""

    @property
    def text(self) -> str:
        return _text(self.lines)

    @property
    def options_text(self) -> str:
        """The options among the lines, such as ``--find-links vendor``, without the requirements."""
        return _text(tuple(line for line in self.lines if line.text.startswith("-")))

    def line_of(self, name: str) -> Line | None:
        """The line that requires a distribution by name."""
        wanted = canonicalize_name(name)
        for line in self.lines:
            found = _NAME.match(line.text)
            if found and canonicalize_name(found[0]) == wanted:
                return line
        return None

    @property
    def constraints_text(self) -> str:
        return _text(self.constraints)

    @property
    def names(self) -> frozenset[str]:
        """The required distributions, in the normal form."""
        named = (found[1] or found[2] for found in map(_NAMED_LINK.search, self.links) if found)
        return frozenset(canonicalize_name(name) for name in (*(each.name for each in self.parsed), *named))

    @property
    def has_nameless(self) -> bool:
        """True when something is required of which nobody knows what it brings."""
        return any(not _NAMED_LINK.search(link) for link in self.links)

    @property
    def dependencies(self) -> tuple[Dependency, ...]:
        """With a version where exactly one is pinned."""
        found = {}
        for each in self.parsed:
            pins = [one.version for one in each.specifier if one.operator in {"==", "==="} and "*" not in one.version]
            found[canonicalize_name(each.name)] = pins[0] if len(pins) == 1 else ""
        return tuple(
            Dependency(name=name, version=version, ecosystem="pypi", direct=True)
            for name, version in sorted(found.items())
        )


def read(tree: Tree, options: Options) -> Requirements:
    """What the bot in ``tree`` requires: its requirements file, or what its metadata declare."""
    reading = _Reading(tree=tree)
    path = options.requirements or (FILE if FILE in tree.top else "")
    if path:
        reading.take_file(path, Line(text="", path="bot.toml"))
    else:
        declared = metadata.declared(tree)
        path = declared.path
        for text in declared.lines:
            reading.take(Line(text=text.strip(), path=path, number=_line_number(tree, path, text)))
    if options.constraints:
        reading.take_file(options.constraints, Line(text="", path="bot.toml"), constrain=True)
    return Requirements(
        lines=tuple(reading.lines),
        constraints=tuple(reading.constraints),
        problems=tuple(reading.problems),
        parsed=tuple(reading.parsed),
        links=tuple(reading.links),
        local=reading.local,
        path=path,
    )


def _line_number(tree: Tree, path: str, text: str) -> int:
    """Where a file first writes the text; ``0`` when it writes it in other words."""
    before, found, _ = (tree.read(path) or b"").decode("utf-8", "replace").partition(text)
    return before.count("\n") + 1 if found else 0


@dataclass(kw_only=True)
class _Reading:
    """One reading under way: follows included files, each once, and never out of the tree."""

    tree: Tree
    lines: list[Line] = field(default_factory=list)
    constraints: list[Line] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    parsed: list[Requirement] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    local: bool = False
    seen: set[tuple[str, bool]] = field(default_factory=set)

    def take_file(self, name: str, origin: Line, *, constrain: bool = False) -> None:
        """Take in a file; ``origin`` is the line that names it."""
        path = posixpath.normpath(name.replace("\\", "/"))
        if path.startswith("../") or path == ".." or PurePosixPath(path).is_absolute() or re.match("[A-Za-z]:", path):
            self._wrong(origin, "outside", f"'{name}' lies outside the bot's folder", "put the file into the folder")
            return
        if (path, constrain) in self.seen:
            return
        self.seen.add((path, constrain))
        data = self.tree.read(path)
        if data is None:
            self._wrong(origin, "no_requirements", f"'{name}' is not there, or too large to be a requirements file")
            return
        for line in logical_lines(decode(data), path):
            if len(self.lines) > _MAX_LINES:
                self._wrong(line, "too_many_requirements", f"more than {_MAX_LINES} lines of requirements")
                return
            self.take(line, constrain=constrain)

    def take(self, line: Line, *, constrain: bool = False) -> None:
        include = _INCLUDE.match(line.text)
        if include:
            name = include[2].strip().strip("\"'")
            if "://" in name:
                self._wrong(line, "remote_requirements", f"'{name}' is not in the bot", "put the file into the folder")
            else:
                folder = posixpath.dirname(line.path)
                self.take_file(f"{folder}/{name}" if folder else name, line, constrain=constrain or "-c" in include[1])
            return
        text = _EDITABLE.sub("", line.text)
        (self.constraints if constrain else self.lines).append(Line(text=text, path=line.path, number=line.number))
        if text.startswith("-"):
            # Such as --find-links vendor: a path in the bot, unlike an address.
            self.local = self.local or (text.startswith(("-f", "--find-links")) and "://" not in text)
        elif not constrain:
            self._take_requirement(line, text)

    def _take_requirement(self, line: Line, text: str) -> None:
        # Options of one requirement, such as --hash=sha256:…, stand behind it.
        wanted = re.split(r"\s--?\w", text, maxsplit=1)[0].strip()
        try:
            requirement = Requirement(wanted)
        except (InvalidRequirement, RecursionError) as error:
            if _LINK.match(wanted):
                self.links.append(wanted)
                self.local = self.local or "://" not in wanted
            elif "{{" in wanted or "{%" in wanted:
                self._wrong(line, "template", f"'{wanted}' is part of a template", "make a bot from the template first")
            else:
                what = str(error).splitlines()[0]
                self._wrong(line, "bad_requirement", f"'{wanted}' is no requirement: {what}")
            return
        self.parsed.append(requirement)
        if requirement.url and requirement.url.startswith("file:"):
            self.local = True
        if canonicalize_name(requirement.name) in WINDOWS_ONLY and requirement.marker is None:
            self.problems.append(_windows_only(line, requirement, wanted))

    def _wrong(self, line: Line, code: str, message: str, hint: str = "") -> None:
        self.problems.append(line.problem(Severity.ERROR, code, message, hint))


def _windows_only(line: Line, requirement: Requirement, wanted: str) -> Problem:
    return line.problem(
        Severity.WARNING,
        "windows_only",
        f"'{requirement.name}' is for Windows only; on another system the bot may not install",
        f"""write: {wanted}; sys_platform == "win32\"""",
    )


def decode(data: bytes) -> str:
    """The text of a requirements file by its byte order mark; without one UTF-8, else the Western code page.

    PowerShell's ``pip freeze > requirements.txt`` writes UTF-16 with a mark.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding, "replace")
    if b"\0" in data[:2]:
        # UTF-16 whose mark got lost: no text begins with a character that is none.
        return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def logical_lines(text: str, path: str) -> Iterator[Line]:
    """The lines that say something: continued ones joined, comments and blanks taken off."""
    begun, begun_at = "", 0
    for number, physical in enumerate((*text.splitlines(), ""), 1):
        line = re.sub(r"(^|\s)#.*$", "", physical)
        if line.endswith("\\") and line == physical:
            begun, begun_at = begun + line[:-1], begun_at or number
            continue
        whole = (begun + line).strip()
        if whole:
            yield Line(text=whole, path=path, number=begun_at or number)
        begun, begun_at = "", 0


def _text(lines: tuple[Line, ...]) -> str:
    return "".join(f"{line.text}\n" for line in lines)
