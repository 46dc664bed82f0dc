"""The environment of a Python bot: what it depends on, and how ``uv`` makes it.

One virtual environment per lock, shared by all bots and versions with the same one. Built in its final place, because
a virtual environment holds its own path. A package without a lock is resolved once on this machine; what came out is
kept in the store, and lies in the environment as ``requirements.lock``. What only making one needs is imported there:
``key`` and ``installed`` are asked before every start.
"""

import hashlib
import json
import os
import sysconfig
import uuid
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import BuildError
from bottool.model import Installation
from bottool_python import files, layout, locks, metadata, requirements, tool, tree
from bottool_python.interpreters import Interpreters
from bottool_python.layout import Layout
from bottool_python.locks import Locked
from bottool_python.requirements import Requirements

_DEPTH = 3
"""Deep enough for ``wrapping folder/package/__main__.py``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What the files of an installation say. ``layout`` is ``None`` when there is nothing to start."""

    layout: Layout | None
    folder: Path
    """The bot's own folder: below a wrapping one, if the archive has that."""
    requirements: Requirements
    lock: Locked | None
    requires_python: str
    arguments: bool = True
    """False for a bot that shall get none."""


def installed(installation: Installation) -> Installed:
    whole = tree.of_folder(installation.folder, depth=_DEPTH)
    entry, _ = layout.said(whole.below(whole.wrapper()))
    found = layout.find(whole, entry)
    root = found.root if found else ""
    inner = whole.below(root)
    _, options = layout.said(inner)
    required = requirements.read(inner, options)
    lock = locks.find(inner, required)
    said = locks.header(lock.text) if lock else None
    return Installed(
        layout=found,
        folder=installation.folder / root,
        requirements=required,
        lock=None if lock and lock.problem else lock,
        requires_python=said.requires_python if said else metadata.range_of(inner, options),
        arguments=options.arguments != layout.WITHOUT_ARGUMENTS,
    )


def key(installation: Installation) -> str:
    """Never empty: without requirements all bots share one environment, but never bottool's own.

    A package with our lock is known by that one file; only others are read further.
    """
    text = _own_lock(installation.folder)
    said = locks.header(text)
    if said is not None:
        return _key(installation, text, said.requires_python, alone=said.local)
    bot = installed(installation)
    if bot.lock:
        own = locks.header(bot.lock.text)
        return _key(installation, bot.lock.text, bot.requires_python, alone=own is not None and own.local)
    if not bot.requirements.lines:
        return _key(installation, "", bot.requires_python, alone=False)
    # Not yet resolved, so only the package itself says what the environment will hold.
    return _key(installation, _asked_again(installation), bot.requires_python, alone=True)


def _key(installation: Installation, lock: str, requires_python: str, *, alone: bool) -> str:
    counts = {
        "format": 2,
        "python": Interpreters(store=installation.store).identity(requires_python),
        "platform": sysconfig.get_platform(),
        "lock": lock,
        "package": installation.package.sha256 if alone else "",
    }
    return hashlib.sha256(json.dumps(counts, sort_keys=True).encode()).hexdigest()


def _own_lock(folder: Path) -> str:
    try:
        with (folder / locks.FILE).open("rb") as file:
            return file.read(tree.LIMIT_BYTES).decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError:
        return ""


def prepare(installation: Installation, environment: Path) -> None:
    """Make the virtual environment and install what is locked into it.

    :raises BuildError: when a requirement cannot be installed.
    :raises ToolMissing: when there is no ``uv``, or no interpreter in the wanted range.
    """
    from bottool_python import bytecode

    bot = installed(installation)
    extra = {"UV_CACHE_DIR": str(installation.store / "uv")} if installation.store else {}
    python = Interpreters(store=installation.store).choose(bot.requires_python)
    tool.run(
        ["venv", "--no-project", "--allow-existing", "--python", python, str(environment)],
        bot.folder,
        "making the environment",
        extra,
    )
    if not bot.requirements.lines and not bot.lock:
        return
    lock = bot.lock or _resolved(installation, bot, environment, extra)
    files.write_whole(environment / locks.FILE, lock.text.encode())
    _install(bot, lock, environment, extra)
    if installation.store:
        bytecode.give(python_of(environment), _packages(environment), installation.store)


def _install(bot: Installed, lock: Locked, environment: Path, extra: dict[str, str]) -> None:
    """Offline when everything is in the cache, which saves asking the index for each package; else with network."""
    from bottool_python import resolving

    # Requirements go through the standard input, and uv starts in the bot's folder: relative paths count from there.
    install = ["pip", "install", "--quiet", "--python", str(python_of(environment)), "--no-deps", "--requirement", "-"]
    install += ["--require-hashes"] if lock.all_hashed else []
    install += [] if extra else ["--compile-bytecode"]
    said = bot.requirements.options_text + lock.text
    doing = "installing the requirements"
    try:
        tool.run([*install, "--offline"], bot.folder, doing, extra, said=said)
    except BuildError:
        try:
            tool.run(install, bot.folder, doing, extra, said=said)
        except BuildError as error:
            raise resolving.explained(error, bot.requirements) from error
    if lock.path not in {"", locks.FILE} and "setuptools" not in lock.names:
        # A lock of another tool does not know what its bot relies on without saying so.
        given = ["pip", "install", "--quiet", "--python", str(python_of(environment)), resolving.SETUPTOOLS]
        tool.run(given, bot.folder, "installing setuptools", extra)


def _resolved(installation: Installation, bot: Installed, environment: Path, extra: dict[str, str]) -> Locked:
    """The lock of a package that has none: resolved once on this machine, and kept."""
    kept = _kept(installation) if installation.store else None
    try:
        return Locked(path="", text=kept.read_text(encoding="utf-8")) if kept else _resolve(bot, environment, extra)
    except OSError:
        lock = _resolve(bot, environment, extra)
    if kept:
        files.write_whole(kept, lock.text.encode())
    return lock


def _resolve(bot: Installed, environment: Path, extra: dict[str, str]) -> Locked:
    from bottool_python import resolving

    how = ["--python", str(python_of(environment))]
    return Locked(path="", text=resolving.compiled(bot.requirements, bot.folder, how, extra))


def _kept(installation: Installation) -> Path:
    """By package, interpreter and platform, and by how often somebody asked for it anew."""
    return (installation.store or Path()) / "keep" / "resolved" / f"{key(installation)[:32]}.lock"


def _asked_again(installation: Installation) -> str:
    try:
        return _again(installation).read_text(encoding="ascii") if installation.store else ""
    except OSError:
        return ""


def _again(installation: Installation) -> Path:
    return (installation.store or Path()) / "keep" / "again" / installation.package.sha256


def resolve_anew(installation: Installation) -> None:
    """Let a package without a lock be resolved again when it is next prepared. ``folder`` need not exist."""
    files.write_whole(_again(installation), uuid.uuid4().hex.encode())


def python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _packages(environment: Path) -> Path:
    return environment / ("Lib" if os.name == "nt" else "lib")
