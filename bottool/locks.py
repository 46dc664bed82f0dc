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


@contextlib.contextmanager
def locked(path: Path, *, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of the file ``path``, which is made when missing; waits as long as it takes.

    ``waiting`` is called once when somebody else holds it. Two threads of one process exclude each other too.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        is_ours = try_lock(handle)
        if not is_ours:
            waiting()
        while not is_ours:
            time.sleep(_LOOK_SECONDS)
            is_ours = try_lock(handle)
        yield
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
