"""An attempt's own copy of a bot's files, quick also when there are many.

A copy shares nothing with the tree that it is made from, so a bot may do to it what it likes. One that takes long is
made ahead, the spare, and renamed into place: ``make_spare`` is for whoever has time. Knows no package and no server.

    <root>/spares/.wanted                    a spare was used up, or missed
    <root>/spares/<key>/<boot>-<random>/     whole; the next attempt takes it
    <root>/spares/<key>/.new-<random>/       is being made
"""

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from pathlib import Path

from bottool.manifests import Manifest, copied
from bottool.process import boot_id
from bottool.shelf import Shelf, Thing, remove_folder

SPARES = "spares"
WANTED = ".wanted"
MANY_FILES = 300
MANY_BYTES = 20_000_000
"""From here on a copy takes long enough to be made ahead."""
_NEW = ".new-"


def takes_long(manifest: Manifest) -> bool:
    return len(manifest.entries) >= MANY_FILES or manifest.size_bytes >= MANY_BYTES


def provide(shelf: Shelf, thing: Thing, work: Path) -> None:
    """Let ``work`` be a fresh copy of a tree that is in use; what is there is removed first."""
    tree, manifest = shelf.made(thing), shelf.about(thing)
    if tree is None or manifest is None:
        raise FileNotFoundError(f"'{shelf.place(thing)}' is gone")
    remove_folder(work)
    work.parent.mkdir(parents=True, exist_ok=True)
    if not takes_long(manifest):
        copy(tree, work)
        return
    if not _take_spare(_spares(shelf, thing), manifest, work):
        copy(tree, work)
    with contextlib.suppress(OSError):
        (shelf.root / SPARES).mkdir(exist_ok=True)
        (shelf.root / SPARES / WANTED).touch()


def copy(source: Path, target: Path) -> None:
    """Copy a folder with times and modes; links stay links.

    :raises OSError: the first that happens; what was copied until then stays.
    """
    target.mkdir()
    with os.scandir(source) as found:
        for each in found:
            to = target / each.name
            if each.is_symlink():
                to.symlink_to(Path(each.path).readlink())
            elif each.is_dir():
                copy(Path(each.path), to)
            else:
                _copy_content(Path(each.path), to)
                shutil.copystat(each.path, to)
    shutil.copymode(source, target)


def has_spare(shelf: Shelf, thing: Thing) -> bool:
    return any(_spares(shelf, thing).glob(f"{_boot()}-*"))


def make_spare(shelf: Shelf, thing: Thing) -> bool:
    """Make a copy ahead unless there is one. May be killed at any point. ``False`` when the tree is not there.

    One from before a restart of the machine goes: nobody made sure that all of it reached the disk.
    """
    folder = _spares(shelf, thing)
    with shelf.locked(Thing(SPARES, thing.key)):
        if (tree := shelf.use(thing, counts=False)) is None:
            return False
        for each in list(folder.glob("*")) if folder.is_dir() else []:
            if not each.name.startswith(f"{_boot()}-"):
                remove_folder(each)
        if has_spare(shelf, thing):
            return True
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder / f"{_NEW}{uuid.uuid4().hex[:8]}"
        try:
            copy(tree, fresh)
            fresh.rename(folder / f"{_boot()}-{uuid.uuid4().hex[:8]}")
        except BaseException:
            remove_folder(fresh)
            raise
    return True


def _take_spare(folder: Path, manifest: Manifest, work: Path) -> bool:
    for spare in folder.glob(f"{_boot()}-*"):
        try:
            spare.rename(work)
        except FileNotFoundError:
            continue  # another attempt was quicker
        except OSError:
            return False  # another disk
        with contextlib.suppress(OSError):
            if copied(work, manifest):
                return True
        remove_folder(work)
    return False


def _copy_content(source: Path, target: Path) -> None:
    if not (hasattr(os, "copy_file_range") and _in_the_kernel(source, target)):
        shutil.copyfile(source, target)


def _in_the_kernel(source: Path, target: Path) -> bool:
    """Copy without the bytes coming up here; shares blocks on a disk that can. ``False`` where it is not possible."""
    with source.open("rb", buffering=0) as old, target.open("wb", buffering=0) as new:
        left = os.fstat(old.fileno()).st_size
        try:
            while left and (done := os.copy_file_range(old.fileno(), new.fileno(), left)):
                left -= done
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
    return not left


def _spares(shelf: Shelf, thing: Thing) -> Path:
    return shelf.root / SPARES / thing.key


def _boot() -> str:
    return hashlib.sha256(boot_id().encode()).hexdigest()[:8]
