"""Turns the graph of another tool's lock into one that npm reads: the same packages with the same versions.

Each package is laid as high in ``node_modules`` as nothing else of its name stands in the way, so that every package
finds exactly the version that its lock chose for it. Knows no file format but the old one of npm (version 1), which npm
completes by itself with what the registry says of each package.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_COPIES = 20
"""How often a package may lie there on average; trees in the wild stay below 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One package of a lock. ``needs`` maps the names by which it asks to the keys of ``Graph.packages``."""

    name: str
    version: str
    integrity: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """What a lock says: the project's own needs, and all packages."""

    needs: Mapping[str, str]
    packages: Mapping[str, Resolved]

    def versions(self) -> frozenset[tuple[str, str]]:
        return frozenset((each.name, each.version) for each in self.packages.values())


@dataclass(slots=True, kw_only=True)
class _Folder:
    """A package where it lies; ``inside`` is its own ``node_modules``."""

    key: str
    above: "_Folder | None"
    inside: dict[str, "_Folder"] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    """Names that something below finds further up, with what it found: nothing else of that name may come in here."""


class Circular(Exception):
    """Packages need each other in a way that no nesting of folders can give."""


def as_npm_lock(graph: Graph, package: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a ``package-lock.json``.

    :raises Circular: when no nesting would ever end.
    """
    root = _Folder(key="", above=None)
    waiting = deque((root, name, key) for name, key in sorted(graph.needs.items()))
    laid_at_most = _COPIES * len(graph.packages) + _COPIES
    while waiting:
        asking, name, key = waiting.popleft()
        if laid := _lay(asking, name, key):
            laid_at_most -= 1
            if not laid_at_most:
                raise Circular(name)
            waiting.extend((laid, each, wanted) for each, wanted in sorted(graph.packages[key].needs.items()))
    said = {name: package[name] for name in ("name", "version") if package.get(name)}
    return {**said, "lockfileVersion": 1, "requires": True, "dependencies": _written(root, graph)}


def _lay(asking: _Folder, name: str, key: str) -> _Folder | None:
    """Make ``name`` be found from ``asking``; the new folder, or ``None`` when the right one was found already."""
    way: list[_Folder] = []
    here: _Folder | None = asking
    best: _Folder | None = None
    while here is not None:
        there = here.inside.get(name)
        if there is not None:
            if there.key == key:
                _remember(way, name, key)
                return None
            break
        if here.passed.get(name, key) != key:
            break
        best = here
        way.append(here)
        here = here.above
    # The project's own packages come first, so that there is always room beside the one that asks.
    place = best or asking
    folder = _Folder(key=key, above=place)
    place.inside[name] = folder
    _remember(way[: way.index(place)] if place in way else [], name, key)
    return folder


def _remember(way: list[_Folder], name: str, key: str) -> None:
    for each in way:
        each.passed[name] = key


def _written(folder: _Folder, graph: Graph) -> dict[str, Any]:
    return {name: _entry(name, each, graph) for name, each in sorted(folder.inside.items())}


def _entry(name: str, folder: _Folder, graph: Graph) -> dict[str, Any]:
    package = graph.packages[folder.key]
    version = package.version if package.name == name else f"npm:{package.name}@{package.version}"
    entry: dict[str, Any] = {"version": version}
    if package.integrity:
        entry["integrity"] = package.integrity
    if package.needs:
        entry["requires"] = {each: graph.packages[key].version for each, key in sorted(package.needs.items())}
    if folder.inside:
        entry["dependencies"] = _written(folder, graph)
    return entry
