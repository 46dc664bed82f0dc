"""Makes ``node_modules`` without npm: from packages that this machine has unpacked before.

What comes out is what ``npm ci`` makes of the same lock: the same files, links to programs, and npm's own note of what
is installed. Fetching, checking and unpacking stay npm's.
"""

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bottool_javascript.npm_lock import Place
from bottool_javascript.store import Store

MODULES = "node_modules"
HIDDEN_LOCK = ".package-lock.json"


def missing(store: Store, places: Sequence[Place]) -> tuple[Place, ...]:
    """Those whose package the store does not have, each package once."""
    found = {_key(place): place for place in places if not place.bundled}
    return tuple(place for key, place in found.items() if not store.has(key))


def _key(place: Place) -> str:
    return Store.key(place.name, place.version, place.integrity)


def make(store: Store, folder: Path, places: Sequence[Place], package: Mapping[str, Any], run: Collection[str]) -> bool:
    """Lay ``node_modules`` into ``folder``; false, and nothing there, when the store could not give all of it.

    ``run`` names the packages whose install scripts will run: they get files of their own.
    """
    modules = folder / MODULES
    modules.mkdir()
    for place in places:
        if place.bundled:
            continue
        if not store.link(_key(place), folder / place.path, copied=place.has_script and place.name in run):
            shutil.rmtree(modules, ignore_errors=True)
            return False
    if can_link_programs():
        for place in places:
            _link_programs(folder, place)
    _write_hidden_lock(folder, places, package)
    return True


def _link_programs(folder: Path, place: Place) -> None:
    above, _, inside = place.path.rpartition(f"{MODULES}/")
    for name, file in place.bins.items():
        program = folder / place.path / file
        if not program.is_file():
            # npm too leaves out programs that are not in the archive.
            continue
        link = folder / above / MODULES / ".bin" / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(f"../{inside}/{file}")


def _write_hidden_lock(folder: Path, places: Sequence[Place], package: Mapping[str, Any]) -> None:
    """Npm trusts it only when it is newer than the folders, so it comes last."""
    packages = {place.path: place.entry for place in places}
    said = {
        "name": package.get("name") or folder.name,
        **({"version": package["version"]} if package.get("version") else {}),
        "lockfileVersion": 3,
        "requires": True,
        "packages": packages,
    }
    text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    (folder / MODULES / HIDDEN_LOCK).write_text(text, encoding="utf-8", newline="\n")


def harvest(store: Store, folder: Path, places: Sequence[Place], run: Collection[str]) -> None:
    """Keep what npm unpacked into ``folder``, before any script has run there."""
    own = [place for place in places if not place.bundled]
    paths = {place.path for place in own}
    for place in own:
        source = folder / place.path
        if source.is_dir() and not source.is_symlink():
            inner = {path.removeprefix(f"{place.path}/") for path in paths if path.startswith(f"{place.path}/")}
            store.add(_key(place), source, inner, copied=place.has_script and place.name in run)


def can_link_programs() -> bool:
    """Elsewhere than on Windows programs are links; there npm writes scripts that start them."""
    return os.name != "nt"
