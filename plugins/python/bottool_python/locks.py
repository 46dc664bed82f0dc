"""The lock of a bot: ours, ``requirements.lock``, or the one that the bot's own tool wrote.

A lock of ours begins with a line that tells which Pythons it was made for, so that nothing else need be read to know
what an environment depends on.
"""

import re
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bottool.model import Dependency
from bottool_python import foreign_locks, requirements
from bottool_python.requirements import Requirements
from bottool_python.tree import Tree

FILE = "requirements.lock"
_HEADER = re.compile(r"# Locked by bottool for Python (?P<range>[^;\n]*)(?P<local>; with files of the bot)?\n")
_OWN_PROJECT = re.compile(r"(-e\s+)?file:\.?$|-e\s+\.$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """``text`` is requirement lines with hashes, ``path`` their file; ``problem`` says why it is of no use."""

    path: str
    text: str = ""
    problem: str = ""

    @property
    def all_hashed(self) -> bool:
        return all("--hash=" in line for line in _lines(self.text))

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        found = []
        for line in _lines(self.text):
            try:
                found.append(Requirement(re.split(r"\s--hash", line, maxsplit=1)[0].strip()))
            except (InvalidRequirement, RecursionError):
                continue
        return tuple(found)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(canonicalize_name(each.name) for each in self.requirements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What our lock says of itself: for which Pythons, and whether files of the bot are among the requirements."""

    requires_python: str
    local: bool


def header(text: str) -> Header | None:
    found = _HEADER.match(text)
    return Header(requires_python=found["range"].strip(), local=bool(found["local"])) if found else None


def with_header(text: str, requires_python: str, *, local: bool) -> str:
    return f"# Locked by bottool for Python {requires_python}{'; with files of the bot' if local else ''}\n{text}"


def find(tree: Tree, required: Requirements) -> Locked | None:
    """The lock that counts: ours; else that of the tool whose file declares the requirements; ``None`` without one.

    Beside a ``requirements.txt`` the lock of another tool is not used: nobody knows which of the two is newer.
    """
    if FILE in tree.top:
        text = requirements.decode(tree.read(FILE) or b"").replace("\r\n", "\n")
        lines = [line for line in text.splitlines() if not _OWN_PROJECT.match(line)]
        return Locked(path=FILE, text="".join(f"{line}\n" for line in lines))
    if required.path not in {"", "pyproject.toml"}:
        return None
    name = next((each for each in foreign_locks.FILES if each in tree.top), "")
    if not name:
        return None
    try:
        return Locked(path=name, text=foreign_locks.convert(name, tree.read(name) or b"", required.names))
    except foreign_locks.BadLock as error:
        return Locked(path=name, problem=str(error))


def dependencies(locked: Locked, required: Requirements) -> tuple[Dependency, ...]:
    """All that is locked. A distribution that is there in several versions, by markers, appears with each."""
    found = {}
    for each in locked.requirements:
        pins = [one.version for one in each.specifier if one.operator in {"==", "==="}]
        name = canonicalize_name(each.name)
        found[name, pins[0] if pins else ""] = name in required.names
    return tuple(
        Dependency(name=name, version=version, ecosystem="pypi", direct=direct)
        for (name, version), direct in sorted(found.items())
    )


def _lines(text: str) -> list[str]:
    lines = [line.text for line in requirements.logical_lines(text, FILE)]
    return [line for line in lines if not line.startswith("-")]
