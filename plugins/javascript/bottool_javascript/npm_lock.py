"""Understands npm's lock: which package comes to lie where in ``node_modules``, for one machine and one wish.

Answers only what it is sure of: a lock with anything unusual (workspaces, git, a package for another system that is not
optional) is left to npm. Runs nothing and touches no package.

Source: the lock format of npm 7 and later ("packages"), and what ``npm ci`` makes of it.
"""

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bottool_javascript import ranges

_NAME = r"(?:@(?!\.)[\w.~-]+/)?(?!\.)[\w.~-]+"
_PLACE = re.compile(rf"node_modules/{_NAME}(?:/node_modules/{_NAME})*")
_HASHES = re.compile(
    r"sha(?:1|256|384|512)-[A-Za-z0-9+/]{20,}={0,2}(?:\s+sha(?:1|256|384|512)-[A-Za-z0-9+/]{20,}={0,2})*"
)
_BIN_NAME = re.compile(r"[\w.@~-]+")
_ROOT_PARTS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_FORMATS = (2, 3)

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a lock may ask about: as ``process.platform``, ``process.arch`` and ``process.version`` say it."""

    system: str
    processor: str
    libc: str
    """``glibc``, ``musl`` or empty."""
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One folder below ``node_modules``: ``path`` starts with that word. ``bins`` are names of programs, with files.

    ``entry`` is what the lock says of it. What is ``bundled`` comes with the archive of the package around it.
    """

    path: str
    name: str
    entry: Entry = field(repr=False)
    bins: Mapping[str, str] = field(default_factory=dict)
    bundled: bool = False

    @property
    def version(self) -> str:
        return str(self.entry.get("version", ""))

    @property
    def integrity(self) -> str:
        return str(self.entry.get("integrity", ""))

    @property
    def has_script(self) -> bool:
        return self.entry.get("hasInstallScript") is True


class Unusual(Exception):
    """The lock holds something that only npm should decide."""


def places(lock: bytes, package: Entry, machine: Machine, *, dev: bool) -> tuple[Place, ...] | None:
    """What ``npm ci`` would lay where, as the lock has it sorted; ``None`` when npm should be asked.

    ``package`` is the whole ``package.json``: a lock that does not belong to it is npm's to refuse.
    """
    try:
        entries = _entries(lock, package)
        kept = {path: entry for path, entry in entries.items() if path and (dev or entry.get("dev") is not True)}
        for path in _left_out(entries, kept, machine):
            del kept[path]
        return tuple(_made_of(kept))
    except Unusual:
        return None


def _entries(lock: bytes, package: Entry) -> dict[str, Entry]:
    try:
        said = json.loads(lock.decode("utf-8-sig"))
        entries = said["packages"]
        if said["lockfileVersion"] not in _FORMATS or not all(isinstance(each, dict) for each in entries.values()):
            raise Unusual
        root = entries[""]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unusual from error
    if "workspaces" in root or any((root.get(part) or {}) != (package.get(part) or {}) for part in _ROOT_PARTS):
        raise Unusual
    return dict(entries)


def _made_of(kept: Mapping[str, Entry]) -> Iterator[Place]:
    programs: set[str] = set()
    for path, entry in kept.items():
        bundled = entry.get("inBundle") is True
        if not _PLACE.fullmatch(path) or entry.get("link") or not (bundled or _is_checked(entry)):
            raise Unusual
        folder, _, own = path.rpartition("node_modules/")
        bins = _bins(entry)
        names = {f"{folder}{name}" for name in bins}
        if names & programs:
            # Which of two programs of one name wins is npm's to say.
            raise Unusual
        programs |= names
        yield Place(path=path, name=str(entry.get("name") or own), entry=entry, bins=bins, bundled=bundled)


def _is_checked(entry: Entry) -> bool:
    """True when npm holds what it fetches against a checksum: it passes over words that are none, and over git's."""
    hashes, source = entry.get("integrity"), entry.get("resolved", "")
    return isinstance(hashes, str) and _HASHES.fullmatch(hashes) is not None and not str(source).startswith("git")


def _bins(entry: Entry) -> dict[str, str]:
    said = entry.get("bin") or {}
    if not isinstance(said, dict):
        raise Unusual
    found = {name: posixpath.normpath(str(file)) for name, file in said.items()}
    if any(not _BIN_NAME.fullmatch(name) or file.startswith(("/", "..")) for name, file in found.items()):
        raise Unusual
    return found


def _left_out(entries: Mapping[str, Entry], kept: Mapping[str, Entry], machine: Machine) -> set[str]:
    """The optional packages that npm leaves out on this machine, with what only they and their users need."""
    gone: set[str] = set()
    edges = None
    for path, entry in kept.items():
        is_optional = entry.get("optional") is True
        if path in gone or _fits(entry, machine, with_engine=is_optional):
            continue
        if not is_optional:
            raise Unusual
        edges = edges or _edges(entries)
        gone |= _with_its_own(path, edges)
    return {path for path in kept if path in gone or any(path.startswith(f"{each}/") for each in gone)}


def _fits(entry: Entry, machine: Machine, *, with_engine: bool) -> bool:
    asked = {"os": machine.system, "cpu": machine.processor, "libc": machine.libc}
    if not all(_listed(value, entry[part]) for part, value in asked.items() if entry.get(part)):
        return False
    engines = entry.get("engines")
    wanted = engines.get("node", "") if isinstance(engines, dict) else ""
    return not with_engine or ranges.holds(str(wanted), machine.node)


def _listed(value: str, said: Any) -> bool:
    """True when a list such as ``["linux"]`` or ``["!win32"]`` allows ``value``."""
    words = [said] if isinstance(said, str) else [str(each) for each in said]
    refused = [word[1:] for word in words if word.startswith("!")]
    if value in refused:
        return False
    return words == ["any"] or value in words or len(refused) == len(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edge:
    start: str
    end: str
    optional: bool


def _edges(entries: Mapping[str, Entry]) -> tuple[_Edge, ...]:
    return tuple(edge for path, entry in entries.items() for edge in _edges_of(path, entry, entries))


def _edges_of(path: str, entry: Entry, entries: Mapping[str, Entry]) -> Iterator[_Edge]:
    may_miss = {name for name, said in (entry.get("peerDependenciesMeta") or {}).items() if said.get("optional")}
    may_miss |= (entry.get("optionalDependencies") or {}).keys()
    for part in _ROOT_PARTS:
        for name in entry.get(part) or {}:
            if part == "devDependencies" and path:
                continue
            if end := _found_from(path, name, entries):
                yield _Edge(start=path, end=end, optional=name in may_miss)


def _found_from(path: str, name: str, entries: Mapping[str, Entry]) -> str:
    """Where node finds ``name`` when the package at ``path`` asks for it."""
    here = path
    while True:
        candidate = f"{here}/node_modules/{name}" if here else f"node_modules/{name}"
        if candidate in entries:
            return candidate
        if not here:
            return ""
        here = here.rpartition("node_modules/")[0].rstrip("/")


def _with_its_own(path: str, edges: tuple[_Edge, ...]) -> set[str]:
    """The package, those that cannot do without it, and what nobody else needs."""
    core = {path}
    while more := {edge.start for edge in edges if edge.end in core and not edge.optional} - core:
        core |= more
    whole = set(core)
    while more := {edge.end for edge in edges if edge.start in whole} - whole:
        whole |= more
    while needed := {edge.end for edge in edges if edge.end in whole - core and edge.start not in whole}:
        whole -= needed
    return whole - {""}
