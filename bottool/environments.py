"""Packages, unpacked trees and prepared environments on this machine, each made once and known by its content.

Knows no language and no server. One process at a time makes a thing; the others wait for it. A thing is there when its
``.ready`` file names its folder; that file is written last. A maker that is killed leaves a folder that nothing names:
the next one throws it away and takes a new one, because a tool that outlived its maker may still write into the old.

    <root>/packages/<sha256>/<random>/<file name>    as it was received
    <root>/trees/<key>/<random>/                     a package's files; never written to again
    <root>/environments/<key>/<random>/              what a language prepared; never moved: environments know their path
    <root>/stores/<language>/                        what a language keeps to make the next environment quicker
    <root>/locks/<kind>-<key>.lock
"""

import contextlib
import hashlib
import os
import shutil
import stat
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bottool.archive import sha256_of, unpack
from bottool.errors import ArchiveError, BottoolError, PluginError, SettingsError
from bottool.language import Language
from bottool.locks import locked
from bottool.model import Installation, Package
from bottool.plugins import Plugins, one_line

Note = Callable[[str], None]

_READY = ".ready"
_KEY_LENGTH = 24
_NAME_LENGTH = 6
"""Both short, because an environment's path stands in the first lines of scripts, where systems cut it off."""


def make_ready(plugins: Plugins, package: Package, cache: "Cache", work: Path, note: Note) -> Installation:
    """Make a package ready to start, with its files in ``work``: new, or emptied first.

    ``note`` hears in a few words what takes time. May use the network. May be killed at any point and called again.

    :raises ProjectError: when no plugin brings the package's language.
    :raises ArchiveError: when the package is not what its checksum says, or is refused.
    :raises BuildError: when a language's tool fails.
    :raises ToolMissing: when a program is not on this machine.
    :raises PluginError: when a language raises what is not ours; names its plugin.
    """
    language = plugins.language(package.language)
    tree = cache.unpacked(package, note=note)
    _remove(work)
    work.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(tree, work, symlinks=True)
    installation = Installation(package=package, folder=work, store=cache.store(language))
    try:
        environment = cache.environment(language, installation, note=note)
    except (BottoolError, OSError):
        raise
    except Exception as error:
        plugin = plugins.owner(language.name)
        raise PluginError(f"plugin '{plugin}' failed to prepare '{package.bot_id}': {one_line(error)}") from error
    return replace(installation, environment=environment)


class Cache:
    """The folder of things that can be made again. Many processes may use one at once."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def store(self, language: Language) -> Path:
        """The folder in which a language keeps what its environments share."""
        folder = self.root / "stores" / language.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._no_place(error) from error
        return folder

    def has_package(self, sha256: str) -> bool:
        """True when the package with that checksum is kept here."""
        return self.package_path(sha256) is not None

    def package_path(self, sha256: str) -> Path | None:
        """The kept package with that checksum, or ``None``."""
        kept = _made(self.root / "packages" / sha256)
        return None if kept is None else next(kept.iterdir(), None)

    def add_package(self, path: Path, sha256: str) -> Path:
        """Keep a copy of a package; returns where. What is kept already stays as it is, and keeps its name.

        :raises ArchiveError: when the file's checksum is another one; then nothing is kept.
        """

        def fill(folder: Path) -> None:
            _check(path, sha256)
            shutil.copyfile(path, folder / path.name)

        return next(self._make("packages", sha256, fill).iterdir())

    def unpacked(self, package: Package, *, note: Note = lambda _text: None) -> Path:
        """The folder with the package's files, which nobody may change.

        A jar or plain file lies there under the package's own name, so the name is part of what the tree is known by.

        :raises ArchiveError: when the package is not what its checksum says, or is refused.
        """

        def fill(folder: Path) -> None:
            note(f"unpacking {package.path.name}")
            _check(package.path, package.sha256)
            unpack(package.path, folder)

        return self._make("trees", _key(package.sha256, package.path.name), fill)

    def environment(
        self, language: Language, installation: Installation, *, note: Note = lambda _text: None
    ) -> Path | None:
        """The environment that the language prepared for what this installation depends on; ``None`` for none.

        :raises BuildError: when a tool fails; nothing is kept then.
        :raises ToolMissing: when a program is not on this machine.
        """
        what = language.environment_key(installation)
        if not what:
            return None

        def fill(folder: Path) -> None:
            note(f"preparing the {language.title} environment")
            language.prepare(installation, folder)

        def waiting() -> None:
            note(f"another bot prepares the same {language.title} environment; waiting for it")

        return self._make("environments", _key(language.name, what), fill, waiting)

    def _make(
        self, kind: str, key: str, fill: Callable[[Path], None], waiting: Callable[[], None] = lambda: None
    ) -> Path:
        """The thing's folder; ``fill`` gets a new, empty one when it is not there. An error leaves nothing of it."""
        place = self.root / kind / key
        if (made := _made(place)) is not None:
            return made
        self._be_there()
        with locked(self.root / "locks" / f"{kind}-{key}.lock", waiting=waiting):
            if (made := _made(place)) is not None:
                return made
            _remove(place)
            folder = place / uuid.uuid4().hex[:_NAME_LENGTH]
            folder.mkdir(parents=True)
            try:
                fill(folder)
                _declare_ready(place, folder)
            except BaseException:
                _remove(place)
                raise
            return folder

    def _be_there(self) -> None:
        try:
            (self.root / "locks").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._no_place(error) from error

    def _no_place(self, error: OSError) -> SettingsError:
        return SettingsError(
            f"cannot write into the cache '{self.root}': {error.strerror}", "BOTTOOL_CACHE names another folder"
        )


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:_KEY_LENGTH]


def _check(path: Path, sha256: str) -> None:
    found = sha256_of(path)
    if found != sha256:
        raise ArchiveError(
            f"'{path.name}' is not what it should be: its checksum is {found[:12]}…, wanted {sha256[:12]}…",
            "fetch it again",
            reason="wrong_checksum",
        )


def _made(place: Path) -> Path | None:
    try:
        name = (place / _READY).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return None
    return place / name if name.isalnum() and (place / name).is_dir() else None


def _declare_ready(place: Path, folder: Path) -> None:
    """Name the folder as the thing, once all of it is on the disk: a power cut must not leave empty files behind it."""
    if hasattr(os, "sync"):
        os.sync()
    part = place / f"{_READY}.part"
    with part.open("w", encoding="ascii") as file:
        file.write(folder.name)
        file.flush()
        os.fsync(file.fileno())
    part.replace(place / _READY)


def _remove(folder: Path) -> None:
    """Throw a folder away as far as possible; what a tool still writes into it is found by nobody."""
    with contextlib.suppress(OSError):
        (folder / _READY).unlink()
    shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir():
        # Some tools make their folders read-only, and on Windows a read-only file cannot be removed either.
        _let_us_write(folder)
        for path in folder.rglob("*"):
            _let_us_write(path)
        shutil.rmtree(folder, ignore_errors=True)


def _let_us_write(path: Path) -> None:
    # Never through a link: it may lead to an interpreter of the system.
    if path.is_symlink() or not (path.is_dir() or sys.platform == "win32"):
        return
    with contextlib.suppress(OSError):
        path.chmod(path.stat().st_mode | stat.S_IRWXU)
