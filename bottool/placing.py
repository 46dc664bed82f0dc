"""Where packages are written: an output folder in which several builds may work at once, and some may have died.

A build works in a folder of its own, ``.building-…``, whose lock it holds while it lives; what came out takes its place
in one step. What dead builds left behind goes when the next one begins. Knows no project.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bottool.errors import ProjectError
from bottool.locks import locked, try_lock

_PREFIX = ".building-"
_LOCK = "lock"
_UNLOCKED_SECONDS = 60
"""How long a folder may be without its lock before its maker counts as dead."""


@contextmanager
def output_folder(output: Path) -> Iterator[None]:
    """Make the folder, and take it away again when nothing comes to lie in it.

    :raises ProjectError: when it cannot be made, or not be written.
    """
    missing = [folder for folder in (output, *output.parents) if not folder.exists()]
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProjectError(f"'{output}' cannot be made: {error.strerror}", "name another folder by '--out'") from error
    try:
        yield
    finally:
        for folder in missing:
            # What holds something stays.
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def workplace(output: Path) -> Iterator[Path]:
    """An empty folder inside ``output``, of this build only."""
    _remove_dead(output)
    try:
        own = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=output))
    except OSError as error:
        message = f"'{output}' cannot be written: {error.strerror}"
        raise ProjectError(message, "name another folder by '--out'") from error
    try:
        with locked(own / _LOCK):
            work = own / "work"
            work.mkdir()
            yield work
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _remove_dead(output: Path) -> None:
    for folder in output.glob(f"{_PREFIX}*"):
        if folder.is_dir() and not folder.is_symlink() and _is_dead(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_dead(folder: Path) -> bool:
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        with suppress(OSError):
            return time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS
        return False
    try:
        return try_lock(handle)
    finally:
        os.close(handle)


def put(made: Path, target: Path) -> bool:
    """Give ``made`` the name ``target`` unless something has it: then False, and nothing is changed."""
    try:
        os.link(made, target)
    except FileExistsError:
        return False
    except OSError:
        # A file system without hard links.
        if target.exists():
            return False
        made.replace(target)
    return True
