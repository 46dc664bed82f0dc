"""What operating systems do differently for a runner: detached processes, standard input, making a rename last; locks.

Every platform switch of the runner is here (of locks: in ``bottool.locks``; of screens: in ``platform_screen``).
Knows no attempt and no server.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from bottool.locks import try_lock

_STEP_SECONDS = 0.02


class FileLock:
    """A lock that the system lets go of when its holder dies, however it dies. One instance is one holder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def acquire(self, wait_seconds: float = 0.0) -> bool:
        """Take the lock; ``False`` when another holds it for that long.

        :raises OSError: when the file cannot be made, for example because its folder is gone.
        """
        deadline = time.monotonic() + wait_seconds
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        while not try_lock(handle):
            if time.monotonic() >= deadline:
                os.close(handle)
                return False
            time.sleep(_STEP_SECONDS)
        self._handle = handle
        return True

    def release(self) -> None:
        """Let go; harmless when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def is_locked(path: Path) -> bool:
    """True while somebody holds the lock; false as well when there is no such file.

    Takes the lock for an instant, so whoever wants it must try for longer than that.
    """
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        free = lock.acquire()
    except OSError:
        return False
    lock.release()
    return not free


def wait_until_unlocked(path: Path, seconds: float) -> bool:
    """True as soon as nobody holds the lock; ``False`` when somebody still does after that time."""
    deadline = time.monotonic() + seconds
    while is_locked(path):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_STEP_SECONDS)
    return True


def make_lasting(folder: Path) -> None:
    """Write the folder's list of names to disk, so that a rename in it survives a power cut.

    Windows keeps such a list safe by itself and cannot open a folder for this.
    """
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def put_file(path: Path, data: bytes) -> None:
    """Put a file in its place, whole and to last, readable by its user only; replaces an older one."""
    fresh = path.with_name(f".{path.name}-{os.getpid()}-{threading.get_ident()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    make_lasting(path.parent)


def steady_clock() -> float:
    """Seconds that only ever go forward, also while the machine sleeps where the system can count that."""
    # Linux's plain monotonic clock stands still while the machine sleeps.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


def signals_to_end() -> list[signal.Signals]:
    """What asks a process to end: Ctrl-C, the service manager, a closed terminal or console."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def start_detached(arguments: list[str], **options: Any) -> "subprocess.Popen[bytes]":
    """Start a process that lives on when its parent, or its parent's terminal or job, ends."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        # Whoever started the runner may hold it in a job that ends with it; not every such job lets go of a child.
        with contextlib.suppress(PermissionError):
            return subprocess.Popen(arguments, creationflags=flags | subprocess.CREATE_BREAKAWAY_FROM_JOB, **options)
        return subprocess.Popen(arguments, creationflags=flags, **options)
    else:  # noqa: RET505 - the type checker knows a platform's branch by its shape
        return subprocess.Popen(arguments, start_new_session=True, **options)


def keep_pipes_to_myself() -> tuple[int, int]:
    """Move standard input and output to handles that no child inherits; leaves an empty input, and one way to print."""
    mine = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return mine
