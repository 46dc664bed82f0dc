"""What lies in a package: every file with its size and checksum, held against what the manifest says.

Reads the closed archive once, piece by piece. A manifest is a hint: where it and the archive disagree, that is told,
and the archive is right.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bottool import archive
from bottool.archive_check import checked_members
from bottool.model import Problem, Severity

MOST_TOLD = 20
"""So many differences are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file in a package. ``name`` is what the manifest calls it: without the one folder around an sdist."""

    name: str
    size_bytes: int
    sha256: str


def files(path: Path) -> tuple[File, ...]:
    """The files of a package, sorted by name.

    :raises ArchiveError: when the archive is refused.
    """
    listing = archive.check(path)
    around = f"{listing.root}/" if listing.root and listing.kind == "tar.gz" else ""
    found = []
    for member in checked_members(path, listing.kind, archive.Limits()):
        if member.is_folder:
            continue
        digest, size = hashlib.sha256(), 0
        for chunk in member.chunks():
            digest.update(chunk)
            size += len(chunk)
        found.append(File(name=member.name.removeprefix(around), size_bytes=size, sha256=digest.hexdigest()))
    return tuple(sorted(found, key=lambda file: file.name))


def differences(found: tuple[File, ...], manifest: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Where the files are others than the manifest says; nothing for a package without one."""
    said = manifest.get("files")
    if not isinstance(said, Mapping):
        return ()
    told = list(_differences({file.name: file.sha256 for file in found}, said))
    more = len(told) - MOST_TOLD
    if more > 0:
        told = [*told[:MOST_TOLD], f"{more} more files differ from the manifest"]
    hint = "the package was changed after it was built: build it again"
    return tuple(Problem(severity=Severity.WARNING, code="manifest_differs", message=each, hint=hint) for each in told)


def _differences(there: Mapping[str, str], said: Mapping[str, Any]) -> Iterator[str]:
    own = {archive.MANIFEST, archive.MANIFEST_IN_JAR}
    for name in sorted({*there, *map(str, said)} - own):
        if name not in said:
            yield f"'{name}' is in the package, but not in its manifest"
        elif name not in there:
            yield f"'{name}' is in the manifest, but not in the package"
        elif there[name] != said[name]:
            yield f"'{name}' is another file than its manifest says"
