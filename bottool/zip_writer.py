"""Writes zip files: same members, same bytes. Knows the format, and nothing of where members come from.

Members carry 1980-01-01, a plain mode and no other notes; sizes stand in front of the data. What is larger than the
format's first limits gets the 64-bit records. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4.
"""

import hashlib
import mmap
import stat
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from bottool import deflating

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_STORED, _DEFLATED = 0, 8
_UTF8 = 0x0800
_DATE = 1 << 5 | 1
"""The first of January 1980: the earliest that a zip can say."""
_UNIX = 3
_DOS_FOLDER = 0x10
_PLAIN, _WITH_64_BITS = 20, 45
_MAX_32, _MAX_16 = 0xFFFFFFFF, 0xFFFF
_EXTRA_64 = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A member ready to be written. ``data`` is what goes into the file: compressed, or as it is."""

    name: str
    mode: int
    size_bytes: int
    checksum: int
    sha256: str
    data: bytes | bytearray
    is_compressed: bool


def piece_of(name: str, data: bytes, *, store: bool = False) -> Piece:
    """A member made of its content; ``store`` leaves it uncompressed."""
    packed = None if store else deflating.compressed(data)
    return Piece(
        name=name,
        mode=deflating.mode_of(data),
        size_bytes=len(data),
        checksum=deflating.checksum(data),
        sha256=hashlib.sha256(data).hexdigest(),
        data=data if packed is None else packed,
        is_compressed=packed is not None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What the directory says of a member."""

    name: bytes
    flags: int
    method: int
    checksum: int
    packed_bytes: int
    size_bytes: int
    mode: int
    offset: int
    with_64_bits: bool


class ZipWriter:
    """Writes into an empty file that can be read and sought; ``close`` makes it a zip."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0
        self._rows: list[bytes] = []

    def add(self, piece: Piece) -> None:
        row = self._row(
            piece.name,
            piece.mode,
            method=_DEFLATED if piece.is_compressed else _STORED,
            checksum=piece.checksum,
            sizes=(len(piece.data), piece.size_bytes),
        )
        header = _local(row)
        self._file.write(header)
        self._file.write(piece.data)
        self._at += len(header) + len(piece.data)
        self._rows.append(_central(row))

    def add_folder(self, name: str) -> None:
        """``name`` ends in ``/``."""
        self.add(Piece(name=name, mode=0o755, size_bytes=0, checksum=0, sha256="", data=b"", is_compressed=False))

    def add_large(self, name: str, chunks: Iterable[bytes], size_bytes: int) -> str:
        """Add what should not be held in memory; returns its SHA-256.

        It is copied into the file first, where nobody else changes it, and compressed from there by mapping it.
        """
        row = self._row(name, 0o644, method=_STORED, checksum=0, sizes=(size_bytes, size_bytes))
        header_bytes = len(_local(row))
        start = self._at + header_bytes
        self._file.seek(start)
        digest, checksum, head = hashlib.sha256(), 0, b""
        for chunk in chunks:
            head = head or chunk[: deflating.HEAD_BYTES]
            digest.update(chunk)
            checksum = deflating.checksum(chunk, checksum)
            self._file.write(chunk)
        packed = self._compressed(start, start + size_bytes)
        if packed is not None:
            self._file.seek(start)
            self._file.write(packed)
            self._file.truncate()
        row = self._row(
            name,
            deflating.mode_of(head),
            method=_STORED if packed is None else _DEFLATED,
            checksum=checksum,
            sizes=(size_bytes if packed is None else len(packed), size_bytes),
        )
        self._file.seek(self._at)
        self._file.write(_local(row))
        self._at = self._file.seek(0, 2)
        self._rows.append(_central(row))
        return digest.hexdigest()

    def _compressed(self, start: int, end: int) -> bytearray | None:
        self._file.flush()
        with (
            mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as whole,
            whole[start:end] as data,
        ):
            return deflating.compressed(data)

    def _row(self, name: str, mode: int, *, method: int, checksum: int, sizes: tuple[int, int]) -> _Row:
        packed_bytes, size_bytes = sizes
        return _Row(
            name=name.encode("utf-8", "surrogateescape"),
            flags=0 if name.isascii() else _UTF8,
            method=method,
            checksum=checksum,
            packed_bytes=packed_bytes,
            size_bytes=size_bytes,
            mode=mode,
            offset=self._at,
            with_64_bits=size_bytes >= _MAX_32 or self._at >= _MAX_32,
        )

    def close(self) -> None:
        """Write the directory and the end record."""
        directory = b"".join(self._rows)
        count, size, offset = len(self._rows), len(directory), self._at
        self._file.write(directory)
        if count >= _MAX_16 or size >= _MAX_32 or offset >= _MAX_32:
            length = _END_64.size - 12
            versions = (_UNIX << 8 | _WITH_64_BITS, _WITH_64_BITS)
            self._file.write(_END_64.pack(b"PK\x06\x06", length, *versions, 0, 0, count, count, size, offset))
            self._file.write(_LOCATOR_64.pack(b"PK\x06\x07", 0, offset + size, 1))
        counted = min(count, _MAX_16)
        end = _END.pack(b"PK\x05\x06", 0, 0, counted, counted, min(size, _MAX_32), min(offset, _MAX_32), 0)
        self._file.write(end)


def _local(row: _Row) -> bytes:
    packed, size, extra = row.packed_bytes, row.size_bytes, b""
    if row.with_64_bits and size >= _MAX_32:
        extra = struct.pack("<2H2Q", _EXTRA_64, 16, size, packed)
        packed = size = _MAX_32
    head = _LOCAL.pack(
        b"PK\x03\x04",
        _WITH_64_BITS if extra else _PLAIN,
        row.flags,
        row.method,
        0,
        _DATE,
        row.checksum,
        packed,
        size,
        len(row.name),
        len(extra),
    )
    return head + row.name + extra


def _central(row: _Row) -> bytes:
    wide = [each for each in (row.size_bytes, row.packed_bytes, row.offset) if each >= _MAX_32]
    extra = struct.pack(f"<2H{len(wide)}Q", _EXTRA_64, 8 * len(wide), *wide) if wide else b""
    is_folder = row.name.endswith(b"/")
    kind = stat.S_IFDIR if is_folder else stat.S_IFREG
    version = _WITH_64_BITS if extra else _PLAIN
    head = _CENTRAL.pack(
        b"PK\x01\x02",
        *(version, _UNIX, version, 0),
        *(row.flags, row.method, 0, _DATE),
        row.checksum,
        min(row.packed_bytes, _MAX_32),
        min(row.size_bytes, _MAX_32),
        *(len(row.name), len(extra), 0, 0, 0),
        (kind | row.mode) << 16 | (_DOS_FOLDER if is_folder else 0),
        min(row.offset, _MAX_32),
    )
    return head + row.name + extra
