"""Things that are made once on this machine, by one process at a time, checked before each use, and removed by none
who does not ask whether somebody uses them.

A thing is there when its ``.ready`` names its folder; that file is written last. A maker that is killed leaves a folder
that nothing names: the next one takes a new one, because a tool that outlived its maker may still write into the old.
Whoever uses a thing holds a use of its folder, until ``release`` or death. A thing that is found damaged, by whatever
or by a power cut, is forgotten and made anew, beside the damaged folder if somebody still uses that. Knows neither
packages nor languages.

    <root>/<kind>/<key>/.ready                     the name of the folder; its time is that of the last use
    <root>/<kind>/<key>/.<folder>.manifest         what the folder held when it was made
    <root>/<kind>/<key>/<folder>/
    <root>/stores/<name>/                          what things are made from quickly; emptied while nobody makes one
    <root>/stores/<name>/keep/                     but for this
    <root>/uses/<kind>-<key>/<folder>.<random>     a use, locked by its user
    <root>/locks/<kind>-<key>.lock                 held to make, to begin a use and to remove
    <root>/doomed/                                 is being removed
"""

import contextlib
import os
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bottool import manifests, uses
from bottool.errors import SettingsError
from bottool.locks import locked, locked_if_free
from bottool.process import boot_id, same_boot

KEEP = "keep"
STORES = "stores"
_READY = ".ready"
_NAME_LENGTH = 6
"""Short, because an environment's path stands in the first lines of scripts, where systems cut it off."""
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """What is meant; whether it is there is another question."""

    kind: str
    key: str

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is written down of a thing when it is made. ``store``: the one that it may share files with."""

    label: str
    strict: bool = True
    store: str = ""


class Shelf:
    """Many processes may use one at once. What this object was given stays in use until ``release``."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        # Plain handles: an object that is forgotten must not end a use; the end of the process does.
        self._held: dict[tuple[Thing, str], int] = {}

    def release(self) -> None:
        """End the use of everything."""
        while self._held:
            _, handle = self._held.popitem()
            os.close(handle)

    def have(
        self, thing: Thing, fill: Callable[[Path], None], about: About, waiting: Callable[[], None] = lambda: None
    ) -> Path:
        """The thing's folder, to use; ``fill`` gets a new, empty one when it is not there or is damaged.

        An error of ``fill`` leaves nothing of it.
        """
        while True:
            if (found := self.use(thing)) is not None:
                return found
            with self.locked(thing, waiting):
                if self.made(thing) is None:
                    return self._begin_use(thing, self._make(thing, fill, about))

    def use(self, thing: Thing, *, counts: bool = True) -> Path | None:
        """The thing's folder, to use; ``None`` when it is not there. One that is damaged is not there from now on.

        A use that does not count leaves the time of the last one as it is.
        """
        if self.made(thing) is None:
            return None
        with self.locked(thing):
            if (folder := self.made(thing)) is None:
                return None
            self._begin_use(thing, folder)
        if self.check(thing, folder):
            if counts:
                with contextlib.suppress(OSError):
                    os.utime(self.place(thing) / _READY)
            return folder
        os.close(self._held.pop((thing, folder.name)))
        return None

    def check(self, thing: Thing, folder: Path, *, read_all: bool = False) -> bool:
        """Is the folder still what was made? If not, it is forgotten, and so is the store that shares the damage."""
        path = self._manifest(thing, folder)
        known = manifests.read(path)
        if known is not None:
            # Nobody waited for the disk when it was made: after a power cut all of it is read once.
            boot = known.boot if not known.boot or same_boot(known.boot, boot_id()) else ""
            try:
                look = manifests.look(folder, known, read_all=read_all or boot != known.boot)
            except OSError as error:
                look = manifests.Look(damaged=(str(error),))
            if look.is_sound:
                if look.touched or boot != known.boot:
                    with contextlib.suppress(OSError):
                        manifests.write(path, manifests.settled(known, look.touched, boot=boot))
                return True
            if look.changed_inodes:
                self._distrust(known.store, look.changed_inodes)
        with self.locked(thing):
            if self.made(thing) == folder:
                (self.place(thing) / _READY).unlink(missing_ok=True)
        return False

    def about(self, thing: Thing) -> manifests.Manifest | None:
        """What was written down when the thing was made."""
        folder = self.made(thing)
        return None if folder is None else manifests.read(self._manifest(thing, folder))

    def made(self, thing: Thing) -> Path | None:
        """The thing's folder, only to look at."""
        place = self.place(thing)
        try:
            name = (place / _READY).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return None
        return place / name if name.isalnum() and (place / name).is_dir() else None

    def used_at(self, thing: Thing) -> float:
        """When the thing was last used, or last made from; long ago when it is half-made."""
        place = self.place(thing)
        with contextlib.suppress(OSError):
            return (place if thing.kind == STORES else place / _READY).stat().st_mtime
        return 0.0

    def in_use(self, thing: Thing) -> bool:
        return bool(uses.in_use(self._uses(thing)))

    def things(self, kind: str) -> list[Thing]:
        """All of a kind, half-made ones too."""
        with contextlib.suppress(OSError):
            return sorted(Thing(kind, each.name) for each in (self.root / kind).iterdir() if each.is_dir())
        return []

    def remove(self, thing: Thing) -> bool:
        """Take the thing away unless somebody uses it, or makes it; ``False`` then."""
        with self._if_free(thing) as is_free:
            if is_free:
                self._throw_away(self.place(thing))
                with contextlib.suppress(OSError):
                    self._uses(thing).rmdir()
        self.sweep()
        return is_free

    def remove_stale(self, thing: Thing) -> None:
        """Take away folders of the thing that nothing names and nobody uses; not while somebody makes it."""
        with locked_if_free(self._lock(thing)) as is_ours:
            if is_ours:
                folder = self.made(thing)
                self._clear(thing, {folder.name} if folder else set())

    @contextlib.contextmanager
    def store(self, name: str) -> Iterator[Path]:
        """A store while something is made from it: it is not emptied meanwhile."""
        thing = Thing(STORES, name)
        with self.locked(thing):
            folder = self.place(thing)
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)
            handle = uses.begin(self._uses(thing), name)
        try:
            yield folder
        finally:
            os.close(handle)

    def empty_store(self, name: str) -> bool:
        """Throw away what can be fetched again; ``False`` while something is made from it."""
        thing = Thing(STORES, name)
        with self._if_free(thing) as is_free:
            if is_free:
                self._empty(self.place(thing))
        self.sweep()
        return is_free

    def sweep(self) -> None:
        """Finish removals, those of the dead too."""
        doomed = self.root / "doomed"
        with contextlib.suppress(OSError):
            for each in list(doomed.iterdir()):
                remove_folder(each)

    @contextlib.contextmanager
    def locked(self, thing: Thing, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """:raises SettingsError: when nothing can be written here."""
        with locked(self._lock(thing), waiting=waiting):
            yield

    def place(self, thing: Thing) -> Path:
        return self.root / thing.kind / thing.key

    def _lock(self, thing: Thing) -> Path:
        folder = self.root / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise no_place(self.root, error) from error
        return folder / f"{thing.name}.lock"

    def _uses(self, thing: Thing) -> Path:
        return self.root / "uses" / thing.name

    def _manifest(self, thing: Thing, folder: Path) -> Path:
        return self.place(thing) / f".{folder.name}.manifest"

    def _begin_use(self, thing: Thing, folder: Path) -> Path:
        if (thing, folder.name) not in self._held:
            self._held[thing, folder.name] = uses.begin(self._uses(thing), folder.name)
        return folder

    def _make(self, thing: Thing, fill: Callable[[Path], None], about: About) -> Path:
        self._clear(thing)
        folder = self.place(thing) / uuid.uuid4().hex[:_NAME_LENGTH]
        folder.mkdir(parents=True)
        try:
            fill(folder)
            known = {"label": about.label, "store": about.store, "boot": boot_id()}
            manifests.write(self._manifest(thing, folder), manifests.taken(folder, strict=about.strict, **known))
            _declare_ready(self.place(thing), folder)
        except BaseException:
            self._clear(thing)
            raise
        return folder

    def _clear(self, thing: Thing, but: set[str] | None = None) -> None:
        """Remove all folders of the thing that nobody uses; the caller holds its lock."""
        spared = uses.in_use(self._uses(thing)) | (but or set())
        place = self.place(thing)
        if not spared:
            remove_folder(place)
            return
        for each in list(place.iterdir()):
            if each.is_dir() and each.name not in spared:
                remove_folder(each)
                self._manifest(thing, each).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _if_free(self, thing: Thing) -> Iterator[bool]:
        with locked_if_free(self._lock(thing)) as is_ours:
            yield is_ours and not self.in_use(thing)

    def _throw_away(self, folder: Path) -> None:
        """Out of everybody's sight in one step; ``sweep`` does the rest."""
        doomed = self.root / "doomed"
        doomed.mkdir(exist_ok=True)
        try:
            folder.rename(doomed / uuid.uuid4().hex)
        except FileNotFoundError:
            pass
        except OSError:
            remove_folder(folder)

    def _distrust(self, name: str, inodes: frozenset[int]) -> None:
        """Empty a store that has one of the damaged files: whatever is made from it would have it too."""
        if not name:
            return
        thing = Thing(STORES, name)
        with self.locked(thing):
            while self.in_use(thing):
                time.sleep(_LOOK_SECONDS)
            if any(each in inodes for each in _inodes(self.place(thing))):
                self._empty(self.place(thing))
        self.sweep()

    def _empty(self, store: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            for each in list(store.iterdir()):
                if each.name != KEEP:
                    self._throw_away(each)


def no_place(root: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"cannot write into the cache '{root}': {error.strerror}", "BOTTOOL_CACHE names another folder"
    )


def remove_folder(folder: Path) -> None:
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
    elif folder.exists():
        folder.unlink(missing_ok=True)


def _let_us_write(path: Path) -> None:
    # Never through a link: it may lead to an interpreter of the system.
    if path.is_symlink() or not (path.is_dir() or sys.platform == "win32"):
        return
    with contextlib.suppress(OSError):
        path.chmod(path.stat().st_mode | stat.S_IRWXU)


def _declare_ready(place: Path, folder: Path) -> None:
    """Name the folder as the thing."""
    part = place / f"{_READY}.part"
    with part.open("w", encoding="ascii") as file:
        file.write(folder.name)
        file.flush()
        os.fsync(file.fileno())
    part.replace(place / _READY)


def _inodes(folder: Path) -> Iterator[int]:
    """Those of all files below; on Windows a look at each file is needed for that."""
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            found = path.lstat()
            if stat.S_ISREG(found.st_mode):
                yield found.st_ino
