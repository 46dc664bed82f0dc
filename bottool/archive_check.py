"""Judges an archive before anything of it is written: its kind, its names, its size, its container.

One strict pass over the members (``zip_reader``, ``tar_reader``) with the rules for names on top: what leads outside,
what some file system cannot hold, what two members share. Nothing is renamed to make it fit, it is refused; only ``.``
and empty parts of a path are dropped. ``archive.unpack`` reads through the same pass.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from bottool.errors import ArchiveError
from bottool.members import CHUNK_BYTES, Limits, Member, Meter, refused, shown
from bottool.tar_reader import tar_members
from bottool.zip_reader import read_directory, zip_members

JAR_MANIFEST = "META-INF/MANIFEST.MF"
ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz", ".jar")
_UNSUPPORTED = {
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\0": "an xz file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
}
_GZIP = b"\x1f\x8b"
_TAR_MAGIC_AT = 257
_ENTRIES = frozenset({"bot.py", "main.py", "bot.js", "index.js", "bot.sh"})
_UTF_16 = frozenset({b"\xff\xfe", b"\xfe\xff"})
_MOST_NOTES = 20
_DRIVE = re.compile(r"[A-Za-z]:")
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
# Source: Microsoft, "Naming Files, Paths, and Namespaces".
_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a checked archive holds. ``kind`` as of ``kind_of``; ``names`` are its files, in its own order, with ``/``.

    ``root`` is the one folder in which all of them lie, as in a Python source distribution; ``""`` without such.
    ``notes`` are what a person should know of it although it is taken, each one line.
    """

    kind: str
    names: tuple[str, ...]
    root: str
    unpacked_bytes: int
    notes: tuple[str, ...] = ()


def kind_of(path: Path) -> str:
    """``zip``, ``jar`` (a zip with a Java manifest), ``tar.gz`` or ``file``: by content, whatever its state."""
    with path.open("rb") as file:
        head = file.read(4)
        if head in {b"PK\x03\x04", b"PK\x05\x06"}:
            return "jar" if _has_java_manifest(file) else "zip"
        if head[:2] == _GZIP:
            return "tar.gz" if _holds_tar(file) or path.name.endswith(ARCHIVE_SUFFIXES) else "file"
        return "file"


def _has_java_manifest(file: BinaryIO) -> bool:
    try:
        return any(entry.name == JAR_MANIFEST for entry in read_directory(file, Limits()))
    except ArchiveError:
        return False


def _holds_tar(file: BinaryIO) -> bool:
    file.seek(0)
    try:
        head = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(file.read(CHUNK_BYTES), CHUNK_BYTES)
    except zlib.error:
        return False
    return head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar"


def check(path: Path, limits: Limits | None = None, *, name: str = "") -> Listing:
    """Read the whole archive once and refuse what is wrong with it; nothing is written.

    ``name`` is what the file was called, when ``path`` is called otherwise; its ending says what it wants to be.

    :raises ArchiveError: ``reason`` is one of ``not_an_archive``, ``unsupported_archive``, ``ambiguous_archive``,
        ``encrypted``, ``corrupt``, ``path_outside``, ``link_not_allowed``, ``special_file``, ``bad_name``,
        ``name_clash``, ``duplicate_member``, ``bad_structure``, ``too_big``, ``too_many_files``, ``too_deep`` and
        ``ratio``.
    """
    limits = limits or Limits()
    kind = kind_of(path)
    names: list[str] = []
    notes: list[str] = []
    unpacked_bytes = 0
    with named(name or path.name):
        for member in checked_members(path, kind, limits, name=name):
            head = b""
            for chunk in member.chunks():
                head = head or chunk
                unpacked_bytes += len(chunk)
            if not member.is_folder:
                names.append(member.name)
                notes += _note_on(member.name, head)
        if not names:
            raise refused("not_an_archive", "it holds no files")
    root = _root(names)
    if kind != "jar":
        notes = [*_notes_on(names, root if kind == "zip" else ""), *notes[:_MOST_NOTES]]
    return Listing(kind=kind, names=tuple(names), root=root, unpacked_bytes=unpacked_bytes, notes=tuple(notes))


def _notes_on(names: list[str], root: str) -> Iterator[str]:
    """What the names of an archive tell: things that belong into no package, and an extra folder around it."""
    parts = [name.split("/") for name in names]
    folders = {part for path in parts for part in path[:-1]}
    files = {path[-1] for path in parts}
    if root:
        yield f"all of it lies in the folder '{shown(root)}'"
    if ".env" in files:
        yield "it holds a file '.env': whoever downloads the package can read the secrets in it"
    if "node_modules" in folders:
        yield "it holds 'node_modules': the runner installs the dependencies itself"
    if "pyvenv.cfg" in files:
        yield "it holds a Python environment: the runner makes its own"
    if ".git" in folders:
        yield "it holds '.git': whoever downloads the package can read the project's history"
    if "__MACOSX" in folders or ".DS_Store" in files or any(name.startswith("._") for name in files):
        yield "it holds notes of macOS, which no bot needs"


def _note_on(name: str, head: bytes) -> Iterator[str]:
    """What the beginning of one file tells: things that make a bot fail although its archive is well."""
    file = name.rpartition("/")[2]
    if file in _ENTRIES and not head:
        yield f"'{shown(name)}' is empty"
    if head[:2] in _UTF_16 and file.startswith("requirements"):
        yield f"'{shown(name)}' is UTF-16, which not every tool reads"
    if head[:2] == b"#!" and head.partition(b"\n")[0].endswith(b"\r"):
        yield f"'{shown(name)}' has Windows line ends: its first line names no program elsewhere"


def check_names(names: Iterable[str]) -> None:
    """Refuse names of files, with ``/``, that no archive could hold together: as ``check``, before there is one.

    :raises ArchiveError: as ``check``, without the name of an archive.
    """
    limits = Limits()
    seen = _Names(limits)
    for count, name in enumerate(names, 1):
        if count > limits.files:
            raise refused("too_many_files", f"there are more than {limits.files} files", "leave some out")
        member = Member(name=name, is_folder=False, executable=False, size_bytes=0, chunks=lambda: iter(()))
        seen.take(_parts(member, portable=True), member)


@contextmanager
def named(name: str) -> Iterator[None]:
    """Put the archive's name in front of what is wrong with it."""
    try:
        yield
    except ArchiveError as error:
        raise ArchiveError(f"'{shown(name)}' is refused: {error.message}", error.hint, reason=error.reason) from error


def checked_members(path: Path, kind: str, limits: Limits, *, name: str = "") -> Iterator[Member]:
    """The members under clean names, each checked before it is given out.

    Members of a jar keep their names as they are, as long as none leads outside: a jar is never unpacked.
    """
    packed_bytes = path.stat().st_size
    if packed_bytes > limits.packed_bytes:
        raise refused("too_big", f"it has {packed_bytes} bytes, more than {limits.packed_bytes}")
    names = _Names(limits)
    with path.open("rb") as file:
        if kind == "file":
            yield _plain_file(file, name or path.name, packed_bytes)
            return
        meter = Meter(limits, packed_bytes)
        for count, member in enumerate(tar_members(file, meter) if kind == "tar.gz" else zip_members(file, meter), 1):
            if count > (limits.jar_files if kind == "jar" else limits.files):
                raise refused("too_many_files", f"it holds more than {count - 1} files and folders")
            parts = _parts(member, portable=kind == "tar.gz")
            if kind != "jar":
                names.take(parts, member)
            if parts:
                yield replace(member, name="/".join(parts))


def _plain_file(file: BinaryIO, name: str, size_bytes: int) -> Member:
    head = file.read(_TAR_MAGIC_AT + 5)
    for magic, what in _UNSUPPORTED.items():
        if head.startswith(magic):
            raise refused("unsupported_archive", f"it is {what}", "pack it as zip or tar.gz")
    if head[_TAR_MAGIC_AT:] == b"ustar":
        raise refused("unsupported_archive", "it is a tar without gzip", "pack it as zip or tar.gz")
    if name.lower().endswith(ARCHIVE_SUFFIXES) or not head:
        raise refused("not_an_archive", "its content is no zip, jar or tar.gz" if head else "it is empty")
    file.seek(0)
    return Member(
        name=name,
        is_folder=False,
        executable=False,
        size_bytes=size_bytes,
        chunks=lambda: iter(lambda: file.read(CHUNK_BYTES), b""),
    )


def _parts(member: Member, *, portable: bool) -> list[str]:
    """The parts of a member's path; empty for the archive's own top folder.

    ``portable`` names are those of a tar, where a backslash is no separator.
    """
    name = member.name.replace("\\", "/")
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or _DRIVE.match(name):
        raise refused("path_outside", f"'{shown(member.name)}' leads out of its folder", "pack relative names")
    if portable and "\\" in member.name:
        raise refused("bad_name", f"'{shown(member.name)}' holds a backslash")
    kept = [part for part in parts if part not in {"", "."}]
    if not kept and not (member.is_folder and member.name):
        raise refused("bad_name", "a file in it has no name")
    return kept


class _Names:
    """Every path that an archive has used, as the least distinguishing file system would see it."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._seen: dict[str, tuple[str, bool]] = {}
        self._files: set[str] = set()

    def take(self, parts: list[str], member: Member) -> None:
        path = "/".join(parts)
        self._check_size(parts, path)
        for part in parts:
            _check_part(part)
        if path in self._files and not member.is_folder:
            raise refused("duplicate_member", f"'{shown(path)}' is in it twice", "pack it anew")
        for end in range(1, len(parts) + 1):
            self._take_one("/".join(parts[:end]), is_folder=end < len(parts) or member.is_folder)
        if not member.is_folder:
            self._files.add(path)

    def _take_one(self, path: str, *, is_folder: bool) -> None:
        key = unicodedata.normalize("NFC", path).casefold()
        spelled, was_folder = self._seen.setdefault(key, (path, is_folder))
        if spelled != path:
            raise refused(
                "name_clash",
                f"'{shown(path)}' and '{shown(spelled)}' are one name on some machines",
                "rename one of them",
            )
        if was_folder != is_folder:
            raise refused("bad_structure", f"'{shown(path)}' is both a file and a folder", "pack it anew")

    def _check_size(self, parts: list[str], path: str) -> None:
        if len(parts) > self._limits.depth:
            raise refused("too_deep", f"'{shown(path)}' lies {len(parts)} folders deep, more than {self._limits.depth}")
        longest = max((len(_bytes(part)) for part in parts), default=0)
        if longest > self._limits.name_bytes or len(_bytes(path)) > self._limits.path_bytes:
            raise refused("bad_name", f"'{shown(path)}' is too long", "use shorter names of files and folders")


def _check_part(part: str) -> None:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in part) or _BIDI.search(part):
        raise refused("bad_name", f"'{shown(part)}' holds control characters or is no UTF-8", "rename the file")
    if part.endswith((".", " ")) or ":" in part or _RESERVED.fullmatch(part):
        raise refused("bad_name", f"'{shown(part)}' cannot be a file's name on Windows", "rename the file")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _root(names: list[str]) -> str:
    tops = {name.split("/", 1)[0] for name in names}
    return tops.pop() if len(tops) == 1 and all("/" in name for name in names) else ""
