"""Reads gzipped tar files strictly, in one pass and without ever going back.

The standard library follows links, sparse maps, sizes in extension headers and damaged headers; here each of them is
refused. Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; RFC 1952 for gzip.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from bottool.members import CHUNK_BYTES, Member, Meter, refused, shown

_GZIP = b"\x1f\x8b"
_BLOCK = 512
_HEADER_MAX_BYTES = 64 * 1024
"""The longest extension header that is read."""
_FILE_TYPES = frozenset({b"0", b"\0", b"7"})
_FOLDER = b"5"
_LINK_TYPES = frozenset({b"1", b"2"})
_SPECIAL_TYPES = frozenset({b"3", b"4", b"6"})
_EXTENSIONS = frozenset({b"x", b"g", b"L", b"K"})
_CHECKSUM_AT = slice(148, 156)
_BASE_256 = 0x80
_EXTENSIONS_IN_A_ROW = 4
_RECORD = re.compile(rb"([0-9]{1,5}) ")


class _Gunzip:
    """Unpacks one gzip stream by exact amounts; its own checksum is verified at the end."""

    def __init__(self, file: BinaryIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._packed = b""
        self._ready = bytearray()

    def read(self, size_bytes: int) -> bytes:
        """Exactly so many bytes; fewer only at the end of the stream."""
        while len(self._ready) < size_bytes and self._more():
            pass
        data = bytes(self._ready[:size_bytes])
        del self._ready[:size_bytes]
        return data

    def _more(self) -> bool:
        if self._stream.eof:
            return False
        self._packed = self._packed or self._file.read(CHUNK_BYTES)
        if not self._packed:
            raise refused("corrupt", "it was cut off")
        try:
            data = self._stream.decompress(self._packed, CHUNK_BYTES)
        except zlib.error as error:
            raise refused("corrupt", f"its gzip data are damaged: {error}") from error
        self._packed = self._stream.unconsumed_tail
        self._meter.add(len(data))
        self._ready += data
        return True

    def refuse_short(self) -> NoReturn:
        """Say why there is less than there should be."""
        if self._stream.unused_data.startswith(_GZIP):
            raise refused("ambiguous_archive", "it is made of several gzip members", "pack it anew")
        raise refused("corrupt", "it was cut off")

    def refuse_rest(self) -> None:
        """After the end of the tar only zeros may follow, inside the gzip stream and behind it."""
        while data := self.read(CHUNK_BYTES):
            if any(data):
                raise refused("ambiguous_archive", "something follows the end of its tar")
        behind = self._stream.unused_data
        while behind:
            if any(behind):
                raise refused("ambiguous_archive", "something follows its gzip data")
            behind = self._file.read(CHUNK_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    name: str
    type: bytes
    size_bytes: int
    mode: int


def tar_members(file: BinaryIO, meter: Meter) -> Iterator[Member]:
    """The members in order.

    :raises ArchiveError: for everything that is wrong with the container or its data.
    """
    stream = _Gunzip(file, meter)
    said_name = ""
    extensions = 0
    first = True
    while (block := _block(stream, first)) is not None:
        header = _header(block, first)
        first = False
        if header.type in _EXTENSIONS:
            extensions += 1
            said_name = _extension(header, stream, said_name, extensions)
            continue
        name, said_name, extensions = said_name or header.name, "", 0
        _refuse_type(header, name)
        meter.check_file(name, header.size_bytes)
        body = _Body(stream, header.size_bytes)
        yield Member(
            name=name,
            is_folder=header.type == _FOLDER or name.endswith("/"),
            executable=bool(header.mode & 0o100),
            size_bytes=header.size_bytes,
            chunks=body.chunks,
        )
        body.finish()
    stream.refuse_rest()


def _block(stream: _Gunzip, first: bool) -> bytes | None:
    """The next header; ``None`` for the block of zeros that ends a tar."""
    block = stream.read(_BLOCK)
    if len(block) < _BLOCK:
        if first:
            raise refused("not_an_archive", "there is no tar inside its gzip data")
        stream.refuse_short()
    return block if any(block) else None


class _Body:
    """The data of one member; what nobody reads is skipped."""

    def __init__(self, stream: _Gunzip, size_bytes: int) -> None:
        self._stream = stream
        self._left = size_bytes
        self._padding = -size_bytes % _BLOCK

    def chunks(self) -> Iterator[bytes]:
        while self._left:
            data = self._stream.read(min(self._left, CHUNK_BYTES))
            if not data:
                self._stream.refuse_short()
            self._left -= len(data)
            yield data

    def finish(self) -> None:
        for _ in self.chunks():
            pass
        self._stream.read(self._padding)


def _header(block: bytes, first: bool) -> _Header:
    if _number(block[_CHECKSUM_AT]) != sum(block) - sum(block[_CHECKSUM_AT]) + 8 * ord(" "):
        reason = "not_an_archive" if first else "corrupt"
        raise refused(reason, "there is no tar inside its gzip data" if first else "a header in it is damaged")
    name = _text(block[:100])
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    return _Header(
        name=f"{prefix}/{name}" if prefix else name,
        type=block[156:157],
        size_bytes=_number(block[124:136]),
        mode=_number(block[100:108]),
    )


def _number(digits: bytes) -> int:
    """An octal number, or a positive one in base 256 as GNU writes large ones; -1 when it is neither."""
    if digits[0] == _BASE_256:
        return int.from_bytes(digits[1:], "big")
    text = digits.strip(b" \0")
    if text.strip(b"01234567"):
        return -1
    return int(text or b"0", 8)


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _refuse_type(header: _Header, name: str) -> None:
    if header.type in _LINK_TYPES:
        raise refused("link_not_allowed", f"'{shown(name)}' is a link", "pack the file itself")
    if header.type in _SPECIAL_TYPES:
        raise refused("special_file", f"'{shown(name)}' is neither a file nor a folder")
    if header.type not in _FILE_TYPES | {_FOLDER}:
        raise refused("unsupported_archive", f"'{shown(name)}' is of the unknown type {header.type!r}")
    if header.size_bytes < 0:
        raise refused("corrupt", f"'{shown(name)}' has no size")
    if header.size_bytes and (header.type == _FOLDER or name.endswith("/")):
        raise refused("bad_structure", f"the folder '{shown(name)}' has data")


def _extension(header: _Header, stream: _Gunzip, said_name: str, in_a_row: int) -> str:
    """The name that an extension header gives to the next member; ``said_name`` when it gives none."""
    if not 0 <= header.size_bytes <= _HEADER_MAX_BYTES or in_a_row > _EXTENSIONS_IN_A_ROW:
        raise refused("corrupt", "an extension header in it is too large")
    data = b"".join(_Body(stream, header.size_bytes).chunks())
    stream.read(-header.size_bytes % _BLOCK)
    if header.type == b"L":
        return _only_name(_text(data), said_name)
    if header.type == b"K":
        return said_name
    records = _records(data)
    if any(key.startswith(b"GNU.sparse") for key in records):
        raise refused("unsupported_archive", "it holds a sparse file", "pack it without --sparse")
    if b"size" in records or (header.type == b"g" and b"path" in records):
        raise refused("ambiguous_archive", "an extension header in it overrides sizes or names", "pack it anew")
    if b"path" not in records:
        return said_name
    # The whole value: here nothing ends at a NUL, and a name that holds one is refused as such.
    return _only_name(records[b"path"].decode("utf-8", "surrogateescape"), said_name)


def _only_name(name: str, said_name: str) -> str:
    """Of two extension headers one program believes the first and another the last."""
    if said_name not in {"", name}:
        raise refused("ambiguous_archive", f"a member in it has two names, '{shown(said_name)}' and '{shown(name)}'")
    return name


def _records(data: bytes) -> dict[bytes, bytes]:
    """The key and value pairs of a pax header, each as ``<length> <key>=<value>`` and a newline."""
    records = {}
    at = 0
    while at < len(data):
        length = _RECORD.match(data, at)
        end = at + int(length[1]) if length else 0
        key, equals, value = data[length.end() if length else 0 : max(0, end - 1)].partition(b"=")
        if not equals or data[end - 1 : end] != b"\n":
            raise refused("corrupt", "an extension header in it is damaged")
        records[key] = value
        at = end
    return records
