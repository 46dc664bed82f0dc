"""A lock between processes, by a file: held by one at a time, and let go by the system when its holder dies.

Knows nothing of what is locked. The file stays; only the lock on it counts.
"""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_LOOK_SECONDS = 0.05
_AT_ONCE_SECONDS = 0.002
_WAIT_SECONDS = 0.1


@contextlib.contextmanager
def locked(path: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of the file ``path``, which is made when missing; waits as long as it takes.

    ``waiting`` is called once when somebody else holds it for longer than a moment. Two threads of one process exclude
    each other too.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        moment = time.monotonic() + _WAIT_SECONDS
        is_told = False
        while not try_lock(handle):
            is_late = time.monotonic() >= moment
            if is_late and not is_told:
                waiting()
                is_told = True
            time.sleep(_LOOK_SECONDS if is_late else _AT_ONCE_SECONDS)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """As ``locked``, without waiting: false when somebody else holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield try_lock(handle)
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def try_lock(handle: int) -> bool:
        """Take the lock of an open file if nobody has it; closing the file lets it go."""
        with contextlib.suppress(OSError):
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            return True
        return False

else:
    import fcntl

    def try_lock(handle: int) -> bool:
        """Take the lock of an open file if nobody has it; closing the file lets it go."""
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False
