"""What a bot depends on, and what an environment for it is known by. Installs nothing."""

import hashlib
import json
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from bottool_javascript import entry, foreign, imports, package_json
from bottool_javascript.package_json import PackageJson

MODULES = "node_modules"
NPMRC = ".npmrc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an environment is made of. ``dev`` is true when the packages meant for development are needed too."""

    folder: Path
    package: PackageJson
    lock: Path | None
    dev: bool


def wanted_by(folder: Path, start: entry.Start | None, *, dev: bool | None = None) -> Wanted | None:
    """What the bot in ``folder`` needs installed; None when it needs nothing, or brings it along.

    ``dev`` is what was found out when the bot was built: whether it needs the packages for development too.
    """
    package = package_json.read(folder)
    named = {**package.other_dependencies, **package.dependencies}
    dev = needs_dev(folder, package, start) if dev is None else dev
    brings_them = (folder / MODULES).is_dir() and not (folder / MODULES).is_symlink()
    if brings_them or not (named or dev):
        return None
    return Wanted(folder=folder, package=package, lock=package_json.lock_of(folder) or foreign.lock_of(folder), dev=dev)


def needs_dev(folder: Path, package: PackageJson, start: entry.Start | None) -> bool:
    """True when the code asks for a package that can only come from ``devDependencies``: bots in the wild do.

    What it asks for need not stand there by that name: a package brings others.
    """
    if not package.dev_dependencies or start is None:
        return False
    named = {**package.other_dependencies, **package.dependencies}
    asked = imports.follow(folder, start.file)
    others = {each.name for each in asked.packages} - named.keys()
    if named:
        return bool(others & package.dev_dependencies.keys())
    return bool(others) or asked.computed


def key(wanted: Wanted, node_version: str, *, any_machine: bool = False) -> str:
    """A text that is equal for equal environments; with ``any_machine`` for equal locks."""
    said = {
        "node": node_version.partition(".")[0],
        "platform": "" if any_machine else f"{sys.platform}-{platform.machine().lower()}",
        "dev": wanted.dev,
        "package": _relevant(wanted.folder),
        "lock": _digest(wanted.lock),
        "npmrc": _digest(wanted.folder / NPMRC),
        "local": {
            name: _digest_of_folder(path) for name, path in local_packages(wanted.folder, wanted.package).items()
        },
    }
    return json.dumps(said, sort_keys=True)


def _relevant(folder: Path) -> dict[str, object]:
    """The parts of ``package.json`` that npm looks at for installing."""
    said = package_json.raw(folder)
    parts = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides", "allowScripts")
    return {part: said[part] for part in parts if part in said}


def _digest(path: Path | None) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path and path.is_file() else ""


def _digest_of_folder(path: Path) -> str:
    files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
    return hashlib.sha256("".join(f"{each.relative_to(path)}={_digest(each)}\n" for each in files).encode()).hexdigest()


def local_packages(folder: Path, package: PackageJson) -> dict[str, Path]:
    """Dependencies that lie in the project itself (``file:lib/ours``): name and path. Those outside are not among."""
    found = {}
    for name, said in {**package.dev_dependencies, **package.other_dependencies, **package.dependencies}.items():
        place = re.sub(r"^(file|link):", "", said)
        if place != said or said.startswith(("./", "../", "/")):
            path = (folder / place).resolve()
            if path.is_relative_to(folder.resolve()) and path.exists() and path != folder.resolve():
                found[name] = path
    return found
