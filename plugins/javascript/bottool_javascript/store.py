"""Keeps unpacked packages of npm on this machine, each once, and links them into new environments.

    <store>/packages/<key>/files.json    every file with size, time and mode: written before the folder gets its name
    <store>/packages/<key>/tree/         the package as npm unpacked it; its files are hard links, and read-only

A package is known by the integrity of its archive, its name and its version. It is harvested from what npm installed,
before any script ran. Many processes read and add at once: a package appears by one rename, and is never changed. One
whose files are no longer what they were is thrown away. Knows no lock and no network.
"""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import time
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path

_RECORD = "files.json"
_TREE = "tree"
_NEW = ".new-"
_KEY_LENGTH = 32
_LEFTOVER_SECONDS = 86400
_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_MODULES = "node_modules"


class Store:
    """One folder of packages. Nothing in it is needed: what is not there is fetched again."""

    def __init__(self, folder: Path) -> None:
        self._packages = folder / "packages"

    @staticmethod
    def key(name: str, version: str, integrity: str) -> str:
        return hashlib.sha256(f"{name}\n{version}\n{integrity}".encode()).hexdigest()[:_KEY_LENGTH]

    def has(self, key: str) -> bool:
        return (self._packages / key / _RECORD).is_file()

    def link(self, key: str, target: Path, *, copied: bool) -> bool:
        """Lay the package at ``target``, which is not there; false when it is missing here, or no longer intact.

        ``copied`` for a package that will change its own files. What was laid before a false stays.
        """
        place = self._packages / key
        try:
            record = json.loads((place / _RECORD).read_bytes())
            for name in record["folders"]:
                (target / name).mkdir(parents=True, exist_ok=True)
            for name, size, modified, mode in record["files"]:
                source = f"{place}/{_TREE}/{name}"
                found = os.lstat(source)
                if (found.st_size, found.st_mtime_ns) != (size, modified) or not stat.S_ISREG(found.st_mode):
                    self.remove(key)
                    return False
                _lay(source, f"{target}/{name}", mode if copied else None)
        except FileNotFoundError:
            return False
        except (ValueError, KeyError, TypeError):
            self.remove(key)
            return False
        return True

    def add(self, key: str, source: Path, inner: Collection[str], *, copied: bool) -> None:
        """Keep the package that lies at ``source``, without the folders ``inner`` (relative), which are others'.

        Does nothing for a package with something that is neither file nor folder.
        """
        if self.has(key):
            return
        new = self._packages / f"{_NEW}{uuid.uuid4().hex[:12]}"
        try:
            record = _kept(source, new / _TREE, frozenset(inner), copied=copied)
            if record is not None:
                (new / _RECORD).write_text(json.dumps(record), encoding="utf-8")
                # Somebody else may have been quicker.
                with contextlib.suppress(OSError):
                    new.rename(self._packages / key)
        finally:
            _remove(new)

    def remove(self, key: str) -> None:
        """Throw a package away; environments keep theirs."""
        gone = self._packages / f"{_NEW}{uuid.uuid4().hex[:12]}"
        with contextlib.suppress(OSError):
            (self._packages / key).rename(gone)
        _remove(gone)

    def tidy(self) -> None:
        """Remove what killed processes left behind long ago."""
        with contextlib.suppress(OSError):
            for path in self._packages.glob(f"{_NEW}*"):
                if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                    _remove(path)


def _lay(source: str, target: str, mode: int | None) -> None:
    """A hard link, or a copy with this mode: also where the disk cannot link, or not once more."""
    if mode is None:
        try:
            os.link(source, target)
            return
        except FileNotFoundError:
            raise
        except OSError:
            mode = os.lstat(source).st_mode
    shutil.copyfile(source, target)
    Path(target).chmod(stat.S_IMODE(mode) | stat.S_IWUSR)


def _kept(source: Path, tree: Path, inner: frozenset[str], *, copied: bool) -> dict[str, list[object]] | None:
    folders: list[object] = []
    files: list[object] = []
    for folder, names in _walk(str(source), "", inner):
        folders.append(folder)
        (tree / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            path = f"{folder}/{name}" if folder else name
            mode = os.lstat(f"{source}/{path}").st_mode
            if not stat.S_ISREG(mode):
                return None
            files.append([path, *_keep(f"{source}/{path}", f"{tree}/{path}", mode, copied=copied)])
    return {"folders": folders, "files": files}


def _walk(source: str, folder: str, inner: frozenset[str]) -> Iterator[tuple[str, list[str]]]:
    """Folders, parents first, with the names of their files; an empty ``node_modules`` is npm's, not the package's."""
    with os.scandir(f"{source}/{folder}" if folder else source) as found:
        entries = sorted(found, key=lambda each: each.name)
    below = [each.name for each in entries if each.is_dir(follow_symlinks=False)]
    is_modules = folder.rpartition("/")[2] == _MODULES
    within = []
    for name in below:
        path = f"{folder}/{name}" if folder else name
        if path not in inner and not (is_modules and name == ".bin"):
            within += list(_walk(source, path, inner))
    names = [each.name for each in entries if not each.is_dir(follow_symlinks=False)]
    if names or within or not (is_modules or folder.rpartition("/")[2].startswith("@")):
        yield folder, names
        yield from within


def _keep(source: str, target: str, mode: int, *, copied: bool) -> tuple[int, int, int]:
    """One file goes into the store; its size, time and mode."""
    wanted = stat.S_IMODE(mode) & ~_WRITE
    if copied:
        _lay(source, target, stat.S_IMODE(mode))
    else:
        _lay(source, target, None)
    Path(target).chmod(wanted)
    found = os.lstat(target)
    return found.st_size, found.st_mtime_ns, stat.S_IMODE(mode)


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    if os.name == "nt":
        # Read-only files cannot be removed there; the bit is shared with the links in environments, which may lose it.
        for path in folder.rglob("*"):
            with contextlib.suppress(OSError):
                path.chmod(path.stat().st_mode | stat.S_IWUSR)
    shutil.rmtree(folder, ignore_errors=True)
