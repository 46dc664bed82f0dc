"""A lock on a folder, held by one process until it releases it or ends, however it ends."""

import sys
from pathlib import Path
from typing import BinaryIO

from bottool.errors import SettingsError


class FolderLock:
    """Held from the moment that it is made.

    :raises SettingsError: when another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO | None = path.open("ab")
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise SettingsError(
                f"another server works in '{path.parent}'", "stop that one first, or choose another data folder"
            ) from error

    def release(self) -> None:
        """May be repeated."""
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":

    def _lock(file: BinaryIO) -> None:
        import msvcrt

        # One byte far behind the end: locked bytes cannot be read by others, and nothing is ever written there.
        file.seek(2**30)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:

    def _lock(file: BinaryIO) -> None:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
