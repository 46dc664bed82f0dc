"""Installs what a bot depends on: for the runner's environment, and for a compiler that needs it.

npm gets the project's own ``package.json``, lock and ``.npmrc``, so that it decides as it would for the bot's author.
Where the store already has every package of a lock, ``node_modules`` is linked from there and npm is not started.
Install scripts of packages run only where ``allowScripts`` in ``package.json`` says so: npm 12 does that of itself,
and older versions are made to, so that a bot behaves alike on every machine.
"""

import logging
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bottool_javascript import fetching, foreign_tools, linking, node, npm_lock, package_json
from bottool_javascript.dependencies import MODULES, NPMRC, Wanted, local_packages
from bottool_javascript.npm_errors import failure
from bottool_javascript.npm_lock import Place
from bottool_javascript.store import Store

QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
_HARMLESS = re.compile(
    r"\s*([#;].*|(@[\w.~-]+:)?registry\s*=.*|//.*|(fund|audit|progress|save-exact|strict-ssl|always-auth|loglevel"
    r"|proxy|https-proxy|cafile|fetch-[\w-]+|legacy-peer-deps|save-prefix|update-notifier)\s*=.*)?"
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installer:
    """What is at hand for installing. ``store`` is ``None`` where packages are not kept."""

    using: node.Node
    variables: Mapping[str, str]
    store: Store | None = None


def make_environment(wanted: Wanted, environment: Path, installer: Installer) -> None:
    """Fill ``environment`` with ``node_modules``; the rest of what lies there is what npm needed to make it.

    :raises BuildError: when npm fails.
    """
    copied = [wanted.folder / name for name in (package_json.FILE_NAME, NPMRC)]
    copied += [wanted.lock] if wanted.lock else []
    for source in copied:
        if source.is_file():
            shutil.copyfile(source, environment / source.name)
    copy_local_packages(wanted, environment)
    install(environment, installer, dev=wanted.dev)
    # It may hold the token of a private registry, which must not outlive its use.
    (environment / NPMRC).unlink(missing_ok=True)


def copy_local_packages(wanted: Wanted, folder: Path) -> None:
    """The packages of the project's own folder go along."""
    for source in local_packages(wanted.folder, wanted.package).values():
        target = folder / source.relative_to(wanted.folder.resolve())
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)


def install(folder: Path, installer: Installer, *, dev: bool) -> None:
    """Make ``node_modules`` in ``folder``, by its lock when there is one.

    :raises BuildError: when npm fails; the message names the package it is about.
    :raises ToolMissing: when only pnpm or yarn can do it, and it is not there.
    """
    package = package_json.read(folder)
    lock = package_json.lock_of(folder)
    if lock is None and foreign_tools.installed(folder, installer.using, installer.variables, dev=dev):
        return
    lock = package_json.lock_of(folder)
    places = _places(folder, lock, installer, dev=dev) if lock and installer.store else None
    if not _linked(folder, places, package.allowed, installer):
        _npm(folder, installer, dev=dev)
        if places and installer.store:
            linking.harvest(installer.store, folder, places, package.allowed)
    _run_scripts(folder, package, installer)


def _places(folder: Path, lock: Path, installer: Installer, *, dev: bool) -> tuple[Place, ...] | None:
    """What the lock lays where; ``None`` when npm must decide, also because its settings ask for something else."""
    npmrc = folder / NPMRC
    if npmrc.is_file():
        lines = npmrc.read_text(encoding="utf-8", errors="replace").splitlines()
        if not all(_HARMLESS.fullmatch(line) for line in lines):
            return None
    machine = node.machine(installer.using, installer.variables)
    return npm_lock.places(lock.read_bytes(), package_json.raw(folder), machine, dev=dev) if machine else None


def _linked(folder: Path, places: tuple[Place, ...] | None, run: tuple[str, ...], installer: Installer) -> bool:
    if places is None or installer.store is None or (folder / MODULES).exists():
        return False
    if not fetching.fetch_missing(installer.store, folder, places, installer.using, installer.variables):
        return False
    if not linking.make(installer.store, folder, places, package_json.raw(folder), run):
        return False
    if any(place.bins for place in places) and not linking.can_link_programs():
        code, output = node.npm(installer.using, ("rebuild", *QUIET), folder, installer.variables)
        if code:
            raise failure(output, "npm rebuild", code)
    return True


def _npm(folder: Path, installer: Installer, *, dev: bool) -> None:
    verb = ("ci",) if package_json.lock_of(folder) else ("install", "--omit-lockfile-registry-resolved")
    # Said in full, because NODE_ENV and a person's own settings would change it too.
    kinds = ("--include=optional", "--include=peer", "--include=dev" if dev else "--omit=dev")
    code, output = node.npm(installer.using, (*verb, *QUIET, *kinds), folder, installer.variables)
    if code:
        raise failure(output, f"npm {verb[0]}", code)


def _run_scripts(folder: Path, package: package_json.PackageJson, installer: Installer) -> None:
    if package.allowed:
        arguments = ("rebuild", *package.allowed, "--no-ignore-scripts")
        code, output = node.npm(installer.using, arguments, folder, installer.variables)
        if code:
            raise failure(output, "npm rebuild", code)
    hidden = folder / MODULES / linking.HIDDEN_LOCK
    installed = package_json.locked(hidden.read_bytes()) if hidden.is_file() else ()
    if skipped := package_json.unreviewed(package, installed, dev=True):
        _LOG.warning("the install scripts of %s were not run; %s", ", ".join(skipped), allow_hint(skipped))


def allow_hint(names: tuple[str, ...]) -> str:
    """How to let install scripts run."""
    allowed = ", ".join(f'"{name}": true' for name in names)
    return f'if the bot needs them, say so in package.json: "allowScripts": {{{allowed}}}'
