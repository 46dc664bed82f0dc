"""What a folder held when it was made, so that it is known later whether it still does.

A manifest has every file, link and folder: size, time and mode, and the hash of the content. A look compares sizes,
times and modes, some microseconds each; only what differs there is read again. Knows no cache.
"""

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

_CHUNK_BYTES = 1024 * 1024
_FORMAT = 1


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """``digest`` is that of a file's content; what a link says; ``""`` for a folder.

    ``resolves``: what a link leads to is there.
    """

    path: str
    mode: int
    size_bytes: int
    changed_ns: int
    digest: str
    resolves: bool = True

    def looks_like(self, found: os.stat_result) -> bool:
        """By stat alone. Of a folder only that it is one: its time changes with what is added."""
        if stat.S_ISDIR(self.mode) or stat.S_ISLNK(self.mode):
            return stat.S_IFMT(self.mode) == stat.S_IFMT(found.st_mode)
        return (self.mode, self.size_bytes, self.changed_ns) == (found.st_mode, found.st_size, found.st_mtime_ns)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``label`` says to people what it is; ``strict``: nothing may be added either; ``store`` may share its files."""

    format: int = _FORMAT
    label: str = ""
    strict: bool = True
    store: str = ""
    boot: str = ""
    """Since which start of the machine it is known; ``""`` once a later start has found all of it on the disk."""
    entries: list[Entry]

    @property
    def size_bytes(self) -> int:
        return sum(each.size_bytes for each in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look found. ``touched`` have another time and the same content: harmless, but read each time."""

    damaged: tuple[str, ...] = ()
    """Paths, with what is wrong."""
    changed_inodes: frozenset[int] = frozenset()
    """Of files with another content that have a second name somewhere."""
    touched: tuple[Entry, ...] = ()

    @property
    def is_sound(self) -> bool:
        return not self.damaged


def taken(folder: Path, *, label: str = "", strict: bool = True, store: str = "", boot: str = "") -> Manifest:
    """The manifest of a folder as it is now; reads every file."""
    entries = [_entry(name, path, found) for name, path, found in _below(folder)]
    return Manifest(label=label, strict=strict, store=store, boot=boot, entries=entries)


def read(path: Path) -> Manifest | None:
    """``None`` when there is none, or none that can be understood."""
    try:
        said = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return said if said.format == _FORMAT else None


def write(path: Path, manifest: Manifest) -> None:
    """Whole or not at all, and to last."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        file.write(msgspec.json.encode(manifest))
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def look(folder: Path, manifest: Manifest, *, read_all: bool = False) -> Look:
    """Does the folder hold what it did? ``read_all`` does not trust sizes and times."""
    known = {each.path: each for each in manifest.entries}
    damaged: list[str] = []
    inodes: set[int] = set()
    touched: list[Entry] = []
    for name, path, found in _below(folder):
        entry = known.pop(name, None)
        if entry is None:
            damaged += [f"{name} was added"] if manifest.strict else []
        elif not entry.looks_like(found) or stat.S_ISLNK(found.st_mode) or read_all:
            now = _entry_or_none(name, path, found)
            if now is None or not _same(entry, now):
                damaged.append(f"{name} was changed")
                inodes |= {found.st_ino} if found.st_nlink > 1 else set()
            elif now != entry:
                touched.append(now)
    damaged += [f"{name} is gone" for name in known]
    return Look(damaged=tuple(damaged), changed_inodes=frozenset(inodes), touched=tuple(touched))


def copied(folder: Path, manifest: Manifest) -> bool:
    """True when a copy looks the same in every size, time and mode; reads nothing."""
    known = {each.path: each for each in manifest.entries}
    for name, _, found in _below(folder):
        entry = known.pop(name, None)
        if entry is None or not entry.looks_like(found):
            return False
    return not known


def settled(manifest: Manifest, touched: tuple[Entry, ...], *, boot: str) -> Manifest:
    """The manifest that spares the next look the reading."""
    new = {each.path: each for each in touched}
    entries = [new.get(each.path, each) for each in manifest.entries]
    return msgspec.structs.replace(manifest, entries=entries, boot=boot)


def _same(entry: Entry, now: Entry) -> bool:
    return (entry.mode, entry.digest, entry.resolves) == (now.mode, now.digest, now.resolves)


def _below(folder: Path, prefix: str = "") -> Iterator[tuple[str, str, os.stat_result]]:
    """Name with ``/``, path and stat of everything below, sorted; a link is not followed."""
    with os.scandir(folder) as below:
        entries = sorted(below, key=lambda each: each.name)
    for entry in entries:
        # On Windows an entry's own stat lacks the count of links.
        found = Path(entry.path).lstat() if sys.platform == "win32" else entry.stat(follow_symlinks=False)
        yield f"{prefix}{entry.name}", entry.path, found
        if entry.is_dir(follow_symlinks=False):
            yield from _below(Path(entry.path), f"{prefix}{entry.name}/")


def _entry_or_none(name: str, path: str, found: os.stat_result) -> Entry | None:
    try:
        return _entry(name, path, found)
    except OSError:
        return None


def _entry(name: str, path: str, found: os.stat_result) -> Entry:
    is_file, is_link = stat.S_ISREG(found.st_mode), stat.S_ISLNK(found.st_mode)
    digest = _digest(path) if is_file else str(Path(path).readlink()) if is_link else ""
    return Entry(
        path=name,
        mode=found.st_mode,
        size_bytes=found.st_size if is_file else 0,
        changed_ns=found.st_mtime_ns if is_file else 0,
        digest=digest,
        resolves=not is_link or Path(path).exists(),
    )


def _digest(path: str) -> str:
    hashed = hashlib.blake2b(digest_size=16)
    with Path(path).open("rb", buffering=0) as file:
        while data := file.read(_CHUNK_BYTES):
            hashed.update(data)
    return hashed.hexdigest()
