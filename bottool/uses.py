"""Who uses a thing: a file per user, locked while it does, and let go by the system when the user dies.

Knows nothing of what is used. Callers hold a lock of their own around ``begin`` and ``in_use``, so that nobody comes in
between.
"""

import contextlib
import os
import uuid
from pathlib import Path

from bottool.locks import try_lock


def begin(folder: Path, name: str) -> int:
    """Use the thing ``name`` from now on; the handle, when closed, ends that. Dead users' files are cleared away."""
    folder.mkdir(parents=True, exist_ok=True)
    in_use(folder)
    handle = os.open(folder / f"{name}.{uuid.uuid4().hex}", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    if not try_lock(handle):
        os.close(handle)
        raise OSError("a new lock is taken already")
    return handle


def in_use(folder: Path) -> set[str]:
    """The names of the things in the folder that somebody uses."""
    used: set[str] = set()
    with contextlib.suppress(FileNotFoundError):
        for file in list(folder.iterdir()):
            if _is_held(file):
                used.add(file.name.partition(".")[0])
            else:
                with contextlib.suppress(OSError):
                    file.unlink()
    return used


def _is_held(file: Path) -> bool:
    try:
        handle = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        return not try_lock(handle)
    finally:
        os.close(handle)
