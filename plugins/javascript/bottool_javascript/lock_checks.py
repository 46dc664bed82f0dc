"""Whether ``package-lock.json`` still holds what is asked for: npm refuses one that does not, on every machine.

Looks at names only, in locks of format 2 and 3; whether a version fits its range is left to npm.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bottool.model import Problem, Severity
from bottool_javascript import package_json
from bottool_javascript.package_json import PackageJson

_HINT = "run 'npm install' in the project, and keep the package-lock.json that it writes"


def problems_of(folder: Path, package: PackageJson) -> Iterator[Problem]:
    """At most one: an error for what ``package.json`` itself asks for, a warning for what comes along."""
    lock = package_json.lock_of(folder)
    packages = _packages(lock) if lock and not package.workspaces else {}
    if lock is None or not packages:
        return
    missing = [name for name in (*package.dependencies, *package.dev_dependencies) if not _holds(packages, "", name)]
    if missing:
        message = f"does not hold {_listed(missing)}, which package.json asks for: npm refuses it"
        yield Problem(severity=Severity.ERROR, code="lock_outdated", message=message, hint=_HINT, path=lock.name)
        return
    along = sorted({name for place, name in _asked(packages) if not _holds(packages, place, name)})
    if along:
        message = f"does not hold {_listed(along)}, which packages in it ask for: npm may refuse it"
        yield Problem(severity=Severity.WARNING, code="lock_outdated", message=message, hint=_HINT, path=lock.name)


def _packages(lock: Path) -> Mapping[str, Any]:
    try:
        said = json.loads(lock.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return {}
    packages = said.get("packages") if isinstance(said, dict) else None
    return packages if isinstance(packages, dict) else {}


def _asked(packages: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Places in ``node_modules``, and the names for which they ask."""
    for place, said in packages.items():
        asked = said.get("dependencies") if isinstance(said, dict) else None
        if place and isinstance(asked, dict):
            optional = said.get("optionalDependencies")
            yield from ((place, name) for name in asked if not isinstance(optional, dict) or name not in optional)


def _holds(packages: Mapping[str, Any], place: str, name: str) -> bool:
    """True when Node.js finds ``name`` from ``place``: below it, or below one of the folders above."""
    while place:
        if f"{place}/node_modules/{name}" in packages:
            return True
        place = place.rpartition("node_modules/")[0].rstrip("/")
    return f"node_modules/{name}" in packages


def _listed(names: list[str]) -> str:
    more = len(names) - 3
    shown = ", ".join(f"'{name}'" for name in names[:3])
    return f"{shown} and {more} more" if more > 0 else shown
