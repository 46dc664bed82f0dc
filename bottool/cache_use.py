"""What the cache holds and how large it is, and the removal of what was not used for the longest time.

Never removes what somebody uses or makes. Knows no language and no server.
"""

import contextlib
import shutil
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bottool import working_folder
from bottool.environments import ENVIRONMENTS, PACKAGES, TREES
from bottool.shelf import STORES, Shelf, Thing
from bottool.working_folder import SPARES

MADE = (PACKAGES, TREES, ENVIRONMENTS)
KINDS = (*MADE, SPARES, STORES)
_BLOCK_BYTES = 512
_SUMMARY = "usage.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing of the cache. ``own_bytes`` nothing else has; ``shared``: files with several names, by inode."""

    thing: Thing
    label: str
    used_at: float
    in_use: bool
    own_bytes: int
    shared: dict[int, int] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return self.own_bytes + sum(self.shared.values())


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """``usage.json`` in the cache: what the last measurement found, for whoever cannot wait for one."""

    size_bytes: int
    things: int
    at: float


@dataclass(slots=True, kw_only=True)
class Total:
    """How much there is in all, while things go. A file with several names goes with the last of them."""

    size_bytes: int = 0
    names: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, things: Iterable[Kept]) -> "Total":
        total = cls()
        for kept in things:
            total.size_bytes += kept.own_bytes
            for inode, size_bytes in kept.shared.items():
                total.size_bytes += size_bytes if inode not in total.names else 0
                total.names[inode] = total.names.get(inode, 0) + 1
        return total

    def without(self, kept: Kept) -> None:
        self.size_bytes -= kept.own_bytes
        for inode, size_bytes in kept.shared.items():
            self.names[inode] -= 1
            self.size_bytes -= 0 if self.names[inode] else size_bytes


def measured(shelf: Shelf) -> list[Kept]:
    """Everything in the cache, the longest unused first. Looks at every file."""
    found = [_kept(shelf, thing) for kind in KINDS for thing in shelf.things(kind)]
    _write_summary(shelf.root, Summary(size_bytes=Total.of(found).size_bytes, things=len(found), at=time.time()))
    return sorted(found, key=lambda kept: (kept.used_at, kept.thing))


def summary(root: Path) -> Summary | None:
    """The last measurement; ``None`` when there was none."""
    try:
        return msgspec.json.decode((root / _SUMMARY).read_bytes(), type=Summary)
    except (OSError, msgspec.MsgspecError):
        return None


def shrunk(shelf: Shelf, things: list[Kept], *, limit_bytes: int, free_bytes: int) -> list[Kept]:
    """Remove what was not used for the longest time until the rest fits and that much of the disk is free."""
    total, removed = Total.of(things), []
    for kept in things:
        if total.size_bytes <= limit_bytes and free(shelf.root) >= free_bytes:
            break
        if kept.size_bytes and _removed(shelf, kept.thing):
            total.without(kept)
            removed.append(kept)
    if removed:
        _write_summary(
            shelf.root, Summary(size_bytes=total.size_bytes, things=len(things) - len(removed), at=time.time())
        )
    return removed


def free(folder: Path) -> int:
    """Free bytes of the disk that the folder lies on, or will lie on."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


def _removed(shelf: Shelf, thing: Thing) -> bool:
    return shelf.empty_store(thing.key) if thing.kind == STORES else shelf.remove(thing)


def _kept(shelf: Shelf, thing: Thing) -> Kept:
    about = shelf.about(Thing(TREES, thing.key) if thing.kind == SPARES else thing)
    own_bytes, shared = _size(shelf.place(thing))
    return Kept(
        thing=thing,
        label=thing.key if about is None else about.label,
        used_at=shelf.used_at(Thing(TREES, thing.key) if thing.kind == SPARES else thing),
        in_use=shelf.in_use(thing),
        own_bytes=own_bytes,
        shared=shared,
    )


def _size(folder: Path) -> tuple[int, dict[int, int]]:
    """What the files take of the disk: those with one name in all, the others one by one."""
    own_bytes, shared = 0, {}
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            found = path.lstat()
            size_bytes = getattr(found, "st_blocks", -(-found.st_size // _BLOCK_BYTES)) * _BLOCK_BYTES
            if found.st_nlink > 1 and stat.S_ISREG(found.st_mode):
                shared[found.st_ino] = size_bytes
            else:
                own_bytes += size_bytes
    return own_bytes, shared


def _write_summary(root: Path, found: Summary) -> None:
    if root.is_dir():
        part = root / f".{_SUMMARY}.part"
        with contextlib.suppress(OSError):
            part.write_bytes(msgspec.json.encode(found))
            part.replace(root / _SUMMARY)


def wants_spare(shelf: Shelf, thing: Thing) -> int:
    """How many bytes a copy of this tree, made ahead, would take; 0 when there is one, or none is worth it."""
    about = shelf.about(thing)
    if about is None or not working_folder.takes_long(about) or working_folder.has_spare(shelf, thing):
        return 0
    return about.size_bytes
