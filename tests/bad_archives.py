"""Every kind of archive that lies, misleads or is merely odd, by name and in groups, with what has to become of it.

Made byte by byte where no tool would write them. Used by ``test_bad_archives`` in this process and in limited ones.
"""

import gzip
import io
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bottool.members import Limits

MIB = 1024**2


@dataclass(frozen=True, kw_only=True)
class Kind:
    """``reason`` is why it is refused, ``""`` when it is taken; ``says`` is what the one line must hold.

    ``files`` are those of a taken archive after unpacking (not compared when empty); ``note`` stands in one of its
    notes. ``padded_to`` makes the file that long, without using the disk. ``limits`` differ from those of a server.
    """

    group: str
    name: str
    file: str
    make: Callable[[], bytes]
    reason: str = ""
    says: str = ""
    files: tuple[str, ...] = ()
    note: str = ""
    padded_to: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)


# Makers.


def zip_of(
    *names: str, data: bytes = b"x", mode: int = 0o644, method: int = zipfile.ZIP_DEFLATED, **fields: Any
) -> bytes:
    """A zip whose members all hold ``data``; ``fields`` are set on each member's info."""
    return zip_with(dict.fromkeys(names, data) if len(set(names)) == len(names) else names, data, mode, method, fields)


def zip_with(
    members: Mapping[str, bytes] | tuple[str, ...],
    data: bytes = b"x",
    mode: int = 0o644,
    method: int = zipfile.ZIP_DEFLATED,
    fields: Mapping[str, Any] | None = None,
) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in members:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            info.external_attr = (mode if mode > 0o7777 else stat.S_IFREG | mode) << 16
            info.compress_type = method
            for key, value in (fields or {}).items():
                setattr(info, key, value)
            packed.writestr(info, members[name] if isinstance(members, Mapping) else data)
    return target.getvalue()


def bare_tar_of(*names: str, data: bytes = b"x", kind: int = tarfile.PAX_FORMAT, **fields: Any) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=kind) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            for key, value in fields.items():
                setattr(info, key, value)
            holds_data = info.isreg() or "size" in fields
            info.size = fields.get("size", len(data)) if holds_data else 0
            tar.addfile(info, io.BytesIO(data) if info.isreg() and "size" not in fields else None)
    return target.getvalue()


def tar_of(*names: str, data: bytes = b"x", **fields: Any) -> bytes:
    return gzip.compress(bare_tar_of(*names, data=data, **fields), mtime=0)


def tar_with(members: Mapping[str, bytes], **fields: Any) -> bytes:
    ends = bytes(1024)
    parts = [bare_tar_of(name, data=data, **fields) for name, data in members.items()]
    return gzip.compress(b"".join(whole(part) for part in parts) + ends, mtime=0)


def whole(tar: bytes) -> bytes:
    """A tar without the zeros at its end: what other members may follow."""
    rows, at = [], 0
    while any(tar[at : at + 512]):
        size = int(tar[at + 124 : at + 135].strip(b"\0 ") or b"0", 8)
        length = 512 + size + -size % 512
        rows.append(tar[at : at + length])
        at += length
    return b"".join(rows)


def header(block: bytes, *changes: tuple[int, bytes]) -> bytes:
    """A tar header with some bytes replaced and its checksum made right again."""
    changed = bytearray(block[:512])
    for at, value in changes:
        changed[at : at + len(value)] = value
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed)
    return bytes(changed) + block[512:]


def extension(kind: bytes, data: bytes) -> bytes:
    """An extension header of a tar with its data, to stand before a member."""
    return header(whole(bare_tar_of("ext", data=data, kind=tarfile.USTAR_FORMAT)), (156, kind))


def record(key: str, value: str) -> bytes:
    """A pax record, which begins with its own length."""
    body = f" {key}={value}\n".encode("utf-8", "surrogateescape")
    length = len(body) + len(str(len(body)))
    length = len(body) + len(str(length))
    return str(length).encode() + body


def after(*extensions: bytes, name: str = "a") -> bytes:
    return gzip.compress(b"".join(extensions) + bare_tar_of(name), mtime=0)


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    return whole(bare_tar_of(name, type=kind, linkname=target, kind=tarfile.GNU_FORMAT))


def links(*parts: bytes) -> bytes:
    return gzip.compress(b"".join(parts) + bytes(1024), mtime=0)


def path_chain() -> bytes:
    """Links of long names, one through the other, until a path is too long to be resolved; then a way out."""
    long, rows, at = "d" * 247, [], ""
    for letter in "abcdefghijklmnop":
        rows.append(whole(bare_tar_of(f"{at}{long}", type=tarfile.DIRTYPE)))
        rows.append(link(f"{at}{letter}", long))
        at += f"{letter}/"
    rows += [link(f"{at}{'l' * 254}", "../" * 16), link("escape", f"{at}{'l' * 254}/../../etc")]
    return links(*rows, whole(bare_tar_of("escape/evil")))


def patched(data: bytes, old: bytes, new: bytes, *, count: int = -1) -> bytes:
    if old not in data:
        raise AssertionError(f"{old!r} is not in it")
    return data.replace(old, new, count)


def spliced(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def central(data: bytes, at: int, value: bytes) -> bytes:
    """The zip with ``value`` written ``at`` bytes into its first row of the directory."""
    return spliced(data, data.index(b"PK\x01\x02") + at, value)


def end(data: bytes, at: int, value: bytes) -> bytes:
    """The zip with ``value`` written ``at`` bytes into its end record."""
    return spliced(data, data.rindex(b"PK\x05\x06") + at, value)


def zeros(size: int) -> tuple[bytes, int]:
    """Deflated zeros, made without packing them all, and their checksum."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = squeeze.compress(bytes(MIB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    again = squeeze.compress(bytes(MIB)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(size // MIB):
        checksum = zlib.crc32(bytes(MIB), checksum)
    return first + again * (size // MIB - 1) + squeeze.flush(), checksum


def zeros_tar_gz(size: int) -> bytes:
    """A tar of one file of zeros; the gzip checksum is never reached."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = squeeze.compress(bare_tar_of("zeros", size=size, kind=tarfile.GNU_FORMAT)[:512])
    head += squeeze.flush(zlib.Z_FULL_FLUSH)
    return head + zeros(size)[0] + bytes(8)


def zeros_zip(size: int, *, says: int = -1) -> bytes:
    packed, checksum = zeros(size)
    said = size if says < 0 else says
    name = b"zeros"
    fields = struct.pack("<3H3L2H", 8, 0, 33, checksum, len(packed), said, len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<2H", 20, 0) + fields + name
    row = b"PK\x01\x02" + struct.pack("<3H", 20, 20, 0) + fields + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name
    return local + packed + row + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(row), len(local + packed), 0)


def overlapping(times: int, size: int) -> bytes:
    """Many names for the same data, which are in the file once."""
    one = zeros_zip(size)
    at, last = one.index(b"PK\x01\x02"), one.rindex(b"PK\x05\x06")
    rows = b"".join(one[at : last - 5] + f"f{number:04}".encode() for number in range(times))
    return one[:at] + rows + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, times, times, len(rows), at, 0)


def many_in_tar(count: int) -> bytes:
    block = bytearray(bare_tar_of("0000000", data=b"", kind=tarfile.USTAR_FORMAT)[:512])
    block[148:156] = b" " * 8
    base = sum(block) - sum(block[:7])
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts = []
    for number in range(count):
        name = b"%07d" % number
        block[:7] = name
        block[148:156] = b"%06o\0 " % (base + sum(name))
        parts.append(squeeze.compress(bytes(block)))
    return b"".join(parts) + squeeze.compress(bytes(1024)) + squeeze.flush()


def many_in_zip(count: int) -> bytes:
    locals_, rows, at = [], [], 0
    for number in range(count):
        name = b"%07d" % number
        fields = struct.pack("<3H3L2H", 0, 0, 33, 0, 0, 0, 7, 0)
        locals_.append(b"PK\x03\x04" + struct.pack("<2H", 20, 0) + fields + name)
        rows.append(
            b"PK\x01\x02" + struct.pack("<3H", 20, 20, 0) + fields + struct.pack("<3H2L", 0, 0, 0, 0, at) + name
        )
        at += len(locals_[-1])
    size = sum(map(len, rows))
    return b"".join([*locals_, *rows, struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, at, 0)])


def nested(depth: int) -> bytes:
    data = zip_of("zeros", data=bytes(MIB))
    for level in range(depth):
        data = zip_of(*(f"{level}-{number}.zip" for number in range(4)), data=data)
    return data


def with_extra(name: str, extra: bytes, *, raw: bytes = b"") -> bytes:
    """A zip whose one member carries this extra field, in both headers."""
    data = zip_of(name, extra=extra)
    return patched(data, name.encode(), raw) if raw else data


def unicode_path(raw: bytes, says: str) -> bytes:
    """The extra field that gives a member's name in UTF-8 beside the one of a code page."""
    body = b"\x01" + struct.pack("<L", zlib.crc32(raw)) + says.encode()
    return struct.pack("<2H", 0x7075, len(body)) + body


def described(*, checksum: int | None = None, size: int | None = None) -> bytes:
    """A zip as it is written into a pipe: sizes follow the data. They lie when given."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.held = b""

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.held += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as packed:  # type: ignore[type-var]
        packed.writestr("a", b"some data")
    at = pipe.held.index(b"PK\x07\x08")
    data = pipe.held if checksum is None else spliced(pipe.held, at + 4, struct.pack("<L", checksum))
    return data if size is None else spliced(data, at + 12, struct.pack("<L", size))


def end_64(*, count: int = 1, offset: int | None = None, locator: int | None = None) -> bytes:
    """A zip with the 64-bit end record as well, which says the same unless it is told to lie."""
    data = zip_of("a")
    at = data.rindex(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    place = start if offset is None else offset
    row = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, at - start, place)
    row += struct.pack("<4sLQL", b"PK\x06\x07", 0, at if locator is None else locator, 1)
    return data[:at] + row + data[at:]


def hidden_member() -> bytes:
    """A member that stands in the file and not in the directory."""
    data = zip_of("a", "b", "c")
    rows = [at for at in range(len(data)) if data.startswith(b"PK\x01\x02", at)]
    cut = data[: rows[1]] + data[rows[2] :]
    size = cut.rindex(b"PK\x05\x06") - rows[0]
    return end(end(cut, 8, struct.pack("<2H", 2, 2)), 12, struct.pack("<L", size))


def bot(**more: bytes) -> dict[str, bytes]:
    return {"bot.py": b"print('hello')\n", "requirements.txt": b"", **more}


def gz_named(name: bytes, data: bytes) -> bytes:
    """Gzip data whose header says that the file was called ``name``."""
    packed = gzip.compress(data, mtime=0)
    return packed[:3] + b"\x08" + packed[4:10] + name + b"\0" + packed[10:]


TAR, ZIP, JAR = "x.tar.gz", "x.zip", "x.jar"
LINK = stat.S_IFLNK | 0o777
A_MILLION_KEYS = 1_000_000
FULL = 0xFFFFFFFF


def _traversal() -> list[Kind]:
    made: list[tuple[str, str, Callable[[], bytes], str]] = [
        ("tar dot dot", TAR, lambda: tar_of("../evil"), "'../evil'"),
        ("tar absolute", TAR, lambda: tar_of("/etc/evil"), "'/etc/evil'"),
        ("tar dot dot inside", TAR, lambda: tar_of("a/../../evil"), "'a/../../evil'"),
        ("tar backslashes", TAR, lambda: tar_of("..\\evil"), "evil"),
        ("tar drive letter", TAR, lambda: tar_of("C:\\evil"), "evil"),
        ("tar UNC", TAR, lambda: tar_of("\\\\server\\share\\evil"), "evil"),
        ("zip dot dot", ZIP, lambda: zip_of("../evil"), "'../evil'"),
        ("zip absolute", ZIP, lambda: zip_of("/etc/evil"), "'/etc/evil'"),
        ("zip dot dot inside", ZIP, lambda: zip_of("a/../../evil"), "'a/../../evil'"),
        ("zip backslashes", ZIP, lambda: zip_of("a\\..\\..\\evil"), "evil"),
    ]
    return [
        Kind(group="traversal", name=name, file=file, make=make, reason="path_outside", says=says)
        for name, file, make, says in made
    ]


def _links() -> list[Kind]:
    outside = "../outside.txt"
    made: list[tuple[str, str, Callable[[], bytes], str]] = [
        ("symlink out, then written through", TAR, lambda: links(link("d", ".."), whole(bare_tar_of("d/evil"))), "'d'"),
        ("absolute symlink", TAR, lambda: links(link("passwd", "/etc/passwd")), "'passwd'"),
        ("hard link out", TAR, lambda: links(link("h", outside, tarfile.LNKTYPE)), "'h'"),
        (
            "hard link to a symlink",
            TAR,
            lambda: links(link("s", outside), link("h", "s", tarfile.LNKTYPE), whole(bare_tar_of("h"))),
            "'s'",
        ),
        ("loop of links", TAR, lambda: links(link("a", "b"), link("b", "a")), "'a'"),
        ("zip symlink", ZIP, lambda: zip_of("link", data=b"/etc/passwd", mode=LINK), "'link'"),
        ("zip symlink to a folder", ZIP, lambda: zip_of("link", data=b"..", mode=LINK), "'link'"),
        ("links too long to resolve", TAR, path_chain, ""),
    ]
    chain = {"links too long to resolve": "bad_name"}  # its folders' names are refused before its links are met
    return [
        Kind(group="links", name=name, file=file, make=make, reason=chain.get(name, "link_not_allowed"), says=says)
        for name, file, make, says in made
    ]


def _special() -> list[Kind]:
    types = {"pipe": tarfile.FIFOTYPE, "character device": tarfile.CHRTYPE, "block device": tarfile.BLKTYPE}
    return [
        Kind(
            group="special files",
            name=name,
            file=TAR,
            make=lambda kind=kind: tar_of("dev", type=kind),  # type: ignore[misc]
            reason="special_file",
            says="'dev'",
        )
        for name, kind in types.items()
    ]


def _modes() -> list[Kind]:
    def folder(mode: int) -> bytes:
        return links(whole(bare_tar_of("d", type=tarfile.DIRTYPE, mode=mode)), whole(bare_tar_of("d/a")))

    made: list[tuple[str, str, Callable[[], bytes], tuple[str, ...]]] = [
        ("tar set user id", TAR, lambda: tar_of("a", mode=0o4755), ("a",)),
        ("zip set user id", ZIP, lambda: zip_of("a", mode=0o4755), ("a",)),
        ("folder that all may write", TAR, lambda: folder(0o777), ("a",)),
        ("folder without rights", TAR, lambda: folder(0), ("a",)),
        ("owner beyond 2^31", TAR, lambda: tar_of("a", uid=2**31, gid=2**31), ("a",)),
    ]
    return [Kind(group="modes", name=name, file=file, make=make, files=files) for name, file, make, files in made]


def _names() -> list[Kind]:
    bad, clash = "bad_name", "name_clash"
    made: list[tuple[str, str, Callable[[], bytes], str, str]] = [
        ("zip NUL", ZIP, lambda: patched(zip_of("a_b"), b"a_b", b"a\0b"), bad, "a\\x00b"),
        ("tar NUL", TAR, lambda: after(extension(b"x", record("path", "a\0b"))), bad, "a\\x00b"),
        ("zip newline", ZIP, lambda: zip_of("a\nb"), bad, "a\\nb"),
        ("tar newline", TAR, lambda: tar_of("a\nb"), bad, "a\\nb"),
        ("terminal codes", TAR, lambda: tar_of("\x1b[31mred"), bad, "\\x1b[31mred"),
        ("writing direction", TAR, lambda: tar_of("invoice\u202efdp.exe"), bad, "\\u202e"),
        ("zip composed and not", ZIP, lambda: zip_of("é", "e\u0301"), clash, "é"),
        ("tar composed and not", TAR, lambda: tar_of("é", "e\u0301"), clash, "é"),
        ("zip two cases", ZIP, lambda: zip_of("bot.py", "Bot.py"), clash, "'Bot.py'"),
        ("tar two cases", TAR, lambda: tar_of("Data/a", "data/b"), clash, "'data'"),
        ("zip Windows device", ZIP, lambda: zip_of("nul.txt"), bad, "'nul.txt'"),
        ("tar Windows device", TAR, lambda: tar_of("a/CON"), bad, "'CON'"),
        ("zip name of 300 bytes", ZIP, lambda: zip_of("n" * 300), bad, "nnn"),
        ("tar name of 300 bytes", TAR, lambda: tar_of("n" * 300), bad, "nnn"),
        ("path of 5,000 bytes", TAR, lambda: tar_of("/".join(["n" * 150] * 33)), bad, "nnn"),
        ("dot or blank at the end", ZIP, lambda: zip_of("a./b"), bad, "'a.'"),
        ("half a surrogate", TAR, lambda: tar_of("caf\udce9", kind=tarfile.GNU_FORMAT), bad, "caf\\udce9"),
        ("empty name", ZIP, lambda: zip_of(""), bad, "no name"),
        ("file called dot", TAR, lambda: tar_of("."), bad, "no name"),
    ]
    kinds = [
        Kind(group="names", name=name, file=file, make=make, reason=reason, says=says)
        for name, file, make, reason, says in made
    ]
    return [*kinds, Kind(group="names", name="dash first", file=ZIP, make=lambda: zip_of("-rf"), files=("-rf",))]


def _structure() -> list[Kind]:
    made: list[tuple[str, str, Callable[[], bytes], str, str]] = [
        ("zip member twice", ZIP, lambda: zip_of("a", "a"), "duplicate_member", "'a'"),
        ("tar member twice", TAR, lambda: tar_of("a", "./a"), "duplicate_member", "'a'"),
        ("zip file, then folder", ZIP, lambda: zip_of("a", "a/b"), "bad_structure", "'a'"),
        ("tar folder, then file", TAR, lambda: tar_of("a/b", "a"), "bad_structure", "'a'"),
        ("folder with data", TAR, lambda: tar_of("a", type=tarfile.DIRTYPE, size=512), "bad_structure", "'a/'"),
    ]
    return [
        Kind(group="structure", name=name, file=file, make=make, reason=reason, says=says)
        for name, file, make, reason, says in made
    ]


def _bombs() -> list[Kind]:
    made: list[tuple[str, str, Callable[[], bytes], str, str]] = [
        ("2 GiB of zeros in 2 MB", TAR, lambda: zeros_tar_gz(2 * 1024 * MIB), "too_big", "'zeros'"),
        ("1 GiB in a zip", ZIP, lambda: zeros_zip(1024 * MIB), "too_big", "'zeros'"),
        ("400 MiB of zeros", TAR, lambda: zeros_tar_gz(400 * MIB), "ratio", "100 times"),
        ("200 times the same 64 MiB", ZIP, lambda: overlapping(200, 64 * MIB), "ambiguous_archive", "headers"),
        ("200,000 empty files", TAR, lambda: many_in_tar(200_000), "too_many_files", "20000"),
        ("50,000 files in a zip", ZIP, lambda: many_in_zip(50_000), "too_many_files", "20000"),
        ("depth of 1,500", TAR, lambda: tar_of("d/" * 1500 + "a"), "too_deep", "1501"),
        ("xz", TAR, lambda: b"\xfd7zXZ\0" + bytes(2000), "unsupported_archive", "xz"),
        (
            "sparse file of 1 TiB",
            TAR,
            lambda: tar_of("a", type=b"S", size=2**40, kind=tarfile.GNU_FORMAT),
            "unsupported_archive",
            "'a'",
        ),
    ]
    kinds = [
        Kind(group="bombs", name=name, file=file, make=make, reason=reason, says=says)
        for name, file, make, reason, says in made
    ]
    inner = tuple(f"7-{number}.zip" for number in range(4))
    return [*kinds, Kind(group="bombs", name="archives in archives", file=ZIP, make=lambda: nested(8), files=inner)]


def _lies() -> list[Kind]:
    made: list[tuple[str, str, Callable[[], bytes], str, str]] = [
        ("tar size of 8 GiB", TAR, lambda: tar_of("a", size=8 * 2**30 - 1), "too_big", "'a'"),
        (
            "tar negative size",
            TAR,
            lambda: gzip.compress(header(bare_tar_of("a"), (124, b"\xff" * 12))),
            "corrupt",
            "'a'",
        ),
        (
            "pax overrides the size",
            TAR,
            lambda: after(extension(b"x", record("size", "1"))),
            "ambiguous_archive",
            "overrides",
        ),
        ("zip size lie", ZIP, lambda: zeros_zip(8 * MIB, says=1024), "corrupt", "'zeros' is larger"),
        ("gzip checksum wrong", TAR, lambda: tar_of("a")[:-8] + b"\1\2\3\4" + tar_of("a")[-4:], "corrupt", "gzip"),
        (
            "zip checksum wrong",
            ZIP,
            lambda: patched(zip_of("a"), struct.pack("<L", zlib.crc32(b"x")), b"\1\2\3\4"),
            "corrupt",
            "'a'",
        ),
    ]
    kinds = [
        Kind(group="lies", name=name, file=file, make=make, reason=reason, says=says)
        for name, file, make, reason, says in made
    ]
    return [*kinds, Kind(group="lies", name="far time", file=TAR, make=lambda: tar_of("a", mtime=2**40), files=("a",))]


def _containers() -> list[Kind]:
    none, other, doubtful = "not_an_archive", "unsupported_archive", "ambiguous_archive"
    noise = bytes((number * 197 + number // 7) % 256 for number in range(4000))
    made: list[tuple[str, str, Callable[[], bytes], str, str]] = [
        ("zip cut off", ZIP, lambda: zip_of("a", data=noise)[:-30], "corrupt", "cut off"),
        ("tar cut off", TAR, lambda: tar_of("a", data=noise)[:-30], "corrupt", "cut off"),
        ("empty zip file", ZIP, lambda: b"", none, "empty"),
        ("empty tar file", TAR, lambda: b"", none, "empty"),
        ("random bytes", ZIP, lambda: noise, none, "no zip"),
        ("text in gzip", TAR, lambda: gzip.compress(b"hello " * 200), none, "no tar"),
        ("bzip2 called gz", TAR, lambda: b"BZh91AY&SY" + bytes(600), other, "bzip2"),
        ("rar called zip", ZIP, lambda: b"Rar!\x1a\x07\x00" + bytes(600), other, "RAR"),
        ("web page called zip", ZIP, lambda: b"<!doctype html><title>404</title>", none, "no zip"),
        ("garbage behind a zip", ZIP, lambda: zip_of("a") + b"trailing", doubtful, "end record"),
        ("junk before a zip", ZIP, lambda: b"#!/bin/sh\n" + zip_of("a"), none, "no zip"),
        ("two end records", ZIP, lambda: zip_of("a") + zip_of("a")[-22:], doubtful, "directory"),
        ("only an end record", ZIP, zip_of, none, "no files"),
        ("part of several", ZIP, lambda: end(zip_of("a"), 4, b"\1\0"), other, "several"),
        ("encrypted", ZIP, lambda: central(zip_of("a"), 8, b"\1\0"), "encrypted", "'a'"),
        ("unknown method", ZIP, lambda: zip_of("a", method=zipfile.ZIP_BZIP2), other, "'a'"),
        (
            "two names for one member",
            ZIP,
            lambda: patched(zip_of("aaaa"), b"aaaa", b"bbbb", count=1),
            doubtful,
            "'aaaa'",
        ),
    ]
    return [
        Kind(group="containers", name=name, file=file, make=make, reason=reason, says=says)
        for name, file, make, reason, says in made
    ]


def _jars() -> list[Kind]:
    return [
        Kind(
            group="jar",
            name="jar that leads outside",
            file=JAR,
            make=lambda: zip_of("META-INF/MANIFEST.MF", "../evil"),
            reason="path_outside",
            says="'../evil'",
        ),
        Kind(
            group="jar",
            name="jar cut off",
            file=JAR,
            make=lambda: zip_of("META-INF/MANIFEST.MF", "a.class")[:-40],
            reason="corrupt",
            says="cut off",
        ),
        Kind(
            group="jar",
            name="jar with names of other machines",
            file=JAR,
            make=lambda: zip_of("META-INF/MANIFEST.MF", "a/Aux.class", "META-INF/LICENSE", "META-INF/license/x"),
            files=("x.jar",),
        ),
    ]


def _more_refused() -> list[Kind]:
    doubtful = "ambiguous_archive"
    size_64 = struct.pack("<2H2Q", 1, 16, 5, 5)
    made: list[tuple[str, str, Callable[[], bytes], str, str]] = [
        (
            "zip64 sizes of a small member",
            ZIP,
            lambda: central(with_extra("a", size_64), 24, struct.pack("<L", FULL)),
            "too_big",
            "4 GiB",
        ),
        ("zip64 end record counts otherwise", ZIP, lambda: end_64(count=2), doubtful, "end record"),
        ("zip64 end record points elsewhere", ZIP, lambda: end_64(offset=0), doubtful, "end record"),
        ("zip64 locator points elsewhere", ZIP, lambda: end_64(locator=3), doubtful, "end record"),
        (
            "zip path in UTF-8 that disagrees",
            ZIP,
            lambda: with_extra("a.txt", unicode_path(b"a.txt", "evil.txt")),
            doubtful,
            "'a.txt'",
        ),
        (
            "zip path in UTF-8 that leads outside",
            ZIP,
            lambda: with_extra("a__o", unicode_path(b"a\x87\x84o", "../x"), raw=b"a\x87\x84o"),
            "path_outside",
            "'../x'",
        ),
        (
            "zip says UTF-8 and is not",
            ZIP,
            lambda: patched(zip_of("é_"), "é_".encode(), b"\xff__"),
            "bad_name",
            "\\udcff",
        ),
        ("zip headers disagree on UTF-8", ZIP, lambda: central(zip_of("é"), 8, b"\0\0"), doubtful, "'é'"),
        ("zip descriptor with another checksum", ZIP, lambda: described(checksum=7), "corrupt", "'a'"),
        ("zip descriptor with another size", ZIP, lambda: described(size=7), "corrupt", "'a'"),
        (
            "zip local header with another size",
            ZIP,
            lambda: spliced(zip_of("a"), 22, struct.pack("<L", 9)),
            "corrupt",
            "'a'",
        ),
        ("zip hides a member", ZIP, hidden_member, doubtful, "not in the directory"),
        (
            "GNU names one upon another",
            TAR,
            lambda: after(extension(b"L", b"one\0"), extension(b"L", b"../two\0")),
            doubtful,
            "two names",
        ),
        (
            "GNU and pax name at once",
            TAR,
            lambda: after(extension(b"L", b"one\0"), extension(b"x", record("path", "two"))),
            doubtful,
            "two names",
        ),
        (
            "a hundred extension headers",
            TAR,
            lambda: after(*[extension(b"x", record("a", "b"))] * 100),
            "corrupt",
            "extension header",
        ),
        (
            "pax name for all members",
            TAR,
            lambda: after(extension(b"g", record("path", "evil"))),
            doubtful,
            "extension header",
        ),
        (
            "a million pax keys",
            TAR,
            lambda: after(extension(b"x", b"".join(b"15 k%07d=vv\n" % n for n in range(A_MILLION_KEYS)))),
            "corrupt",
            "too large",
        ),
        (
            "tar over two gzip members",
            TAR,
            lambda: gzip.compress(bare_tar_of("a", "b")[:1024]) + gzip.compress(bare_tar_of("a", "b")[1024:]),
            doubtful,
            "several gzip",
        ),
        ("a tar behind a tar", TAR, lambda: tar_of("a") + tar_of("b"), doubtful, "gzip"),
        (
            "garbage between members",
            TAR,
            lambda: gzip.compress(whole(bare_tar_of("a")) + b"garbage!" * 64 + bare_tar_of("b")),
            "corrupt",
            "header",
        ),
        ("path out by a pax header", TAR, lambda: tar_of("../" + "n" * 150), "path_outside", "'../nnn"),
        (
            "path out by a GNU name",
            TAR,
            lambda: tar_of("../" + "n" * 150, kind=tarfile.GNU_FORMAT),
            "path_outside",
            "'../nnn",
        ),
        ("another stream of a file", ZIP, lambda: zip_of("bot.py:evil"), "bad_name", "'bot.py:evil'"),
        ("Windows device with a digit above", ZIP, lambda: zip_of("COM¹"), "bad_name", "'COM¹'"),
        ("only folders", TAR, lambda: tar_of("a", "b", type=tarfile.DIRTYPE), "not_an_archive", "no files"),
    ]
    one_over = Limits().packed_bytes + 1
    return [
        *(
            Kind(group="more", name=name, file=file, make=make, reason=reason, says=says)
            for name, file, make, reason, says in made
        ),
        Kind(
            group="more",
            name="one byte too large",
            file=ZIP,
            make=lambda: zip_of("a"),
            reason="too_big",
            says=f"{one_over} bytes",
            padded_to=one_over,
        ),
    ]


def _more_taken() -> list[Kind]:
    def odd(name: str, members: Mapping[str, bytes], note: str = "", **fields: Any) -> Kind:
        return Kind(
            group="more", name=name, file=ZIP, make=lambda: zip_with(members, **fields), files=tuple(members), note=note
        )

    venv = {f"venv/Lib/site-packages/p{number // 30}/m{number}.py": b"x = 1\n" for number in range(920)}
    utf_16 = "requests==2.31.0\n".encode("utf-16")
    return [
        Kind(group="more", name="zip64 end record that is honest", file=ZIP, make=end_64, files=("a",)),
        Kind(
            group="more",
            name="zip path in UTF-8 beside a code page",
            file=ZIP,
            make=lambda: with_extra("a__o", unicode_path(b"a\x87\x84o", "ação"), raw=b"a\x87\x84o"),
            files=("ação",),
        ),
        Kind(
            group="more",
            name="zip path in UTF-8 of another name",
            file=ZIP,
            make=lambda: with_extra("a.txt", unicode_path(b"old.txt", "evil.txt")),
            files=("a.txt",),
        ),
        Kind(
            group="more",
            name="zip UTF-8 without its flag",
            file=ZIP,
            make=lambda: patched(zip_of("a__o"), b"a__o", "aço".encode()),
            files=("aço",),
        ),
        Kind(group="more", name="zip written into a pipe", file=ZIP, make=described, files=("a",)),
        Kind(
            group="more",
            name="pax comment for all members",
            file=TAR,
            make=lambda: after(extension(b"g", record("comment", "0" * 40))),
            files=("a",),
        ),
        Kind(
            group="more",
            name="gzip of a name that leads outside",
            file=TAR,
            make=lambda: gz_named(b"../../evil.tar", bare_tar_of("a")),
            files=("a",),
        ),
        odd("notes of macOS", bot(**{"__MACOSX/._bot.py": b"x", "._bot.py": b"x", ".DS_Store": b"x"}), "macOS"),
        odd("whole Python environment", bot(**{"venv/pyvenv.cfg": b"home = /usr\n"}, **venv), "Python environment"),
        odd("node_modules", {"index.js": b"", "node_modules/a/index.js": b""}, "'node_modules'"),
        odd(".env", bot(**{"config/.env": b"TOKEN=1\n"}), "'.env'"),
        odd(".git", bot(**{".git/HEAD": b"ref: refs/heads/main\n", ".git/config": b""}), "'.git'"),
        odd("two bot.py", bot(**{"old/bot.py": b"print(1)\n"})),
        odd("bot one level down", {f"robo/{name}": data for name, data in bot().items()}, "the folder 'robo'"),
        odd("bot.py of no bytes", {"bot.py": b"", "requirements.txt": b""}, "'bot.py' is empty"),
        odd("requirements in UTF-16", {"bot.py": b"x", "requirements.txt": utf_16}, "'requirements.txt' is UTF-16"),
        odd(
            "script with Windows line ends",
            {"bot.sh": b"#!/bin/sh\r\necho hello\r\n"},
            "'bot.sh' has Windows line ends",
        ),
        odd("script that may not be run", {"bot.sh": b"#!/bin/sh\necho hello\n"}, mode=0o644),
        odd("everything without rights", bot(), mode=0),
    ]


KINDS: tuple[Kind, ...] = (
    *_traversal(),
    *_links(),
    *_special(),
    *_modes(),
    *_names(),
    *_structure(),
    *_bombs(),
    *_lies(),
    *_containers(),
    *_jars(),
    *_more_refused(),
    *_more_taken(),
)
BY_NAME = {kind.name: kind for kind in KINDS}
