"""Packs, lists and unpacks archives: reproducibly, and without ever writing outside. Knows no language and no network.

Same input, same bytes: members are sorted and carry 1980-01-01, modes are 0644 or 0755. What is written appears under
its name only when it is complete. What is read has passed ``archive_check``.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from bottool import __version__
from bottool.archive_check import JAR_MANIFEST, Listing, check, checked_members, kind_of, named
from bottool.members import Limits, Member, refused
from bottool.model import Project
from bottool.sources import Sources, source_files

__all__ = [
    "MANIFEST",
    "MANIFEST_IN_JAR",
    "Limits",
    "Listing",
    "Sources",
    "check",
    "kind_of",
    "manifest",
    "manifest_bytes",
    "pack_tar_gz",
    "pack_zip",
    "read_manifest",
    "read_member",
    "rewrite_jar",
    "sha256_of",
    "source_files",
    "unpack",
]

MANIFEST = "bottool.json"
MANIFEST_IN_JAR = "META-INF/bottool.json"
MANIFEST_FORMAT = 1
_MANIFEST_MAX_BYTES = 4 * 1024**2
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can say."""
_EPOCH_SECONDS = 315532800
_LEVEL = 6
_UNIX = 3


def manifest(project: Project, *, entry: str, requires: str = "", **extra: Any) -> dict[str, Any]:
    """What a package says of itself in ``bottool.json``; packing adds ``files``, the SHA-256 of each by its name.

    ``entry`` is what is started; ``requires`` the range of interpreters, as in ``Inspection``.
    """
    return {
        "format": MANIFEST_FORMAT,
        "bottool": __version__,
        "bot_id": project.bot_id,
        "version": project.version,
        "language": project.language,
        "entry": entry,
        "requires": requires,
        **({"lock": project.lock.file} if project.lock else {}),
        **extra,
    }


def manifest_bytes(said: Mapping[str, Any], entries: Mapping[str, Path | bytes]) -> bytes:
    """The text of ``bottool.json`` as JSON with sorted keys."""
    hashes = {name: _sha256(source) for name, source in entries.items()}
    return (json.dumps({**said, "files": hashes}, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _sha256(source: Path | bytes) -> str:
    return hashlib.sha256(source).hexdigest() if isinstance(source, bytes) else sha256_of(source)


def pack_zip(target: Path, entries: Mapping[str, Path | bytes], *, manifest: Mapping[str, Any] | None = None) -> None:
    """Write a zip with these members: by name in the archive, a file on disk or the content itself."""
    if manifest is not None:
        entries = {**entries, MANIFEST: manifest_bytes(manifest, entries)}
    with _fresh(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
        for name in sorted(entries):
            source = entries[name]
            info = _zip_info(name, _mode(source))
            info.file_size = len(source) if isinstance(source, bytes) else source.stat().st_size
            with packed.open(info, "w") as member, _opened(source) as content:
                shutil.copyfileobj(content, member)


def pack_tar_gz(
    target: Path,
    entries: Mapping[str, Path | bytes],
    *,
    root: str = "",
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """Write a gzipped pax tar with these members, all below the folder ``root`` when it is given."""
    if manifest is not None:
        entries = {**entries, MANIFEST: manifest_bytes(manifest, entries)}
    with (
        _fresh(target) as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=_LEVEL, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in sorted(entries):
            source = entries[name]
            info = tarfile.TarInfo(f"{root}/{name}" if root else name)
            info.mode, info.mtime = _mode(source), _EPOCH_SECONDS
            with _opened(source) as content:
                info.size = content.seek(0, os.SEEK_END)
                content.seek(0)
                tar.addfile(info, content)


def rewrite_jar(
    source: Path, target: Path, added: Mapping[str, bytes], *, manifest: Mapping[str, Any] | None = None
) -> None:
    """Copy a jar that our own build made, with ``added`` members, ours among them, and fixed times.

    A signed jar is copied as it is, without ``added``: a change would break its signature. The manifest stays first,
    as ``java.util.jar.JarInputStream`` wants it; Maven's dated comments in ``pom.properties`` go.
    """
    with zipfile.ZipFile(source) as jar, _fresh(target) as file:
        names = list(dict.fromkeys(jar.namelist()))
        if any(name.startswith("META-INF/") and name.endswith((".RSA", ".DSA", ".EC")) for name in names):
            with source.open("rb") as content:
                shutil.copyfileobj(content, file)
            return
        if manifest is not None:
            kept = {name: _undated(name, jar.read(name)) for name in names if not name.endswith("/")}
            added = {**added, MANIFEST_IN_JAR: manifest_bytes(manifest, {**kept, **added})}
        first = [name for name in ("META-INF/", JAR_MANIFEST) if name in names]
        others = sorted({*names, *added} - {*first})
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
            for name in [*first, *others]:
                info = _zip_info(name, 0o755 if name.endswith("/") else 0o644)
                if name not in added:
                    # A jar inside a jar stays unpacked: class loaders read it in place.
                    info.compress_type = jar.getinfo(name).compress_type
                packed.writestr(info, added[name] if name in added else _undated(name, jar.read(name)))


def _undated(name: str, data: bytes) -> bytes:
    if name.startswith("META-INF/maven/") and name.endswith("/pom.properties"):
        return b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"#"))
    return data


def _zip_info(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_STORED if name.endswith("/") else zipfile.ZIP_DEFLATED
    info.create_system = _UNIX
    info.external_attr = (stat.S_IFREG | mode) << 16
    if name.endswith("/"):
        info.external_attr = (stat.S_IFDIR | mode) << 16 | 0x10
    return info


def _mode(source: Path | bytes) -> int:
    return 0o755 if isinstance(source, Path) and source.stat().st_mode & stat.S_IXUSR else 0o644


def _opened(source: Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


@contextmanager
def _fresh(target: Path) -> Iterator[BinaryIO]:
    """A file beside ``target`` that takes its name when it is complete; on an error nothing is left."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def unpack(path: Path, folder: Path, limits: Limits | None = None, *, name: str = "") -> Path:
    """Check an archive, then write its files into ``folder``, which is new or empty; returns ``folder``.

    The one folder in which all files of a tar.gz lie is left away. A jar and a plain file are copied under ``name``
    (their own name when it is empty). On any error ``folder`` is removed.

    :raises ArchiveError: as ``check``; nothing was written then.
    """
    limits = limits or Limits()
    listing = check(path, limits, name=name)
    if folder.exists() and any(folder.iterdir()):
        raise refused("folder_not_empty", f"'{folder}' is not empty", "unpack into a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        if listing.kind in {"jar", "file"}:
            shutil.copyfile(path, folder / (name or path.name))
        else:
            with named(name or path.name):
                _write_members(path, listing, folder, limits)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _write_members(path: Path, listing: Listing, folder: Path, limits: Limits) -> None:
    skipped = f"{listing.root}/" if listing.root and listing.kind == "tar.gz" else ""
    for member in checked_members(path, listing.kind, limits):
        target = folder / member.name.removeprefix(skipped)
        if member.is_folder:
            if f"{member.name}/" != skipped:
                target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_member(member, target)


def _write_member(member: Member, target: Path) -> None:
    mode = 0o755 if member.executable else 0o644
    # O_EXCL: what is there already was put there by nobody we know.
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in member.chunks():
            file.write(chunk)
    target.chmod(mode)


def read_member(path: Path, name: str, limit_bytes: int) -> bytes | None:
    """The content of one file in a zip, jar or tar.gz, by its full name there; ``None`` when there is no such file.

    :raises ArchiveError: as ``check`` for what had to be read; ``too_big`` when it is longer than ``limit_bytes``.
    """
    return _read_first(path, kind_of(path), lambda found: found == name, limit_bytes)


def _read_first(path: Path, kind: str, wanted: Callable[[str], bool], limit_bytes: int) -> bytes | None:
    if kind == "file":
        return None
    with named(path.name):
        for member in checked_members(path, kind, Limits()):
            if member.is_folder or not wanted(member.name):
                continue
            if member.size_bytes > limit_bytes:
                raise refused("too_big", f"'{member.name}' has {member.size_bytes} bytes, more than {limit_bytes}")
            return b"".join(member.chunks())
    return None


def read_manifest(path: Path) -> dict[str, Any]:
    """What a package's ``bottool.json`` says; empty when there is none or it is no JSON object. Never to be trusted."""
    kind = kind_of(path)
    data = _read_first(path, kind, lambda name: _is_manifest(name, kind), _MANIFEST_MAX_BYTES)
    try:
        said = json.loads(data or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _is_manifest(name: str, kind: str) -> bool:
    """At the root of a zip, in the top folder of a tar.gz, beside the manifest of a jar."""
    if kind == "tar.gz":
        return name.count("/") <= 1 and name.rpartition("/")[2] == MANIFEST
    return name == (MANIFEST_IN_JAR if kind == "jar" else MANIFEST)


def sha256_of(path: Path) -> str:
    """The checksum by which a package is known, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
