"""Writes a jar anew, so that the same classes give the same bytes. Knows jars, and no Java beyond that."""

import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from bottool.archive_check import JAR_MANIFEST
from bottool.packing import Entry, fresh, manifest_text, write_members
from bottool.zip_writer import ZipWriter, piece_of

MANIFEST_IN_JAR = "META-INF/bottool.json"
_SIGNATURES = (".RSA", ".DSA", ".EC")


def rewrite_jar(
    source: Path, target: Path, added: Mapping[str, bytes], *, manifest: Mapping[str, Any] | None = None
) -> None:
    """Copy a jar that our own build made, with ``added`` members, ours among them, and fixed times.

    A signed jar is copied as it is, without ``added``: a change would break its signature. The manifest stays first,
    as ``java.util.jar.JarInputStream`` wants it; Maven's dated comments in ``pom.properties`` go.
    """
    with zipfile.ZipFile(source) as jar, fresh(target) as file:
        names = list(dict.fromkeys(jar.namelist()))
        if any(name.startswith("META-INF/") and name.endswith(_SIGNATURES) for name in names):
            with source.open("rb") as content:
                shutil.copyfileobj(content, file)
            return
        first = [name for name in ("META-INF/", JAR_MANIFEST) if name in names]
        ours = {MANIFEST_IN_JAR} if manifest is not None else set()
        writer = ZipWriter(file)
        hashes: dict[str, str] = {}
        order = [*first, *sorted({*names, *added} - {*first} - ours)]
        for are_folders, run in groupby(order, lambda name: name.endswith("/")):
            if are_folders:
                for name in run:
                    writer.add_folder(name)
            else:
                hashes |= write_members(writer, _members(jar, run, added), 0)
        if manifest is not None:
            writer.add(piece_of(MANIFEST_IN_JAR, manifest_text(manifest, hashes)))
        writer.close()


def _members(jar: zipfile.ZipFile, names: Iterable[str], added: Mapping[str, bytes]) -> Iterator[Entry]:
    for name in names:
        if name in added:
            yield Entry(name=name, source=added[name])
        else:
            # A jar inside a jar stays unpacked: class loaders read it in place.
            stored = jar.getinfo(name).compress_type == zipfile.ZIP_STORED
            yield Entry(name=name, source=_undated(name, jar.read(name)), store=stored)


def _undated(name: str, data: bytes) -> bytes:
    if name.startswith("META-INF/maven/") and name.endswith("/pom.properties"):
        return b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"#"))
    return data
