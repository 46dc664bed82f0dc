"""Reads files that must not change meanwhile: once, and with an error that names the one which did.

Knows no archive. What is compared is size and time of change, before the first byte is read and after the last.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import ProjectError

_CHUNK_BYTES = 1024 * 1024
_HINT = "close what writes into the bot's folder, or exclude that file in bot.toml; then build again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """A file as it was when it was first looked at. ``name`` is what an error calls it."""

    name: str
    path: Path
    size_bytes: int
    changed_ns: int

    @classmethod
    def look(cls, name: str, path: Path) -> "Steady":
        """:raises ProjectError: when it is not there, or may not be looked at."""
        with _named(name):
            found = path.stat()
        return cls(name=name, path=path, size_bytes=found.st_size, changed_ns=found.st_mtime_ns)

    def read(self) -> bytes:
        """All of it.

        :raises ProjectError: when it changed meanwhile, or cannot be read.
        """
        with _named(self.name), self.path.open("rb", buffering=0) as file:
            # One byte more than it has: a file that grew is found out without asking twice.
            data = file.read(self.size_bytes + 1)
            while len(data) < self.size_bytes:
                more = file.read(self.size_bytes + 1 - len(data))
                if not more:
                    break
                data += more
            self._refuse_changed(os.fstat(file.fileno()), len(data))
        return data

    def chunks(self) -> Iterator[bytes]:
        """All of it in pieces, for what is too large to be held at once.

        :raises ProjectError: as ``read``.
        """
        read_bytes = 0
        with _named(self.name), self.path.open("rb", buffering=0) as file:
            while read_bytes <= self.size_bytes and (data := file.read(_CHUNK_BYTES)):
                read_bytes += len(data)
                yield data
            self._refuse_changed(os.fstat(file.fileno()), read_bytes)

    def _refuse_changed(self, after: os.stat_result, read_bytes: int) -> None:
        if (read_bytes, after.st_size, after.st_mtime_ns) != (self.size_bytes, self.size_bytes, self.changed_ns):
            raise ProjectError(f"'{self.name}' changed while it was packed", _HINT)


@contextmanager
def _named(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise ProjectError(f"'{name}' is gone: it changed while it was packed", _HINT) from error
    except OSError as error:
        hint = "allow this user to read it, or exclude it in bot.toml"
        raise ProjectError(f"'{name}' cannot be read: {error.strerror or error}", hint) from error
