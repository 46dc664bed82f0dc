"""Where bytes lie: packages by their checksum, output in chunks. On disk; knows no database and nobody's rights.

Nothing is ever addressed by a name that came from outside, and nothing half-written is ever seen: bytes go to a
temporary file, to the disk, and then get their name.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from bottool.errors import NotFound, TooBig, Unavailable

PIECE_BYTES = 256 * 1024
SPOOL_BYTES = 500_000
LOOK_BYTES = 64 * 1024 * 1024
"""After so many bytes of one file, look again whether the disk has room."""
UNUSED_SECONDS = 3600.0
"""What came within this time is never swept away: whoever sent it may still be writing that it is needed."""
_CHECKSUM = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    sha256: str
    size_bytes: int


class Files:
    """The folder of a site, of which one process at a time has one. ``root`` is made when it is missing.

    So much room on the disk as ``floor_bytes`` is left to what matters more than another file: the database.
    """

    def __init__(self, root: Path, *, floor_bytes: int = 0) -> None:
        self.root = root
        self._floor_bytes = floor_bytes
        self._naming = threading.Lock()
        root.mkdir(parents=True, exist_ok=True, mode=0o700)  # packages and output are nobody else's business
        for name in ("packages", "artifacts", "output", "incoming"):
            (root / name).mkdir(parents=True, exist_ok=True)
        for left in (root / "incoming").iterdir():  # by a server that was killed
            left.unlink(missing_ok=True)

    def add_package(
        self, pieces: Iterable[bytes], *, limit_bytes: int, check: Callable[[Path], None] = lambda _: None
    ) -> Stored:
        """Keep a package under its SHA-256; the same bytes twice are kept once.

        ``check`` sees the whole file before it gets its name; what it raises keeps the file out.

        :raises TooBig: as soon as there are more than ``limit_bytes``; nothing stays.
        """
        return self._add(self._package, pieces, limit_bytes, check)

    def add_artifact(self, pieces: Iterable[bytes], *, limit_bytes: int) -> Stored:
        """Keep what a bot sent, as ``add_package`` does; an empty file is one too.

        Write within ``UNUSED_SECONDS`` who needs it: bytes that no row names are swept away after that.

        :raises TooBig: as soon as there are more than ``limit_bytes``; nothing stays.
        :raises Unavailable: when the disk has no room for it.
        """
        return self._add(self._artifact, pieces, limit_bytes, lambda _: None)

    def scratch(self) -> IO[bytes]:
        """A file without a name for what came in a form: on the site's own disk once it is large, and gone when closed.

        :raises Unavailable: when the disk is nearly full.
        """
        self.check_room(0)
        # Whoever reads the form closes it.
        folder = str(self.root / "incoming")
        return cast("IO[bytes]", tempfile.SpooledTemporaryFile(SPOOL_BYTES, dir=folder))

    def spooled(self, pieces: Iterable[bytes]) -> tuple[IO[bytes], int]:
        """``pieces`` in a ``scratch`` file, ready to be read from its beginning, and how many bytes they are.

        :raises Unavailable: when the disk is nearly full.
        """
        file = self.scratch()
        try:
            for piece in pieces:
                file.write(piece)
            size = file.tell()
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file, size

    def check_room(self, size_bytes: int) -> None:
        """:raises Unavailable: when so many bytes more would leave less room on the disk than the site needs."""
        free = shutil.disk_usage(self.root).free
        if free - size_bytes < self._floor_bytes:
            raise Unavailable(
                f"the server's disk is nearly full: {free // 2**20} MB are left",
                "make room on the server, or let its settings leave less free",
            )

    def unused_artifacts(self, folders: Iterable[int]) -> list[str]:
        """Checksums in some of the 256 folders that may be swept away, unless somebody needs them: the old ones."""
        found = []
        for number in folders:
            folder = self.root / "artifacts" / f"{number:02x}"
            if folder.is_dir():
                found += [each.name for each in folder.iterdir() if _CHECKSUM.fullmatch(each.name) and _is_old(each)]
        return found

    def forget_artifact(self, sha256: str) -> bool:
        """Drop bytes that nobody needs; False when they came, or came again, too recently to know.

        May be repeated, and killed anywhere.
        """
        path = self._artifact(sha256)
        with self._naming:
            if not _is_old(path):
                return False
            try:
                path.unlink(missing_ok=True)
            except PermissionError:  # Windows, while it is being sent: another sweep finds it again
                return False
        return True

    def _add(
        self,
        place: Callable[[str], Path],
        pieces: Iterable[bytes],
        limit_bytes: int,
        check: Callable[[Path], None],
    ) -> Stored:
        descriptor, name = tempfile.mkstemp(dir=self.root / "incoming")
        incoming = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                stored = self._received(file, pieces, limit_bytes)
            check(incoming)
            target = place(stored.sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._naming:
                # Windows cannot replace a file that somebody is being sent. One that was cut short is made good.
                if target.exists() and target.stat().st_size == stored.size_bytes:
                    os.utime(target)  # as new as if it had come now, see forget_artifact
                else:
                    incoming.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise Unavailable("the server's disk is full", "make room on the server, then send it again") from error
        finally:
            incoming.unlink(missing_ok=True)
        return stored

    def _received(self, file: IO[bytes], pieces: Iterable[bytes], limit_bytes: int) -> Stored:
        """Write ``pieces`` to the disk, one at a time."""
        digest, size, looked_at = hashlib.sha256(), 0, 0
        self.check_room(0)
        for piece in pieces:
            size += len(piece)
            if size > limit_bytes:
                raise TooBig(f"the file has more than {limit_bytes // 2**20} MB", "raise the limit, or send less")
            if size - looked_at >= LOOK_BYTES:
                looked_at = size
                self.check_room(0)
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
        return Stored(sha256=digest.hexdigest(), size_bytes=size)

    def package(self, sha256: str) -> Path:
        """The file with that checksum.

        :raises NotFound: when it is not here.
        """
        path = self._package(sha256)
        if not path.is_file():
            raise NotFound("the file of this version is missing on the server", "deploy the version again")
        return path

    def artifact(self, sha256: str) -> Path:
        """The file with that checksum.

        :raises NotFound: when it is not here.
        """
        path = self._artifact(sha256)
        if not path.is_file():
            raise NotFound("the file is missing on the server")
        return path

    def _package(self, sha256: str) -> Path:
        return self._named("packages", sha256)

    def _artifact(self, sha256: str) -> Path:
        return self._named("artifacts", sha256)

    def _named(self, kind: str, sha256: str) -> Path:
        if not _CHECKSUM.fullmatch(sha256):
            raise NotFound("this is no checksum")
        return self.root / kind / sha256[:2] / sha256

    def write_chunk(self, attempt_id: int, start: int, data: bytes) -> None:
        """Keep a piece of an attempt's output; the same place twice keeps the longer one.

        What lies at a place never changes, so of two pieces that begin there one is the beginning of the other, and
        a late repetition must not cut off what was counted already.
        """
        folder = self.root / "output" / str(int(attempt_id))
        folder.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self.root / "incoming")
        incoming = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            target = folder / f"{int(start):012d}"
            with self._naming:
                if not target.exists() or target.stat().st_size < len(data):
                    incoming.replace(target)
        finally:
            incoming.unlink(missing_ok=True)  # on a full disk above all: what is repeated must not fill it further
        sync_folder(folder)

    def read_chunk(self, attempt_id: int, start: int) -> bytes:
        """The bytes of one chunk; empty when the file is gone."""
        try:
            return (self.root / "output" / str(int(attempt_id)) / f"{int(start):012d}").read_bytes()
        except FileNotFoundError:
            return b""


def _is_old(path: Path) -> bool:
    try:
        # By the clock of the disk, which wrote the other time.
        return time.time() - path.stat().st_mtime >= UNUSED_SECONDS
    except FileNotFoundError:
        return False


def pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def sync_folder(folder: Path) -> None:
    """Make names in ``folder`` survive a power cut, where the system can (Windows cannot open a folder)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
