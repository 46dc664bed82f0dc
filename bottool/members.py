"""What a reader of archives yields, and how far it reads: shared by ``zip_reader`` and ``tar_reader``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bottool.errors import ArchiveError

CHUNK_BYTES = 64 * 1024
_SHOWN_CHARACTERS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large an archive may be; a server takes less of strangers.

    ``ratio`` counts from ``ratio_from_bytes`` unpacked on: little files pack well.
    """

    packed_bytes: int = 2 * 1024**3
    unpacked_bytes: int = 4 * 1024**3
    file_bytes: int = 1_000_000_000
    ratio: int = 100
    ratio_from_bytes: int = 32 * 1024**2
    files: int = 20_000
    jar_files: int = 200_000
    """Jars are never unpacked, and those with all their dependencies inside are full of small files."""
    depth: int = 40
    name_bytes: int = 200
    path_bytes: int = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file or folder inside an archive. ``chunks`` reads its data, once, before the next member is asked for."""

    name: str
    is_folder: bool
    executable: bool
    size_bytes: int
    chunks: Callable[[], Iterator[bytes]]


class Meter:
    """Counts what comes out of an archive, and stops a reader that would unpack too much."""

    def __init__(self, limits: Limits, packed_bytes: int) -> None:
        self.limits = limits
        self.packed_bytes = packed_bytes
        self.unpacked_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count bytes before they are kept.

        :raises ArchiveError: ``too_big`` or ``ratio``.
        """
        self.unpacked_bytes += size_bytes
        if self.unpacked_bytes > self.limits.unpacked_bytes:
            raise refused("too_big", f"it unpacks to more than {self.limits.unpacked_bytes} bytes")
        allowed = max(self.limits.ratio_from_bytes, self.packed_bytes * self.limits.ratio)
        if self.unpacked_bytes > allowed:
            raise refused("ratio", f"it unpacks to more than {self.limits.ratio} times its size")

    def check_file(self, name: str, size_bytes: int) -> None:
        """Refuse a member that says it is larger than a file may be."""
        if size_bytes > self.limits.file_bytes:
            raise refused("too_big", f"'{shown(name)}' is larger than {self.limits.file_bytes} bytes")


def refused(reason: str, message: str, hint: str = "") -> ArchiveError:
    """An ``ArchiveError`` without the archive's name, which ``archive_check`` puts in front."""
    return ArchiveError(message, hint, reason=reason)


def shown(name: str) -> str:
    """A member's name for a message: control characters escaped, cut when long."""
    text = name if name.isprintable() else repr(name)[1:-1]
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
