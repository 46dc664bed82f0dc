"""What languages and the rest of core use of archives: packing, listing, reading and unpacking them.

Packing is ``packing`` and ``jar_packing``, judging ``archive_check``. Unpacking never writes outside: what is read has
passed the check. Knows no language and no network.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from bottool import __version__
from bottool.archive_check import Listing, check, check_names, checked_members, kind_of, named
from bottool.jar_packing import MANIFEST_IN_JAR, rewrite_jar
from bottool.members import Limits, Member, Meter, refused
from bottool.model import Project
from bottool.packing import MANIFEST, manifest_bytes, pack_tar_gz, pack_zip
from bottool.sources import Sources, source_files

__all__ = [
    "MANIFEST",
    "MANIFEST_IN_JAR",
    "Limits",
    "Listing",
    "Sources",
    "check",
    "check_names",
    "check_packed",
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

MANIFEST_FORMAT = 1
_MANIFEST_MAX_BYTES = 4 * 1024**2


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
    return _manifest_of(data or b"{}")


def _manifest_of(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_manifest(name: str, kind: str) -> bool:
    """At the root of a zip, in the top folder of a tar.gz, beside the manifest of a jar."""
    if kind == "tar.gz":
        return name.count("/") <= 1 and name.rpartition("/")[2] == MANIFEST
    return name == (MANIFEST_IN_JAR if kind == "jar" else MANIFEST)


def check_packed(path: Path) -> dict[str, Any]:
    """Check a package that was built just now; returns its manifest.

    What our own packer wrote is not unpacked again: its names and sizes are looked at, not its data.

    :raises ArchiveError: as ``check``.
    """
    kind, limits = kind_of(path), Limits()
    if kind == "tar.gz":
        said = read_manifest(path)
        if _is_ours(said, said.get("files", {})):
            with named(path.name):
                _check_sizes(path, limits)
            return said
    elif kind != "file":
        names, said = set(), {}
        with named(path.name):
            for member in checked_members(path, kind, limits):
                if member.name in {MANIFEST, MANIFEST_IN_JAR} and member.size_bytes <= _MANIFEST_MAX_BYTES:
                    said = _manifest_of(b"".join(member.chunks())) if _is_manifest(member.name, kind) else said
                elif not member.is_folder:
                    names.add(member.name)
        if _is_ours(said, names):
            return said
    check(path, limits)
    return read_manifest(path)


def _is_ours(said: dict[str, Any], names: Collection[str]) -> bool:
    """True when a manifest is of this bottool and lists these names: only our own packers write that."""
    files = said.get("files")
    if said.get("bottool") != __version__ or not isinstance(files, dict):
        return False
    return files.keys() - {MANIFEST, MANIFEST_IN_JAR} == set(names) - {MANIFEST, MANIFEST_IN_JAR}


def _check_sizes(path: Path, limits: Limits) -> None:
    """Of a gzip file, whose last four bytes say how much it unpacks to."""
    packed_bytes = path.stat().st_size
    if packed_bytes > limits.packed_bytes:
        raise refused("too_big", f"it has {packed_bytes} bytes, more than {limits.packed_bytes}")
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        Meter(limits, packed_bytes).add(int.from_bytes(file.read(4), "little"))


def sha256_of(path: Path) -> str:
    """The checksum by which a package is known, in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
