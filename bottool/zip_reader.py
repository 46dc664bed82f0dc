"""Reads zip files strictly: what two programs could read in two ways is refused.

The standard library reads leniently: it accepts prefixed junk, sizes that lie and members that overlap. This reader
takes stored and deflated members only, and wants the end record at the end, each local header to agree with the
directory, and no member inside another. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import BinaryIO

from bottool.members import CHUNK_BYTES, Limits, Member, Meter, refused, shown

_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_END64 = struct.Struct("<4sQ2H2L4Q")
_END64_SIGNATURE = b"PK\x06\x06"
_END64_UNCOUNTED_BYTES = 12
"""How much of the record its own length does not count."""
_LOCATOR = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_CENTRAL_SIGNATURE = b"PK\x01\x02"
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_DESCRIBED_BEHIND = 0x0008
"""The checksum and the sizes stand in a descriptor behind the data."""
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_DESCRIPTORS = (struct.Struct("<3L"), struct.Struct("<LQQ"))
_UTF8 = 0x0800
_UNICODE_PATH = 0x7075
_NEEDS_64_BITS = 0xFFFFFFFF
_COUNT_NEEDS_64_BITS = 0xFFFF
_DIRECTORY_MAX_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A row of the central directory."""

    name: str
    """With ``/``: zips written on Windows hold backslashes."""
    raw_name: bytes
    flags: int
    method: int
    checksum: int
    packed_bytes: int
    size_bytes: int
    offset: int
    mode: int

    @property
    def sums(self) -> tuple[int, int, int]:
        """What its local header, or the descriptor behind its data, says as well."""
        return self.checksum, self.packed_bytes, self.size_bytes


def zip_members(file: BinaryIO, meter: Meter) -> Iterator[Member]:
    """The members in the order of the directory.

    :raises ArchiveError: for everything that is wrong with the container; while data are read, for wrong data.
    """
    entries = read_directory(file, meter.limits)
    starts = _data_starts(file, entries)
    for entry in entries:
        meter.check_file(entry.name, entry.size_bytes)
        meter.add(entry.size_bytes)
    for entry in entries:
        yield Member(
            name=entry.name,
            is_folder=entry.name.endswith("/") or stat.S_ISDIR(entry.mode),
            executable=bool(entry.mode & 0o100),
            size_bytes=entry.size_bytes,
            chunks=partial(_data, file, entry, starts[entry.offset]),
        )


def read_directory(file: BinaryIO, limits: Limits) -> list[_Entry]:
    """The central directory, checked; nothing else of the file is looked at."""
    count, size, offset = _end_record(file)
    if count > limits.jar_files:
        raise refused("too_many_files", f"it holds {count} files")
    if size > _DIRECTORY_MAX_BYTES:
        raise refused("too_big", f"its directory has {size} bytes")
    file.seek(offset)
    data = file.read(size)
    entries = []
    position = 0
    while position < len(data):
        entry, position = _entry(data, position)
        entries.append(entry)
    if len(entries) != count:
        raise refused("corrupt", f"its end record says {count} members, its directory holds {len(entries)}")
    for entry in entries:
        _refuse_kind(entry)
    return entries


def _end_record(file: BinaryIO) -> tuple[int, int, int]:
    """Number of members, size and offset of the directory."""
    end = file.seek(0, 2)
    file.seek(max(0, end - _END.size - 0xFFFF))
    tail = file.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or at + _END.size > len(tail):
        raise refused("corrupt", "it has no end record; was it cut off?")
    _, disk, first_disk, count_here, count, size, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != len(tail):
        raise refused("ambiguous_archive", "something follows its end record")
    if disk or first_disk or count_here != count:
        raise refused("unsupported_archive", "it is one part of several", "pack it into one file")
    if count == _COUNT_NEEDS_64_BITS or _NEEDS_64_BITS in {size, offset}:
        raise refused("too_big", "it is a 64-bit zip")
    between = end - len(tail) + at - (offset + size)
    if between:
        _refuse_unless_64_bit_record(file, offset + size, between, (count, size, offset))
    return count, size, offset


def _refuse_unless_64_bit_record(file: BinaryIO, at: int, length: int, said: tuple[int, int, int]) -> None:
    """Some programs always write the 64-bit end record between directory and end, and its locator.

    Others read it before the plain one: it must say the same. Anything else there is doubtful.
    """
    if length >= _END64.size + _LOCATOR.size:
        file.seek(at)
        record = _END64.unpack(file.read(_END64.size))
        file.seek(at + length - _LOCATOR.size)
        locator = _LOCATOR.unpack(file.read(_LOCATOR.size))
        long_enough = record[1] + _END64_UNCOUNTED_BYTES + _LOCATOR.size == length
        known = (record[0], locator[0], locator[2]) == (_END64_SIGNATURE, _LOCATOR_SIGNATURE, at)
        if known and long_enough and (record[6], *record[7:]) == (said[0], *said):
            return
    raise refused("ambiguous_archive", "its directory is not where its end record says", "pack it anew")


def _entry(data: bytes, at: int) -> tuple[_Entry, int]:
    if at + _CENTRAL.size > len(data) or data[at : at + 4] != _CENTRAL_SIGNATURE:
        raise refused("corrupt", "its directory is damaged")
    row = _CENTRAL.unpack_from(data, at)
    flags, method, checksum, packed, size = row[3], row[4], row[7], row[8], row[9]
    name_length, extra_length, comment_length, attributes, offset = row[10], row[11], row[12], row[15], row[16]
    start = at + _CENTRAL.size
    following = start + name_length + extra_length + comment_length
    if following > len(data):
        raise refused("corrupt", "its directory is damaged")
    if _NEEDS_64_BITS in {packed, size, offset}:
        raise refused("too_big", "it holds a member of more than 4 GiB")
    raw_name = data[start : start + name_length]
    entry = _Entry(
        name=_name(raw_name, data[start + name_length : following - comment_length], flags).replace("\\", "/"),
        raw_name=raw_name,
        flags=flags,
        method=method,
        checksum=checksum,
        packed_bytes=packed,
        size_bytes=size,
        offset=offset,
        mode=attributes >> 16,
    )
    return entry, following


def _refuse_kind(entry: _Entry) -> None:
    name = shown(entry.name)
    if entry.flags & _ENCRYPTED:
        raise refused("encrypted", f"'{name}' is encrypted", "pack it without a password")
    if entry.method not in {_STORED, _DEFLATED}:
        raise refused("unsupported_archive", f"'{name}' is packed by method {entry.method}", "pack it with deflate")
    if stat.S_ISLNK(entry.mode):
        raise refused("link_not_allowed", f"'{name}' is a link", "pack the file itself")
    if stat.S_IFMT(entry.mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise refused("special_file", f"'{name}' is neither a file nor a folder")
    if entry.size_bytes and (entry.name.endswith("/") or stat.S_ISDIR(entry.mode)):
        raise refused("bad_structure", f"the folder '{name}' has data")


def _data_starts(file: BinaryIO, entries: list[_Entry]) -> dict[int, int]:
    """Where each member's data start, by its header's offset; headers agree with the directory and do not overlap."""
    in_order = sorted(entries, key=lambda entry: entry.offset)
    if in_order and in_order[0].offset != 0:
        raise refused("ambiguous_archive", "something stands before its first member", "pack it anew")
    headers = {entry.offset: _local_header(file, entry) for entry in in_order}
    starts = {offset: start for offset, (start, _) in headers.items()}
    for entry, following in pairwise(in_order):
        end = starts[entry.offset] + entry.packed_bytes
        if end > following.offset:
            raise refused("ambiguous_archive", f"'{shown(following.name)}' lies inside '{shown(entry.name)}'")
        file.seek(end)
        if end < following.offset and file.read(4) == _LOCAL_SIGNATURE:
            raise refused("ambiguous_archive", f"a member after '{shown(entry.name)}' is not in the directory")
    for entry in in_order:
        _refuse_other_sums(entry, headers[entry.offset][1])
        _refuse_other_descriptor(file, entry, starts[entry.offset] + entry.packed_bytes)
    return starts


def _local_header(file: BinaryIO, entry: _Entry) -> tuple[int, tuple[int, ...]]:
    """Where a member's data start, and the fields of the header before them."""
    file.seek(entry.offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or head[:4] != _LOCAL_SIGNATURE:
        raise refused("corrupt", f"'{shown(entry.name)}' is not where the directory says")
    row = _LOCAL.unpack(head)
    name_length: int = row[9]
    extra_length: int = row[10]
    if file.read(name_length) != entry.raw_name or not _agrees(entry, row):
        raise refused("ambiguous_archive", f"'{shown(entry.name)}' has two different headers", "pack it anew")
    return entry.offset + _LOCAL.size + name_length + extra_length, row


def _agrees(entry: _Entry, local: tuple[int, ...]) -> bool:
    """Whether a local header says of a member what the directory says."""
    compared = _ENCRYPTED | _DESCRIBED_BEHIND | (0 if entry.raw_name.isascii() else _UTF8)
    return local[3] == entry.method and not (local[2] ^ entry.flags) & compared


def _refuse_other_sums(entry: _Entry, local: tuple[int, ...]) -> None:
    """Refuse a local header with another checksum or size: programs that read from a pipe believe it."""
    # Whoever writes into a pipe does not know them yet; in 64 bits the sizes stand in an extra field.
    unknown = {0, _NEEDS_64_BITS} if local[2] & _DESCRIBED_BEHIND else {_NEEDS_64_BITS}
    if any(here not in {there, *unknown} for here, there in zip(local[6:9], entry.sums, strict=True)):
        raise refused("corrupt", f"the sizes or checksums of '{shown(entry.name)}' disagree", "pack it anew")


def _refuse_other_descriptor(file: BinaryIO, entry: _Entry, at: int) -> None:
    if not entry.flags & _DESCRIBED_BEHIND:
        return
    file.seek(at)
    found = file.read(len(_DESCRIPTOR_SIGNATURE) + _DESCRIPTORS[-1].size)
    bodies = (found, found.removeprefix(_DESCRIPTOR_SIGNATURE))
    if not any(body.startswith(form.pack(*entry.sums)) for body in bodies for form in _DESCRIPTORS):
        raise refused("corrupt", f"what follows the data of '{shown(entry.name)}' says otherwise", "pack it anew")


def _data(file: BinaryIO, entry: _Entry, start: int) -> Iterator[bytes]:
    """The data of a member, never more than it says; at the end its size and checksum are right."""
    unpack = zlib.decompressobj(-zlib.MAX_WBITS) if entry.method == _DEFLATED else None
    file.seek(start)
    left, total, checksum = entry.packed_bytes, 0, 0
    try:
        while left:
            packed = file.read(min(left, CHUNK_BYTES))
            if not packed:
                break
            left -= len(packed)
            for data in _unpacked(unpack, packed):
                total, checksum = total + len(data), zlib.crc32(data, checksum)
                if total > entry.size_bytes:
                    raise refused("corrupt", f"'{shown(entry.name)}' is larger than it says")
                yield data
    except zlib.error as error:
        raise refused("corrupt", f"'{shown(entry.name)}' is damaged") from error
    finished = unpack is None or (unpack.eof and not unpack.unused_data)
    if left or not finished or total != entry.size_bytes or checksum != entry.checksum:
        raise refused("corrupt", f"'{shown(entry.name)}' is damaged")


def _unpacked(unpack: "zlib._Decompress | None", packed: bytes) -> Iterator[bytes]:
    if unpack is None:
        yield packed
        return
    while packed:
        yield unpack.decompress(packed, CHUNK_BYTES)
        packed = unpack.unconsumed_tail


def _name(raw: bytes, extra: bytes, flags: int) -> str:
    """A member's name: of a code page, unless it is UTF-8 or an extra field gives it in UTF-8 as well.

    :raises ArchiveError: when that field gives another name than bytes that are UTF-8 themselves.
    """
    plain = _decoded(raw, flags)
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        body = extra[at + 4 : at + 4 + length]
        at += 4 + length
        # A field with the checksum of another name is left over from before a renaming, and says nothing.
        if kind != _UNICODE_PATH or body[1:5] != struct.pack("<L", zlib.crc32(raw)):
            continue
        said = body[5:].decode("utf-8", "surrogateescape")
        if said != plain and (_is_utf8(raw) or flags & _UTF8):
            raise refused("ambiguous_archive", f"'{shown(plain)}' has two names, the other is '{shown(said)}'")
        return said
    return plain


def _decoded(raw: bytes, flags: int) -> str:
    """UTF-8 where the flag says so, or where it can be nothing else: macOS writes it without the flag."""
    if flags & _UTF8 or _is_utf8(raw):
        return raw.decode("utf-8", "surrogateescape")
    return raw.decode("cp437")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
