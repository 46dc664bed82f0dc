"""What can be told of a package in its archive, without unpacking it: entry, dependencies, Node.js range."""

from collections.abc import Iterator
from typing import Any

from bottool import archive
from bottool.errors import ProjectError
from bottool.model import Dependency, Inspection, Package, Problem, Severity
from bottool_javascript import checks, entry, package_json
from bottool_javascript.package_json import PackageJson


def inspected(package: Package) -> Inspection:
    """Reads ``package.json`` and the lock as they lie in the archive.

    :raises ArchiveError: when the archive is refused.
    """
    listing = archive.check(package.path)
    root = f"{listing.root}/" if listing.root and package_json.FILE_NAME not in listing.names else ""
    names = frozenset(name.removeprefix(root) for name in listing.names)
    content = _member(package, root + package_json.FILE_NAME)
    try:
        described = package_json.understood(content or b"{}")
    except ProjectError as error:
        return Inspection(problems=(checks.problem_of(error),))
    lock = next((found for name in package_json.LOCK_NAMES if (found := _member(package, root + name))), b"")
    start = entry.find(described, names.__contains__, said_entry(package.manifest))
    return Inspection(
        entry=start.file if start else "",
        requires=described.node,
        dependencies=_dependencies(described, lock),
        locked=bool(package_json.locked(lock)) if lock else False,
        problems=tuple(_problems(described, start, lock)),
    )


def said_entry(manifest: Any) -> str:
    """The entry that ``bottool.json`` names: a hint, which counts only when such a file is there."""
    said = manifest.get("entry", "")
    return said if isinstance(said, str) and said.endswith((".js", ".mjs", ".cjs")) else ""


def _member(package: Package, name: str) -> bytes | None:
    return archive.read_member(package.path, name, package_json.SIZE_LIMIT_BYTES)


def _dependencies(described: PackageJson, lock: bytes) -> tuple[Dependency, ...]:
    """As the lock has them; without one the ranges of ``package.json``."""
    locked = package_json.locked(lock) if lock else ()
    if locked:
        return tuple(each.as_dependency() for each in locked if not each.dev)
    named = {**described.other_dependencies, **described.dependencies}
    return tuple(
        Dependency(name=name, version=said, ecosystem="npm", direct=True) for name, said in sorted(named.items())
    )


def _problems(described: PackageJson, start: entry.Start | None, lock: bytes) -> Iterator[Problem]:
    if start is None:
        yield Problem(
            severity=Severity.ERROR,
            code="no_entry",
            message=f"the package holds no file to start: {entry.said_by(described)}",
            hint="build it with 'bottool build'",
        )
    if lock:
        yield from checks.script_problems(described, lock)
