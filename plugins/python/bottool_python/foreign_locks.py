"""Locks that other tools wrote, as pinned requirement lines with hashes: ``uv.lock``, ``poetry.lock``, ``pylock.toml``,
``Pipfile.lock``. Only what the bot itself needs: no development groups, no extras that nobody asked for.

Names of package indexes in them are left away: where packages come from is the machine's business.

Sources: PEP 751 (pylock.toml), and the files as these tools write them.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import canonicalize_name

_Node = tuple[str, ...]
"""Name and version; with a third word that extra of it, which brings packages of its own."""
_Way = frozenset[str]
"""The markers that must all hold for one way to a package."""
_MAX_WAYS = 12


class BadLock(Exception):
    """The file is no lock of its kind."""


def convert(name: str, data: bytes, direct: Iterable[str]) -> str:
    """The lines of a lock file called ``name``; ``direct`` are the distributions that the bot asks for.

    :raises BadLock: when it cannot be read.
    """
    try:
        text = data.decode("utf-8-sig")
        said = json.loads(text) if name == "Pipfile.lock" else tomllib.loads(text)
        wanted: list[str] = [canonicalize_name(each) for each in direct]
        return "".join(f"{line}\n" for line in sorted(set(_CONVERTERS[name](said, wanted))))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadLock(f"'{name}' cannot be read: {type(error).__name__}") from error


def _line(wanted: str, marker: str, hashes: Iterable[str]) -> str:
    said = f"{wanted} ; {marker}" if marker else wanted
    return " ".join((said, *(f"--hash={each}" for each in sorted(set(hashes)))))


def _pylock(said: Mapping[str, Any], _direct: list[str]) -> Iterator[str]:
    for package in said["packages"]:
        marker = package.get("marker", "")
        if "dependency_groups" in marker or "extras" in marker or "directory" in package:
            continue
        files = [*package.get("wheels", []), *(package[key] for key in ("sdist", "archive") if key in package)]
        hashes = [f"{kind}:{value}" for file in files for kind, value in file.get("hashes", {}).items()]
        if "vcs" in package:
            vcs = package["vcs"]
            yield _line(f"{package['name']} @ {vcs['type']}+{vcs['url']}@{vcs['commit-id']}", marker, ())
        elif "archive" in package and "url" in package["archive"]:
            yield _line(f"{package['name']} @ {package['archive']['url']}", marker, hashes)
        else:
            yield _line(f"{package['name']}=={package['version']}", marker, hashes)


def _pipfile(said: Mapping[str, Any], _direct: list[str]) -> Iterator[str]:
    for name, package in said["default"].items():
        marker = package.get("markers", "")
        if "git" in package:
            yield _line(f"{name} @ git+{package['git']}@{package['ref']}", marker, ())
        elif "version" in package:
            yield _line(f"{name}{package['version']}", marker, package.get("hashes", ()))


def _poetry(said: Mapping[str, Any], direct: list[str]) -> Iterator[str]:
    packages: dict[_Node, Any] = {
        (canonicalize_name(each["name"]), each["version"]): each for each in said.get("package", [])
    }
    grouped = any("groups" in each or "category" in each for each in packages.values())
    ways = {} if grouped else _ways(packages, direct, lambda node: _poetry_edges(packages, node))
    old_files = said.get("metadata", {}).get("files", {})
    for node, package in packages.items():
        if grouped:
            is_wanted = "main" in package.get("groups", (package.get("category"),)) and not package.get("optional")
            marker = package.get("markers", "")
            marker = marker.get("main", "") if isinstance(marker, dict) else marker
        else:
            is_wanted, marker = node in ways, _marker(ways.get(node, set()))
        if is_wanted:
            files = package.get("files") or old_files.get(package["name"], [])
            yield _line(_poetry_wanted(package), marker, [file["hash"] for file in files])


def _poetry_wanted(package: Mapping[str, Any]) -> str:
    source = package.get("source", {})
    if source.get("type") == "git":
        return f"{package['name']} @ git+{source['url']}@{source['resolved_reference']}"
    if source.get("type") in {"url", "file", "directory"}:
        return f"{package['name']} @ {source['url']}"
    return f"{package['name']}=={package['version']}"


def _poetry_edges(packages: Mapping[_Node, Any], node: _Node) -> Iterator[tuple[_Node, str]]:
    for name, each in packages[node].get("dependencies", {}).items():
        for said in each if isinstance(each, list) else [each]:
            is_table = isinstance(said, dict)
            if is_table and said.get("optional"):
                continue
            marker = said.get("markers", "") if is_table else ""
            yield from ((found, marker) for found in packages if found[0] == canonicalize_name(name))


def _uv(said: Mapping[str, Any], direct: list[str]) -> Iterator[str]:
    packages: dict[_Node, Any] = {(each["name"], each.get("version", "")): each for each in said["package"]}
    own = [node for node, each in packages.items() if {"virtual", "editable"} & each["source"].keys()]
    ways = _ways(packages, own or direct, lambda node: _uv_edges(packages, node))
    for node in (ways.keys() & packages.keys()) - set(own):
        package = packages[node]
        source = package["source"]
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        if "git" in source:
            address, _, commit = source["git"].partition("#")
            wanted = f"{node[0]} @ git+{address.partition('?')[0]}@{commit}"
        elif "url" in source:
            wanted = f"{node[0]} @ {source['url']}"
        else:
            wanted = f"./{source['path']}" if "path" in source else f"{node[0]}=={node[1]}"
        yield _line(wanted, _marker(ways[node]), [file["hash"] for file in files if "hash" in file])


def _uv_edges(packages: Mapping[_Node, Any], node: _Node) -> Iterator[tuple[_Node, str]]:
    package, extras = packages[node[:2]], node[2:]
    groups = [package.get("optional-dependencies", {}).get(extra, []) for extra in extras]
    for edge in (edge for group in groups or [package.get("dependencies", [])] for edge in group):
        for found in packages:
            if found[0] == edge["name"] and edge.get("version", found[1]) == found[1]:
                marker = edge.get("marker", "")
                yield found, marker
                yield from (((*found, extra), marker) for extra in edge.get("extra", ()))


@dataclass(kw_only=True)
class _Walk:
    ways: dict[_Node, set[_Way]] = field(default_factory=dict)

    def add(self, node: _Node, way: _Way) -> bool:
        """True when the way is new: no shorter one, which asks for less, is known."""
        known = self.ways.setdefault(node, set())
        if any(other <= way for other in known):
            return False
        shorter = way if len(known) < _MAX_WAYS else frozenset[str]()
        self.ways[node] = {other for other in known if not shorter <= other} | {shorter}
        return True


def _ways(
    packages: Iterable[_Node], start: Iterable[Any], edges: Callable[[_Node], Iterator[tuple[_Node, str]]]
) -> dict[_Node, set[_Way]]:
    """All packages that the start leads to, each with the conditions of its ways."""
    roots = [node for node in packages if node in start or node[0] in start]
    walk = _Walk()
    waiting = [(node, frozenset[str]()) for node in roots]
    while waiting:
        node, way = waiting.pop()
        if walk.add(node, way):
            waiting += [(target, way | {marker} if marker else way) for target, marker in edges(node)]
    return walk.ways


def _marker(ways: set[_Way]) -> str:
    """One marker for all ways; ``""`` when one of them asks for nothing."""
    if not ways or frozenset() in ways:
        return ""
    return " or ".join(sorted(" and ".join(f"({each})" for each in sorted(way)) for way in ways))


_CONVERTERS: Mapping[str, Callable[[Mapping[str, Any], list[str]], Iterator[str]]] = {
    "pylock.toml": _pylock,
    "uv.lock": _uv,
    "poetry.lock": _poetry,
    "Pipfile.lock": _pipfile,
}
FILES = tuple(_CONVERTERS)
