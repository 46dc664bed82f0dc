"""Installs what a bot depends on, by npm: for the runner's environment, and for a compiler that needs it.

npm gets the project's own ``package.json``, lock and ``.npmrc``, so that it decides as it would for the bot's author.
Install scripts of packages run only where ``allowScripts`` in ``package.json`` says so: npm 12 does that of itself,
and older versions are made to, so that a bot behaves alike on every machine.
"""

import hashlib
import json
import logging
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import BuildError
from bottool_javascript import entry, imports, node, package_json
from bottool_javascript.package_json import PackageJson

MODULES = "node_modules"
_NPMRC = ".npmrc"
_QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
_LOG = logging.getLogger(__name__)
_NOT_FOUND = re.compile(r"'(@?[^'\s]+@[^']*)' (?:is not in (?:this|the npm) registry|could not be found)")
_NO_VERSION = re.compile(r"No matching version found for (\S+?)\.?(?:\s|$)")
_ADDRESS = re.compile(r"https?://[^\s'\"]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an environment is made of. ``dev`` is true when the packages meant for development are needed too."""

    folder: Path
    package: PackageJson
    lock: Path | None
    dev: bool


def wanted_by(folder: Path, start: entry.Start | None) -> Wanted | None:
    """What the bot in ``folder`` needs installed; None when it needs nothing, or brings it along."""
    package = package_json.read(folder)
    named = {**package.other_dependencies, **package.dependencies}
    dev = _needs_dev(folder, package, named, start)
    brings_them = (folder / MODULES).is_dir() and not (folder / MODULES).is_symlink()
    if brings_them or not (named or dev):
        return None
    return Wanted(folder=folder, package=package, lock=package_json.lock_of(folder), dev=dev)


def _needs_dev(folder: Path, package: PackageJson, named: Mapping[str, str], start: entry.Start | None) -> bool:
    """True when the code asks for a package that can only come from ``devDependencies``: bots in the wild do.

    What it asks for need not stand there by that name: a package brings others.
    """
    if not package.dev_dependencies or start is None:
        return False
    asked = imports.follow(folder, start.file)
    others = {each.name for each in asked.packages} - named.keys()
    if named:
        return bool(others & package.dev_dependencies.keys())
    return bool(others) or asked.computed


def key(wanted: Wanted, node_version: str) -> str:
    """A text that is equal for equal environments."""
    said = {
        "node": node_version.partition(".")[0],
        "platform": f"{sys.platform}-{platform.machine().lower()}",
        "dev": wanted.dev,
        "package": _relevant(wanted.folder),
        "lock": _digest(wanted.lock),
        "npmrc": _digest(wanted.folder / _NPMRC),
        "local": {
            name: _digest_of_folder(path) for name, path in local_packages(wanted.folder, wanted.package).items()
        },
    }
    return json.dumps(said, sort_keys=True)


def _relevant(folder: Path) -> dict[str, object]:
    """The parts of ``package.json`` that npm looks at for installing."""
    said = json.loads((folder / package_json.FILE_NAME).read_text(encoding="utf-8-sig"))
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


def make_environment(wanted: Wanted, environment: Path, using: node.Node, variables: Mapping[str, str]) -> None:
    """Fill ``environment`` with ``node_modules``; the rest of what lies there is what npm needed to make it.

    :raises BuildError: when npm fails.
    """
    copied = [wanted.folder / name for name in (package_json.FILE_NAME, _NPMRC)]
    copied += [wanted.lock] if wanted.lock else []
    for source in copied:
        if source.is_file():
            shutil.copyfile(source, environment / source.name)
    for source in local_packages(wanted.folder, wanted.package).values():
        target = environment / source.relative_to(wanted.folder.resolve())
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
    install(environment, using, variables, dev=wanted.dev)
    # It may hold the token of a private registry, which must not outlive its use.
    (environment / _NPMRC).unlink(missing_ok=True)


def install(folder: Path, using: node.Node, variables: Mapping[str, str], *, dev: bool) -> None:
    """Run npm in ``folder``, by its lock when there is one.

    :raises BuildError: when npm fails; the message names the package it is about.
    """
    verb = ("ci",) if package_json.lock_of(folder) else ("install", "--omit-lockfile-registry-resolved")
    code, output = node.npm(using, (*verb, *_QUIET, *(() if dev else ("--omit=dev",))), folder, variables)
    if code:
        raise _failure(output, f"npm {verb[0]}")
    package = package_json.read(folder)
    if package.allowed:
        code, output = node.npm(using, ("rebuild", *package.allowed, "--no-ignore-scripts"), folder, variables)
        if code:
            raise _failure(output, "npm rebuild")
    hidden = folder / MODULES / ".package-lock.json"
    installed = package_json.locked(hidden.read_bytes()) if hidden.is_file() else ()
    if skipped := package_json.unreviewed(package, installed, dev=True):
        _LOG.warning("the install scripts of %s were not run; %s", ", ".join(skipped), allow_hint(skipped))


def allow_hint(names: tuple[str, ...]) -> str:
    """How to let install scripts run."""
    allowed = ", ".join(f'"{name}": true' for name in names)
    return f'if the bot needs them, say so in package.json: "allowScripts": {{{allowed}}}'


def _failure(output: str, command: str) -> BuildError:
    last = node.last_lines(output)
    for pattern in (_NOT_FOUND, _NO_VERSION):
        if match := pattern.search(output):
            hint = "if it is in a private registry, name that in the project's .npmrc"
            return BuildError(f"{command} could not get '{match[1]}'", hint, output=last)
    if "EUSAGE" in output or "can only install packages when your package.json and" in output:
        hint = "run 'npm install' in the project, and keep the package-lock.json that it writes"
        return BuildError("package-lock.json does not fit package.json", hint, output=last)
    if re.search(r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET)\b", output):
        address = _ADDRESS.search(output)
        where = f" '{address[0]}'" if address else ""
        return BuildError(f"{command} could not reach the registry{where}", "is the network up?", output=last)
    first = next((line for line in output.splitlines() if "npm error" in line and " code " not in line), "")
    reason = first.replace("npm error", "").strip() or "see its output"
    return BuildError(f"{command} failed: {reason}", "run it in the project yourself to try", output=last)
