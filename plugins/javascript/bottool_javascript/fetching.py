"""Fetches the packages of a lock that the store does not have yet, and nothing else.

npm does it, as always: a folder beside the environment gets a small project whose lock names just these packages, each
at a place of its own, with the integrity that the real lock has. Runs no scripts.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bottool_javascript import linking, node
from bottool_javascript.npm_lock import Place
from bottool_javascript.store import Store

_ARGUMENTS = ("ci", "--no-audit", "--no-fund", "--ignore-scripts", "--no-bin-links", "--include=optional", "--force")
_NPMRC = ".npmrc"
_KEPT = ("version", "resolved", "integrity")


def fetch_missing(
    store: Store, folder: Path, places: Sequence[Place], using: node.Node, variables: Mapping[str, str]
) -> bool:
    """Bring what is missing into the store; false when npm should rather install the whole lock.

    That is where nearly all is new, or a package brings others inside its archive; also when npm could not do it, so
    that its message is about the real lock.
    """
    wanted = linking.missing(store, places)
    if not wanted:
        return True
    if 2 * len(wanted) > len(places) or any(place.bundled for place in places):
        return False
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder, ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        moved = _write_project(scratch, wanted)
        if (folder / _NPMRC).is_file():
            shutil.copyfile(folder / _NPMRC, scratch / _NPMRC)
        code, _ = node.npm(using, _ARGUMENTS, scratch, variables)
        if code:
            return False
        for place in moved:
            for file in place.bins.values():
                _make_program(scratch / place.path / file)
        linking.harvest(store, scratch, moved, [place.name for place in moved if place.has_script])
    return not linking.missing(store, places)


def _write_project(folder: Path, wanted: Sequence[Place]) -> tuple[Place, ...]:
    """A ``package.json`` and its lock; the places at which npm will lay the packages."""
    moved = tuple(replace(place, path=f"node_modules/p{number}") for number, place in enumerate(wanted))
    asked = {f"p{number}": f"npm:{place.name}@{place.version}" for number, place in enumerate(wanted)}
    entries = {
        place.path: {"name": place.name, **{part: place.entry[part] for part in _KEPT if part in place.entry}}
        for place in moved
    }
    package = {"name": "fetched", "version": "1.0.0", "dependencies": asked}
    lock = {**package, "lockfileVersion": 3, "requires": True, "packages": {"": package, **entries}}
    lock.pop("dependencies")
    (folder / "package.json").write_text(json.dumps(package), encoding="utf-8")
    (folder / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
    return moved


def _make_program(path: Path) -> None:
    """As npm does where it links to one: with the right to be run, and a first line that ends as on Unix."""
    if path.is_file():
        path.chmod(path.stat().st_mode | 0o111)
        text = path.read_bytes()
        first, ending, rest = text.partition(b"\r\n")
        if text.startswith(b"#!") and ending and b"\n" not in first:
            path.write_bytes(first + b"\n" + rest)
