"""Archives: packed reproducibly, checked strictly, unpacked without escaping.

The bad ones are made here, byte by byte where no tool would write them.
"""

import gzip
import hashlib
import io
import os
import random
import stat
import struct
import subprocess
import sys
import tarfile
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bottool import archive
from bottool.archive import Limits
from bottool.errors import ArchiveError, ProjectError
from bottool.model import Project

PROJECT = Project(folder=Path("/bot"), language="notes", bot_id="a", version="1")


# Makers of archives, good and bad.


def zip_of(*names: str, data: bytes = b"x", mode: int = 0o644, method: int = zipfile.ZIP_DEFLATED, **fields) -> bytes:
    """A zip whose members all hold ``data``; ``fields`` are set on each member's info."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            info.external_attr = (mode if mode > 0o7777 else stat.S_IFREG | mode) << 16
            info.compress_type = method
            for field, value in fields.items():
                setattr(info, field, value)
            packed.writestr(info, data)
    return target.getvalue()


def tar_of(*names: str, data: bytes = b"x", **fields) -> bytes:
    return gzip.compress(bare_tar_of(*names, data=data, **fields), mtime=0)


def bare_tar_of(*names: str, data: bytes = b"x", kind: int = tarfile.PAX_FORMAT, **fields) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=kind) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            for field, value in fields.items():
                setattr(info, field, value)
            holds_data = info.isreg() or "size" in fields
            info.size = fields.get("size", len(data)) if holds_data else 0
            tar.addfile(info, io.BytesIO(data) if info.isreg() and "size" not in fields else None)
    return target.getvalue()


def header(block: bytes, **fields: tuple[int, bytes]) -> bytes:
    """A tar header with some bytes replaced and its checksum made right again."""
    changed = bytearray(block[:512])
    for at, value in fields.values():
        changed[at : at + len(value)] = value
    changed[148:156] = b" " * 8
    changed[148:156] = b"%06o\0 " % sum(changed)
    return bytes(changed) + block[512:]


def patched(data: bytes, old: bytes, new: bytes, *, count: int = -1) -> bytes:
    assert old in data
    return data.replace(old, new, count)


def central(data: bytes, at: int, value: bytes) -> bytes:
    """The zip with ``value`` written ``at`` bytes into its first row of the directory."""
    start = data.index(b"PK\x01\x02") + at
    return data[:start] + value + data[start + len(value) :]


def end(data: bytes, at: int, value: bytes) -> bytes:
    """The zip with ``value`` written ``at`` bytes into its end record."""
    start = data.rindex(b"PK\x05\x06") + at
    return data[:start] + value + data[start + len(value) :]


def overlapping() -> bytes:
    """A member inside the data of another, both of them in the directory: how zip bombs use their data twice."""
    inner = zip_of("b")
    first_row, last_row = inner.index(b"PK\x01\x02"), inner.rindex(b"PK\x05\x06")
    row = inner[first_row : first_row + 42] + struct.pack("<L", 31) + inner[first_row + 46 : last_row]
    outer = zip_of("a", data=inner[:first_row], method=zipfile.ZIP_STORED)
    at = outer.rindex(b"PK\x05\x06")
    size = at - outer.index(b"PK\x01\x02") + len(row)
    both = outer[:at] + row + outer[at:]
    return end(end(both, 8, struct.pack("<2H", 2, 2)), 12, struct.pack("<L", size))


def hidden_member() -> bytes:
    """A member that stands in the file and not in the directory."""
    data = zip_of("a", "b", "c")
    rows = [at for at in range(len(data)) if data.startswith(b"PK\x01\x02", at)]
    cut = data[: rows[1]] + data[rows[2] :]
    size = cut.rindex(b"PK\x05\x06") - rows[0]
    return end(end(cut, 8, struct.pack("<2H", 2, 2)), 12, struct.pack("<L", size))


def bomb_of_one_member() -> bytes:
    """10 GiB of zeros, said to be 1 KiB."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(squeeze.compress(b"\0" * 2**20) for _ in range(64)) + squeeze.flush()
    lie = zip_of("a", data=packed, method=zipfile.ZIP_STORED)
    deflated = struct.pack("<H", 8)
    lie = lie[:8] + deflated + lie[10:22] + struct.pack("<L", 1024) + lie[26:]
    return central(central(lie, 10, deflated), 24, struct.pack("<L", 1024))


def zeros_gz(size: int) -> bytes:
    return gzip.compress(bare_tar_of("zeros", data=b"\0" * size), 9, mtime=0)


def pax(records: bytes) -> bytes:
    """A tar whose first member has this extension header."""
    extension = header(bare_tar_of("PaxHeaders/x", data=records, kind=tarfile.USTAR_FORMAT), type=(156, b"x"))
    padded = extension[: 512 + len(records) + -len(records) % 512]
    return gzip.compress(padded + bare_tar_of("a"), mtime=0)


def many_extensions() -> bytes:
    records = b"12 a=bbbbbb\n"
    one = header(bare_tar_of("PaxHeaders/x", data=records, kind=tarfile.USTAR_FORMAT), type=(156, b"x"))[:1024]
    return gzip.compress(one * 100 + bare_tar_of("a"), mtime=0)


def tar_link(kind: bytes, target: str) -> bytes:
    return tar_of("ok", "link", type=kind, linkname=target)


ZIP_64 = struct.pack("<L", 0xFFFFFFFF)
SMALL = {"files": 50, "unpacked_bytes": 2_000_000, "packed_bytes": 300_000, "file_bytes": 1_500_000}

# Name of the kind, file name, content, the reason it is refused for.
BAD: list[tuple[str, str, Callable[[], bytes], str]] = [
    # Names that lead outside: refused, never renamed.
    ("tar dot dot", "x.tar.gz", lambda: tar_of("../evil"), "path_outside"),
    ("tar dot dot inside", "x.tar.gz", lambda: tar_of("a/../../evil"), "path_outside"),
    ("tar absolute", "x.tar.gz", lambda: tar_of("/etc/evil"), "path_outside"),
    ("tar backslashes", "x.tar.gz", lambda: tar_of("..\\evil"), "path_outside"),
    ("tar drive", "x.tar.gz", lambda: tar_of("C:\\evil"), "path_outside"),
    ("tar UNC", "x.tar.gz", lambda: tar_of("\\\\server\\share\\evil"), "path_outside"),
    ("tar dot dot by pax", "x.tar.gz", lambda: tar_of("../" + "n" * 150), "path_outside"),
    (
        "tar dot dot by GNU name",
        "x.tar.gz",
        lambda: tar_of("../" + "n" * 150, kind=tarfile.GNU_FORMAT),
        "path_outside",
    ),
    ("zip dot dot", "x.zip", lambda: zip_of("../evil"), "path_outside"),
    ("zip dot dot inside", "x.zip", lambda: zip_of("a/../../evil"), "path_outside"),
    ("zip absolute", "x.zip", lambda: zip_of("/etc/evil"), "path_outside"),
    ("zip backslashes", "x.zip", lambda: zip_of("a\\..\\..\\evil"), "path_outside"),
    ("zip drive", "x.zip", lambda: zip_of("C:/evil"), "path_outside"),
    ("zip drive relative", "x.zip", lambda: zip_of("C:evil"), "path_outside"),
    ("zip UNC", "x.zip", lambda: zip_of("\\\\server\\share\\evil"), "path_outside"),
    ("jar dot dot", "x.jar", lambda: zip_of("META-INF/MANIFEST.MF", "../evil"), "path_outside"),
    # Links.
    ("tar symlink out", "x.tar.gz", lambda: tar_link(tarfile.SYMTYPE, "../../etc"), "link_not_allowed"),
    ("tar symlink inside", "x.tar.gz", lambda: tar_link(tarfile.SYMTYPE, "ok"), "link_not_allowed"),
    ("tar symlink absolute", "x.tar.gz", lambda: tar_link(tarfile.SYMTYPE, "/etc/passwd"), "link_not_allowed"),
    ("tar hard link", "x.tar.gz", lambda: tar_link(tarfile.LNKTYPE, "../x"), "link_not_allowed"),
    ("tar long link", "x.tar.gz", lambda: tar_link(tarfile.SYMTYPE, "d/" * 300), "link_not_allowed"),
    (
        "zip symlink",
        "x.zip",
        lambda: zip_of("link", data=b"/etc/passwd", mode=stat.S_IFLNK | 0o777),
        "link_not_allowed",
    ),
    (
        "zip symlink from DOS",
        "x.zip",
        lambda: zip_of("l", mode=stat.S_IFLNK | 0o777, create_system=0),
        "link_not_allowed",
    ),
    # Special files.
    ("tar pipe", "x.tar.gz", lambda: tar_of("pipe", type=tarfile.FIFOTYPE), "special_file"),
    ("tar character device", "x.tar.gz", lambda: tar_of("tty", type=tarfile.CHRTYPE), "special_file"),
    ("tar block device", "x.tar.gz", lambda: tar_of("sda", type=tarfile.BLKTYPE), "special_file"),
    ("zip pipe", "x.zip", lambda: zip_of("pipe", mode=stat.S_IFIFO | 0o644), "special_file"),
    # Names that some machine cannot hold.
    ("zip NUL", "x.zip", lambda: patched(zip_of("a_b"), b"a_b", b"a\0b"), "bad_name"),
    ("zip newline", "x.zip", lambda: zip_of("a\nb"), "bad_name"),
    ("tar newline", "x.tar.gz", lambda: tar_of("a\nb"), "bad_name"),
    ("tar terminal codes", "x.tar.gz", lambda: tar_of("\x1b[31mred"), "bad_name"),
    ("tar writing direction", "x.tar.gz", lambda: tar_of("invoice\u202efdp.exe"), "bad_name"),
    ("tar Windows device", "x.tar.gz", lambda: tar_of("a/CON"), "bad_name"),
    ("zip Windows device", "x.zip", lambda: zip_of("nul.txt"), "bad_name"),
    ("zip Windows device with a digit above", "x.zip", lambda: zip_of("COM¹"), "bad_name"),
    ("zip dot at the end", "x.zip", lambda: zip_of("a."), "bad_name"),
    ("tar blank at the end", "x.tar.gz", lambda: tar_of("a /b"), "bad_name"),
    ("zip other stream", "x.zip", lambda: zip_of("bot.py:evil"), "bad_name"),
    ("zip long name", "x.zip", lambda: zip_of("n" * 300), "bad_name"),
    ("tar long name", "x.tar.gz", lambda: tar_of("n" * 300), "bad_name"),
    ("tar long path", "x.tar.gz", lambda: tar_of("/".join(["n" * 150] * 33)), "bad_name"),
    ("tar name that is no UTF-8", "x.tar.gz", lambda: tar_of("caf\udce9", kind=tarfile.GNU_FORMAT), "bad_name"),
    ("zip name that is no UTF-8", "x.zip", lambda: patched(zip_of("é_"), "é_".encode(), b"\xff__"), "bad_name"),
    ("zip empty name", "x.zip", lambda: zip_of(""), "bad_name"),
    ("tar empty name", "x.tar.gz", lambda: tar_of(""), "bad_name"),
    ("tar file called dot", "x.tar.gz", lambda: tar_of("."), "bad_name"),
    ("tar backslash", "x.tar.gz", lambda: tar_of("a\\b"), "bad_name"),
    # Two members for one name.
    ("zip composed and not", "x.zip", lambda: zip_of("é", "e\u0301"), "name_clash"),
    ("tar composed and not", "x.tar.gz", lambda: tar_of("é", "e\u0301"), "name_clash"),
    ("zip upper and lower case", "x.zip", lambda: zip_of("bot.py", "Bot.py"), "name_clash"),
    ("tar folders in two cases", "x.tar.gz", lambda: tar_of("Data/a", "data/b"), "name_clash"),
    ("zip member twice", "x.zip", lambda: zip_of("a", "a"), "duplicate_member"),
    ("tar member twice", "x.tar.gz", lambda: tar_of("a", "./a"), "duplicate_member"),
    ("zip file then folder", "x.zip", lambda: zip_of("a", "a/b"), "bad_structure"),
    ("tar folder then file", "x.tar.gz", lambda: tar_of("a/b", "a"), "bad_structure"),
    ("zip folder with data", "x.zip", lambda: zip_of("a/"), "bad_structure"),
    ("tar folder with data", "x.tar.gz", lambda: tar_of("a", type=tarfile.DIRTYPE, size=512), "bad_structure"),
    # Too much.
    ("zip of zeros", "x.zip", lambda: zip_of("a", "b", data=b"\0" * 1_200_000), "too_big"),
    ("tar of zeros", "x.tar.gz", lambda: tar_of("a", "b", data=b"\0" * 1_200_000), "too_big"),
    ("zip one large file", "x.zip", lambda: zip_of("a", data=b"\0" * 1_600_000), "too_big"),
    ("tar one large file", "x.tar.gz", lambda: zeros_gz(1_600_000), "too_big"),
    ("tar that says 8 GiB", "x.tar.gz", lambda: tar_of("a", size=8 * 2**30 - 1), "too_big"),
    ("tar that says 1 TiB", "x.tar.gz", lambda: tar_of("a", size=2**40, kind=tarfile.GNU_FORMAT), "too_big"),
    ("too large as it is", "x.zip", lambda: zip_of("a", data=os.urandom(300_000)), "too_big"),
    ("zip of 64 bits", "x.zip", lambda: central(zip_of("a"), 24, ZIP_64), "too_big"),
    ("zip of 64 bits at the end", "x.zip", lambda: end(zip_of("a"), 16, ZIP_64), "too_big"),
    ("zip of many files", "x.zip", lambda: zip_of(*(f"{n}" for n in range(51))), "too_many_files"),
    ("tar of many files", "x.tar.gz", lambda: tar_of(*(f"{n}" for n in range(51)), data=b""), "too_many_files"),
    ("tar of many folders", "x.tar.gz", lambda: tar_of(*(f"{n}" for n in range(51)), type=b"5"), "too_many_files"),
    ("zip deep", "x.zip", lambda: zip_of("d/" * 60 + "a"), "too_deep"),
    ("tar deep", "x.tar.gz", lambda: tar_of("d/" * 1500 + "a"), "too_deep"),
    # Containers that lie or are damaged.
    ("zip larger than it says", "x.zip", bomb_of_one_member, "corrupt"),
    ("zip size too small", "x.zip", lambda: central(zip_of("a", data=b"yyyy"), 24, b"\2\0\0\0"), "corrupt"),
    ("zip size too large", "x.zip", lambda: central(zip_of("a", data=b"yyyy"), 24, b"\x09\0\0\0"), "corrupt"),
    ("zip wrong checksum", "x.zip", lambda: central(zip_of("a"), 16, b"\1\2\3\4"), "corrupt"),
    ("zip damaged data", "x.zip", lambda: zip_of("a")[:31] + b"\xff" + zip_of("a")[32:], "corrupt"),
    ("zip stored damaged", "x.zip", lambda: patched(zip_of("a", data=b"yyy", method=0), b"yyy", b"yyz"), "corrupt"),
    ("zip cut off", "x.zip", lambda: zip_of("a", data=os.urandom(5000))[:2500], "corrupt"),
    ("zip directory damaged", "x.zip", lambda: patched(zip_of("a", "b"), b"PK\x01\x02", b"PK\x01\x09"), "corrupt"),
    ("zip counts wrongly", "x.zip", lambda: end(zip_of("a", "b"), 8, struct.pack("<2H", 3, 3)), "corrupt"),
    ("zip member around another", "x.zip", lambda: central(zip_of("a", "b"), 20, b"\0\0\0\x7f"), "ambiguous_archive"),
    ("tar cut off", "x.tar.gz", lambda: tar_of("a", data=os.urandom(5000))[:2500], "corrupt"),
    ("tar without its end", "x.tar.gz", lambda: gzip.compress(bare_tar_of("a")[:1024]), "corrupt"),
    ("tar wrong gzip checksum", "x.tar.gz", lambda: tar_of("a")[:-8] + b"\1\2\3\4" + tar_of("a")[-4:], "corrupt"),
    ("tar damaged header", "x.tar.gz", lambda: gzip.compress(patched(bare_tar_of("a", "bb"), b"bb", b"bc")), "corrupt"),
    (
        "tar negative size",
        "x.tar.gz",
        lambda: gzip.compress(header(bare_tar_of("a"), s=(124, b"\xff" * 12))),
        "corrupt",
    ),
    (
        "tar size that is no number",
        "x.tar.gz",
        lambda: gzip.compress(header(bare_tar_of("a"), s=(124, b"-7 "))),
        "corrupt",
    ),
    ("pax without length", "x.tar.gz", lambda: pax(b"path=evil\n"), "corrupt"),
    ("pax length too long", "x.tar.gz", lambda: pax(b"99 path=evil\n"), "corrupt"),
    ("pax length of zero", "x.tar.gz", lambda: pax(b"0 path=evil\n"), "corrupt"),
    ("pax huge", "x.tar.gz", lambda: pax(b"12 a=bbbbbb\n" * 10_000), "corrupt"),
    ("pax upon pax", "x.tar.gz", many_extensions, "corrupt"),
    # What two programs would read in two ways.
    ("zip and something behind", "x.zip", lambda: zip_of("a") + b"trailing", "ambiguous_archive"),
    ("zip and something before", "x.zip", lambda: b"#!/bin/sh\n" + zip_of("a"), "not_an_archive"),
    ("zip behind a zip", "x.zip", lambda: zip_of("a") + zip_of("b"), "ambiguous_archive"),
    ("zip two end records", "x.zip", lambda: zip_of("a") + zip_of("a")[-22:], "ambiguous_archive"),
    ("zip two names", "x.zip", lambda: patched(zip_of("aaaa"), b"aaaa", b"bbbb", count=1), "ambiguous_archive"),
    ("zip overlapping", "x.zip", overlapping, "ambiguous_archive"),
    ("zip hidden member", "x.zip", hidden_member, "ambiguous_archive"),
    ("tar behind a tar", "x.tar.gz", lambda: gzip.compress(bare_tar_of("a") + bare_tar_of("b")), "ambiguous_archive"),
    ("gzip behind a gzip", "x.tar.gz", lambda: tar_of("a") + tar_of("b"), "ambiguous_archive"),
    ("pax overrides the size", "x.tar.gz", lambda: pax(b"10 size=1\n"), "ambiguous_archive"),
    # Not what the name says, or nothing that we read.
    ("empty zip", "x.zip", lambda: b"", "not_an_archive"),
    ("empty jar", "x.jar", lambda: b"", "not_an_archive"),
    ("random bytes", "x.zip", lambda: b"\x01" + os.urandom(2000), "not_an_archive"),
    ("web page called zip", "x.zip", lambda: b"<!doctype html><title>404</title>", "not_an_archive"),
    ("text in gzip", "x.tar.gz", lambda: gzip.compress(b"hello " * 200), "not_an_archive"),
    ("nothing in gzip", "x.tar.gz", lambda: gzip.compress(b""), "not_an_archive"),
    ("only an end record", "x.zip", zip_of, "not_an_archive"),
    ("only an end of tar", "x.tar.gz", tar_of, "not_an_archive"),
    ("only folders", "x.tar.gz", lambda: tar_of("a", "b", type=b"5"), "not_an_archive"),
    ("empty file", "bot.sh", lambda: b"", "not_an_archive"),
    ("bzip2", "x.tar.gz", lambda: b"BZh91AY&SY" + b"\0" * 600, "unsupported_archive"),
    ("xz", "x.tar.gz", lambda: b"\xfd7zXZ\0" + b"\0" * 600, "unsupported_archive"),
    ("7z", "bot.7z", lambda: b"7z\xbc\xaf\x27\x1c" + b"\0" * 600, "unsupported_archive"),
    ("rar called zip", "x.zip", lambda: b"Rar!\x1a\x07\x00" + b"\0" * 600, "unsupported_archive"),
    ("tar without gzip", "x.tar", lambda: bare_tar_of("a"), "unsupported_archive"),
    ("zip packed otherwise", "x.zip", lambda: zip_of("a", method=zipfile.ZIP_BZIP2), "unsupported_archive"),
    ("zip of several parts", "x.zip", lambda: end(zip_of("a"), 4, b"\1\0"), "unsupported_archive"),
    ("sparse file", "x.tar.gz", lambda: tar_of("a", type=b"S"), "unsupported_archive"),
    ("sparse file by pax", "x.tar.gz", lambda: pax(b"22 GNU.sparse.major=1\n"), "unsupported_archive"),
    ("encrypted", "x.zip", lambda: central(zip_of("a"), 8, b"\1\0"), "encrypted"),
]


@pytest.mark.parametrize(("name", "content", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_archive_is_refused_for_its_reason_and_nothing_is_written(tmp_path, name, content, reason):
    path = tmp_path / name
    path.write_bytes(content())
    began = time.monotonic()

    with pytest.raises(ArchiveError) as refusal:
        archive.unpack(path, tmp_path / "out" / "folder", Limits(**SMALL))

    assert refusal.value.reason == reason, refusal.value
    assert refusal.value.message.startswith(f"'{name}' is refused: ")
    assert refusal.value.message.isprintable()
    assert sorted(each.name for each in tmp_path.iterdir()) == [name]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "bare.tar.gz"])
def test_whatever_byte_is_changed_the_answer_is_a_listing_or_a_refusal(tmp_path, name, seed):
    dice = random.Random(seed)
    makers = {"x.zip": zip_of, "x.tar.gz": tar_of, "bare.tar.gz": bare_tar_of}
    whole = makers[name]("a", "d/b", "ação", "n" * 120, data=b"some data " * 20)
    path = tmp_path / name

    refusals = 0
    for _ in range(150):
        changed = bytearray(whole)
        for _ in range(dice.choice([1, 1, 2, 8])):
            changed[dice.randrange(len(changed))] = dice.randrange(256)
        path.write_bytes(gzip.compress(changed, 1) if name == "bare.tar.gz" else changed)
        try:
            archive.check(path, Limits(**SMALL))
        except ArchiveError:
            refusals += 1

    assert refusals > 20


def test_there_are_many_kinds_of_bad_archives():
    assert len({row[0] for row in BAD}) >= 100


def test_what_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(zeros_gz(40 * 2**20))

    with pytest.raises(ArchiveError) as refusal:
        archive.check(tmp_path / "x.tar.gz")

    assert refusal.value.reason == "ratio"


def test_one_byte_over_the_limit_is_too_much(tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(zip_of("a"))

    archive.check(path, Limits(packed_bytes=path.stat().st_size))
    with pytest.raises(ArchiveError, match="more than"):
        archive.check(path, Limits(packed_bytes=path.stat().st_size - 1))


# What looks odd and is accepted.

GOOD: list[tuple[str, str, Callable[[], bytes], list[str]]] = [
    ("zip from Windows", "x.zip", lambda: zip_of("dir\\", "dir\\bot.py", data=b""), ["dir/bot.py"]),
    ("dash first", "x.zip", lambda: zip_of("-rf"), ["-rf"]),
    ("dots in front", "x.tar.gz", lambda: tar_of("./a", "./b/c"), ["a", "b/c"]),
    (
        "top folder named",
        "x.tar.gz",
        lambda: gzip.compress(bare_tar_of("./", type=b"5")[:512] + bare_tar_of("./a")),
        ["a"],
    ),
    ("two dots in a name", "x.zip", lambda: zip_of("a..b", "..c", "...d"), ["a..b", "..c", "...d"]),
    ("accents and emoji", "x.zip", lambda: zip_of("ação 🤖.py"), ["ação 🤖.py"]),
    ("UTF-8 without its flag", "x.zip", lambda: patched(zip_of("a__o"), b"a__o", "aço".encode()), ["aço"]),
    ("code page of DOS", "x.zip", lambda: patched(zip_of("a__o"), b"a__o", b"a\x87\x84o"), ["açäo"]),
    ("old tar", "x.tgz", lambda: gzip.compress(header(bare_tar_of("a"), m=(257, b"\0" * 8))), ["a"]),
    ("GNU tar with a long name", "x.tar.gz", lambda: tar_of("n" * 120, kind=tarfile.GNU_FORMAT), ["n" * 120]),
    (
        "ustar with a prefix",
        "x.tar.gz",
        lambda: tar_of("d" * 60 + "/" + "n" * 60, kind=tarfile.USTAR_FORMAT),
        ["d" * 60 + "/" + "n" * 60],
    ),
    ("far time", "x.tar.gz", lambda: tar_of("a", mtime=2**33), ["a"]),
    ("set user id", "x.tar.gz", lambda: tar_of("a", mode=0o4755, uid=2**31), ["a"]),
    ("file without rights", "x.zip", lambda: zip_of("d/a", mode=0), ["d/a"]),
    ("comment at the end", "x.zip", lambda: end(zip_of("a"), 20, b"\3\0") + b"hey", ["a"]),
    ("zeros behind gzip", "x.tar.gz", lambda: tar_of("a") + b"\0" * 100, ["a"]),
    ("archive inside", "x.zip", lambda: zip_of("inner.zip", data=zip_of("../evil")), ["inner.zip"]),
    ("folder called like a file", "x.zip", lambda: zip_of("so.py/bot.py"), ["so.py/bot.py"]),
    ("notes of macOS", "x.zip", lambda: zip_of("bot.py", "__MACOSX/._bot.py"), ["bot.py", "__MACOSX/._bot.py"]),
    ("one file", "bot.exe", lambda: b"MZ\x90\0", ["bot.exe"]),
    ("one gzipped text", "table.csv.gz", lambda: gzip.compress(b"a;b\n"), ["table.csv.gz"]),
]


@pytest.mark.parametrize(("name", "content", "names"), [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_an_odd_archive_is_unpacked_with_plain_modes(tmp_path, name, content, names):
    path = tmp_path / name
    path.write_bytes(content())

    listing = archive.check(path, Limits(**SMALL))
    folder = archive.unpack(path, tmp_path / "out")

    assert list(listing.names) == names
    found = [each for each in folder.rglob("*") if each.is_file()]
    assert sorted(each.relative_to(folder).as_posix() for each in found) == sorted(
        each.removeprefix(f"{listing.root}/") if listing.kind == "tar.gz" else each for each in names
    )
    if os.name != "nt":
        assert {stat.S_IMODE(each.stat().st_mode) for each in found} <= {0o644, 0o755}


def test_a_jar_may_hold_what_could_not_be_unpacked(tmp_path):
    path = tmp_path / "bot.jar"
    path.write_bytes(zip_of("META-INF/MANIFEST.MF", "META-INF/LICENSE", "META-INF/license/x", "com/a/Aux.class", "aux"))

    folder = archive.unpack(path, tmp_path / "out")

    assert archive.check(path).kind == "jar"
    assert (folder / "bot.jar").read_bytes() == path.read_bytes()


def test_a_jar_and_a_plain_file_are_copied_under_the_name_that_is_given(tmp_path):
    kept = tmp_path / "4bd2724a6e0b"
    kept.write_bytes(b"#!/bin/sh\n")

    folder = archive.unpack(kept, tmp_path / "out", name="bot.sh")

    assert [each.name for each in folder.iterdir()] == ["bot.sh"]


def test_the_folder_to_unpack_into_must_be_empty(tmp_path):
    (tmp_path / "x.zip").write_bytes(zip_of("a"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep me", encoding="utf-8")

    with pytest.raises(ArchiveError, match="is not empty"):
        archive.unpack(tmp_path / "x.zip", tmp_path / "out")

    assert (tmp_path / "out" / "mine").read_text(encoding="utf-8") == "keep me"


def test_a_failure_while_writing_leaves_nothing(tmp_path):
    (tmp_path / "x.zip").write_bytes(zip_of("a", "b", data=b"y" * 200_000, method=zipfile.ZIP_STORED))
    program = (
        "import resource, signal, sys; from pathlib import Path; from bottool import archive\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "archive.unpack(Path('x.zip'), Path('out'))"
    )
    if os.name == "nt":
        pytest.skip("Windows has no limit on the size of files")
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "File too large" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["x.zip"]


# Packing.


def entries(folder: Path) -> dict[str, Path | bytes]:
    folder.mkdir()
    (folder / "bot.py").write_text("print('ação')\n", encoding="utf-8")
    (folder / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "run.sh").chmod(0o775)
    (folder / "bot.py").chmod(0o600)
    return {"run.sh": folder / "run.sh", "src/ação ü.py": folder / "bot.py", "bottool.json": b"{}", "empty": b""}


PACKERS = [archive.pack_zip, archive.pack_tar_gz, lambda target, files: archive.pack_tar_gz(target, files, root="a-1")]


@pytest.mark.parametrize("pack", PACKERS, ids=["zip", "tar.gz", "tar.gz with a root"])
def test_what_is_packed_comes_out_again(tmp_path, pack):
    pack(tmp_path / "x", entries(tmp_path / "source"))

    folder = archive.unpack(tmp_path / "x", tmp_path / "out")

    assert (folder / "src" / "ação ü.py").read_text(encoding="utf-8") == "print('ação')\n"
    assert (folder / "empty").read_bytes() == b""
    if os.name != "nt":
        assert stat.S_IMODE((folder / "run.sh").stat().st_mode) == 0o755
        assert stat.S_IMODE((folder / "src" / "ação ü.py").stat().st_mode) == 0o644


@pytest.mark.parametrize("pack", PACKERS, ids=["zip", "tar.gz", "tar.gz with a root"])
def test_order_times_owners_and_places_change_no_byte(tmp_path, pack):
    first = entries(tmp_path / "one")
    second = dict(reversed(entries(tmp_path / "two elsewhere").items()))
    os.utime(tmp_path / "two elsewhere" / "bot.py", (1, 1))
    (tmp_path / "two elsewhere" / "bot.py").chmod(0o644)

    pack(tmp_path / "first", first)
    pack(tmp_path / "second.other", second)

    assert (tmp_path / "first").read_bytes() == (tmp_path / "second.other").read_bytes()


@pytest.mark.parametrize("pack", PACKERS, ids=["zip", "tar.gz", "tar.gz with a root"])
def test_what_is_packed_is_read_by_the_standard_library(tmp_path, pack):
    pack(tmp_path / "x", entries(tmp_path / "source"))

    if zipfile.is_zipfile(tmp_path / "x"):
        with zipfile.ZipFile(tmp_path / "x") as packed:
            assert packed.testzip() is None
            assert {info.date_time for info in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    else:
        with tarfile.open(tmp_path / "x") as tar:
            assert {member.mtime for member in tar} == {315532800}


@pytest.mark.parametrize("pack", [archive.pack_zip, archive.pack_tar_gz])
def test_packing_that_fails_leaves_the_old_file_and_no_other(tmp_path, pack):
    (tmp_path / "x").write_bytes(b"old")

    with pytest.raises(ProjectError, match="'b' is gone: it changed while it was packed"):
        pack(tmp_path / "x", {"a": b"1", "b": tmp_path / "vanished"})

    assert [each.name for each in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


# Reading one member, and the manifest.


def test_a_member_is_read_by_its_full_name(tmp_path):
    archive.pack_tar_gz(tmp_path / "x.tar.gz", {"a": b"1", "d/b": b"2"}, root="r")

    assert archive.read_member(tmp_path / "x.tar.gz", "r/d/b", 10) == b"2"
    assert archive.read_member(tmp_path / "x.tar.gz", "d/b", 10) is None


def test_a_member_longer_than_the_limit_is_refused(tmp_path):
    archive.pack_zip(tmp_path / "x.zip", {"a": b"12345"})

    assert archive.read_member(tmp_path / "x.zip", "a", 5) == b"12345"
    with pytest.raises(ArchiveError, match="'a' has 5 bytes, more than 4"):
        archive.read_member(tmp_path / "x.zip", "a", 4)


def test_the_manifest_is_found_in_its_three_places(tmp_path):
    manifest = archive.manifest(PROJECT, entry="bot.py", requires=">=3.11")
    said = archive.manifest_bytes(manifest, {"bot.py": b""})
    archive.pack_zip(tmp_path / "x.zip", {"bottool.json": said, "data/bottool.json": b'{"wrong": 1}'})
    archive.pack_tar_gz(tmp_path / "x.tar.gz", {"bottool.json": said, "pkg/bottool.json": b"{}"}, root="a-1")
    archive.pack_zip(
        tmp_path / "x.jar", {"META-INF/MANIFEST.MF": b"", "META-INF/bottool.json": said, "bottool.json": b"{}"}
    )

    found = [archive.read_manifest(tmp_path / name) for name in ("x.zip", "x.tar.gz", "x.jar")]

    assert found == [{**manifest, "files": {"bot.py": hashlib.sha256(b"").hexdigest()}}] * 3


@pytest.mark.parametrize("text", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b"null"])
def test_a_manifest_that_is_no_object_counts_as_none(tmp_path, text):
    archive.pack_zip(tmp_path / "x.zip", {"bottool.json": text, "a": b""})

    assert archive.read_manifest(tmp_path / "x.zip") == {}


def test_a_plain_file_has_no_manifest(tmp_path):
    (tmp_path / "bot.sh").write_bytes(b"#!/bin/sh\n")

    assert archive.read_manifest(tmp_path / "bot.sh") == {}


def test_a_manifest_keeps_accents_and_sorts_its_keys():
    text = archive.manifest_bytes(archive.manifest(PROJECT, entry="ação.py", zebra=1, apple=2), {}).decode()

    assert '"entry": "ação.py"' in text
    assert text.index("apple") < text.index("zebra")


# Jars.


def jar(path: Path, names: dict[str, bytes], *, stored: tuple[str, ...] = ()) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in names.items():
            packed.writestr(name, data, zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED)
    return path


def test_a_jar_is_rewritten_to_the_same_bytes_whatever_its_times_and_order(tmp_path):
    properties = "META-INF/maven/g/a/pom.properties"
    first = {"META-INF/MANIFEST.MF": b"m", "b/B.class": b"1", "a/A.class": b"2", properties: b"#Mon 1\nversion=1\n"}
    second = {"a/A.class": b"2", properties: b"#Tue 2\nversion=1\n", "b/B.class": b"1", "META-INF/MANIFEST.MF": b"m"}
    jar(tmp_path / "1.jar", first)
    jar(tmp_path / "2.jar", second)

    for name in ("1", "2"):
        archive.rewrite_jar(tmp_path / f"{name}.jar", tmp_path / f"{name}-new.jar", {"META-INF/bottool.json": b"{}"})

    assert (tmp_path / "1-new.jar").read_bytes() == (tmp_path / "2-new.jar").read_bytes()
    with zipfile.ZipFile(tmp_path / "1-new.jar") as packed:
        assert packed.namelist()[0] == "META-INF/MANIFEST.MF"
        assert packed.read("META-INF/bottool.json") == b"{}"


def test_a_jar_inside_a_jar_stays_unpacked(tmp_path):
    jar(
        tmp_path / "1.jar",
        {"META-INF/MANIFEST.MF": b"", "BOOT-INF/lib/x.jar": b"y" * 999},
        stored=("BOOT-INF/lib/x.jar",),
    )

    archive.rewrite_jar(tmp_path / "1.jar", tmp_path / "2.jar", {})

    with zipfile.ZipFile(tmp_path / "2.jar") as packed:
        assert packed.getinfo("BOOT-INF/lib/x.jar").compress_type == zipfile.ZIP_STORED


def test_what_is_added_to_a_jar_takes_the_place_of_what_was_there(tmp_path):
    jar(tmp_path / "1.jar", {"META-INF/MANIFEST.MF": b"old", "a": b"1"})

    archive.rewrite_jar(tmp_path / "1.jar", tmp_path / "2.jar", {"META-INF/MANIFEST.MF": b"new"})

    assert archive.read_member(tmp_path / "2.jar", "META-INF/MANIFEST.MF", 10) == b"new"


def test_a_signed_jar_is_copied_as_it_is(tmp_path):
    jar(tmp_path / "1.jar", {"META-INF/MANIFEST.MF": b"", "META-INF/ME.SF": b"", "META-INF/ME.RSA": b""})

    archive.rewrite_jar(tmp_path / "1.jar", tmp_path / "2.jar", {"META-INF/bottool.json": b"{}"})

    assert (tmp_path / "2.jar").read_bytes() == (tmp_path / "1.jar").read_bytes()


# What goes into a package.


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def packed_names(folder: Path, *exclude: str, keep: tuple[str, ...] = ()) -> list[str]:
    return [name for name, _ in archive.source_files(folder, exclude, keep=keep).files]


def test_what_belongs_into_no_package_is_left_out_and_said(tmp_path):
    tree(
        tmp_path,
        "bot.py",
        "config/constants/enviroment_variables.py",
        ".env.example",
        ".botproj",
        "environment/data.csv",
        ".env",
        "run.log",
        "src/__pycache__/a.pyc",
        "node_modules/a/index.js",
        ".git/HEAD",
        ".idea/workspace.xml",
        "bot.egg-info/PKG-INFO",
        "dist/old.zip",
        "any name/pyvenv.cfg",
        "any name/bin/python",
        "rpa_env/Scripts/python.exe",
        "env2/Lib/site-packages/x.py",
    )

    sources = archive.source_files(tmp_path)

    assert [name for name, _ in sources.files] == [
        ".botproj",
        ".env.example",
        "bot.py",
        "config/constants/enviroment_variables.py",
        "environment/data.csv",
    ]
    assert ".env (may hold secrets; set its values on the server)" in sources.left_out
    assert "any name/ (a virtual environment)" in sources.left_out
    assert len(sources.left_out) == 11


def test_a_bot_that_lives_inside_a_virtual_environment_keeps_its_own_files(tmp_path):
    tree(
        tmp_path,
        "bot.py",
        "resources/a.png",
        "pyvenv.cfg",
        "Lib/site-packages/x.py",
        "Scripts/python.exe",
        "Include/x.h",
    )

    assert packed_names(tmp_path) == ["bot.py", "resources/a.png"]


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (["bot.py", "build/lib/bot.py"], ["bot.py"]),
        (["bot.py", "build/house.csv"], ["bot.py", "build/house.csv"]),
        (["pom.xml", "target/x.jar"], ["pom.xml"]),
        (["bot.py", "target/customers.csv"], ["bot.py", "target/customers.csv"]),
        (["bot.py", "src/dist/x"], ["bot.py", "src/dist/x"]),
    ],
)
def test_what_a_build_wrote_is_known_by_a_sign_and_not_by_its_name_alone(tmp_path, names, kept):
    assert packed_names(tree(tmp_path, *names)) == kept


def test_what_is_left_out_by_default_may_be_kept(tmp_path):
    assert packed_names(tree(tmp_path, "package.json", "dist/main.js"), keep=("dist",)) == [
        "dist/main.js",
        "package.json",
    ]


def test_an_earlier_package_of_the_same_bot_is_left_out_and_other_zips_are_not(tmp_path):
    tree(tmp_path, "bot.py", "resources/x.png")
    (tmp_path / "some name.zip").write_bytes(zip_of("bot.py", "resources\\x.png"))
    (tmp_path / "data.zip").write_bytes(zip_of("table.csv"))
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04")

    assert packed_names(tmp_path) == ["bot.py", "broken.zip", "data.zip", "resources/x.png"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("*.tmp", ["a.py", "data/b.csv", "data/deep/c.csv", "src/data/d.csv"]),
        ("data", ["a.py", "x.tmp"]),
        ("data/", ["a.py", "x.tmp"]),
        ("/data", ["a.py", "src/data/d.csv", "x.tmp"]),
        ("data/*", ["a.py", "src/data/d.csv", "x.tmp"]),
        ("./data/deep", ["a.py", "data/b.csv", "src/data/d.csv", "x.tmp"]),
        ("**/*.csv", ["a.py", "x.tmp"]),
        ("A.PY", ["a.py", "data/b.csv", "data/deep/c.csv", "src/data/d.csv", "x.tmp"]),
    ],
)
def test_patterns_of_bot_toml_leave_more_out(tmp_path, pattern, left):
    tree(tmp_path, "a.py", "x.tmp", "data/b.csv", "data/deep/c.csv", "src/data/d.csv")

    assert packed_names(tmp_path, pattern) == left


@pytest.fixture
def linked(tmp_path: Path):
    """A bot folder in which a link can be made; skips where the user may not make one."""

    def make(link: str, target: str | Path) -> Path:
        folder = tree(tmp_path / "bot", "bot.py", "data/a.csv")
        (tmp_path / "outside.txt").write_text("x", encoding="utf-8")
        try:
            (folder / link).symlink_to(target, target_is_directory=(folder / target).is_dir())
        except OSError:
            pytest.skip("this user may make no links")
        return folder

    return make


def test_a_link_inside_the_folder_is_packed_as_what_it_points_to(linked, tmp_path):
    folder = linked("again", "data")

    archive.pack_zip(tmp_path / "x.zip", dict(archive.source_files(folder).files))

    assert archive.read_member(tmp_path / "x.zip", "again/a.csv", 10) == b"x"


@pytest.mark.parametrize(
    ("link", "target", "message"),
    [
        ("link", "../outside.txt", "'link' is a link that leads out of the bot's folder"),
        ("link", "/etc", "'link' is a link that leads out of the bot's folder"),
        ("data/link", "../../outside.txt", "'data/link' is a link that leads out of the bot's folder"),
        ("link", "nowhere", "'link' is a link to nothing"),
        ("data/link", "..", "'data/link' is a link to a folder that holds it"),
    ],
)
def test_a_link_that_cannot_be_packed_is_refused(linked, link, target, message):
    folder = linked(link, target)

    with pytest.raises(ProjectError, match=message) as refusal:
        archive.source_files(folder)

    assert refusal.value.hint


def test_a_link_that_is_excluded_may_lead_anywhere(linked):
    assert packed_names(linked("link", "/etc"), "link") == ["bot.py", "data/a.csv"]


def test_a_checksum_is_the_sha_256_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")

    assert archive.sha256_of(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
