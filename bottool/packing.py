"""Packs files into zip and tar.gz: read once, hashed and compressed from the same bytes by two threads.

Same content, same bytes (``deflating`` says how). What is written appears under its name only when it is complete.
Knows the manifest's form and no project: names that a package cannot hold are refused before anything is read.
"""

import hashlib
import json
import mmap
import os
import tarfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from bottool import deflating
from bottool.archive_check import check_names
from bottool.members import Limits, refused
from bottool.steady_files import Steady
from bottool.zip_writer import Piece, ZipWriter, piece_of

MANIFEST = "bottool.json"
LARGE_BYTES = 8 * 1024**2
"""From here on a file is not held in memory."""
_BATCH_BYTES = 1024**2
_BATCH_FILES = 128
_THREADS = 2
_AHEAD = 2 * _THREADS
_EPOCH_SECONDS = 315532800
_NO_HASH = "0" * 64

Progress = Callable[[int, int], None]
"""Hears how many bytes of how many are packed; called often."""
_progress: ContextVar[Progress] = ContextVar("_progress", default=lambda _done, _all: None)
"""Handed past the languages, which pack and need not know of it."""


@contextmanager
def told_to(progress: Progress) -> Iterator[None]:
    """Within, packing tells ``progress`` how far it is."""
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


def manifest_bytes(said: Mapping[str, Any], entries: Mapping[str, Path | bytes]) -> bytes:
    """The text of ``bottool.json`` as JSON with sorted keys."""
    return manifest_text(said, {name: _sha256(source) for name, source in entries.items()})


def manifest_text(said: Mapping[str, Any], hashes: Mapping[str, str]) -> bytes:
    """The same for hashes that are known."""
    return (json.dumps({**said, "files": hashes}, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _sha256(source: Path | bytes) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A member to be. ``store`` leaves it uncompressed."""

    name: str
    source: Steady | bytes
    store: bool = False

    @property
    def size_bytes(self) -> int:
        return len(self.source) if isinstance(self.source, bytes) else self.source.size_bytes


def pack_zip(target: Path, entries: Mapping[str, Path | bytes], *, manifest: Mapping[str, Any] | None = None) -> None:
    """Write a zip with these members: by name in the archive, a file on disk or the content itself.

    The manifest stands last: it holds the hash of every other member, and each is read only once.

    :raises ArchiveError: when a package (what has a manifest) would be refused for its names or sizes.
    :raises ProjectError: when a file cannot be read, or changes meanwhile.
    """
    members = _members(entries, manifest)
    with fresh(target) as file:
        writer = ZipWriter(file)
        hashes = write_members(writer, members, sum(each.size_bytes for each in members))
        if manifest is not None:
            writer.add(piece_of(MANIFEST, manifest_text(manifest, hashes)))
        writer.close()


def _members(entries: Mapping[str, Path | bytes], manifest: Mapping[str, Any] | None) -> list[Entry]:
    """Sorted by name, without what the manifest replaces; judged first when they become a package."""
    names = sorted(name for name in entries if manifest is None or name != MANIFEST)
    if manifest is not None:
        check_names([*names, MANIFEST])
    members = []
    for name in names:
        source = entries[name]
        members.append(Entry(name=name, source=source if isinstance(source, bytes) else Steady.look(name, source)))
    if manifest is not None:
        _refuse_too_big(members)
    return members


def _refuse_too_big(members: Iterable[Entry]) -> None:
    limits, total = Limits(), 0
    for each in members:
        total += each.size_bytes
        if each.size_bytes > limits.file_bytes:
            raise refused("too_big", f"'{each.name}' is larger than {limits.file_bytes} bytes", "keep it elsewhere")
    if total > limits.unpacked_bytes:
        hint = "'bottool build --list' shows the biggest files"
        raise refused("too_big", f"the bot has {total} bytes, more than {limits.unpacked_bytes}", hint)


def write_members(writer: ZipWriter, members: Iterable[Entry], all_bytes: int) -> dict[str, str]:
    """Write the members in their order; returns their hashes. ``all_bytes`` is what progress is measured by."""
    tell, done_bytes = _progress.get(), 0
    hashes = {}
    for each in _pieces(members):
        if isinstance(each, Piece):
            writer.add(each)
            hashes[each.name] = each.sha256
        elif isinstance(each.source, Steady):
            hashes[each.name] = writer.add_large(each.name, each.source.chunks(), each.size_bytes)
        done_bytes += each.size_bytes
        tell(done_bytes, all_bytes)
    return hashes


def _pieces(members: Iterable[Entry]) -> Iterator[Piece | Entry]:
    """The members compressed, a few batches ahead of who takes them; large files as they are, in their turn."""
    pool: ThreadPoolExecutor | None = None
    waiting: deque[Future[list[Piece]]] = deque()
    try:
        for batch in _batches(members):
            if batch[0].size_bytes >= LARGE_BYTES and isinstance(batch[0].source, Steady):
                while waiting:
                    yield from waiting.popleft().result()
                yield batch[0]
                continue
            # Starting threads costs more than they bring where there is little.
            pool = pool or ThreadPoolExecutor(_THREADS, thread_name_prefix="packing")
            waiting.append(pool.submit(_compress, batch))
            if len(waiting) > _AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)


def _batches(members: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Enough small files at once that handing them over costs little; a large one alone."""
    batch: list[Entry] = []
    size_bytes = 0
    for each in members:
        is_large = each.size_bytes >= LARGE_BYTES
        if batch and (is_large or size_bytes >= _BATCH_BYTES or len(batch) == _BATCH_FILES):
            yield batch
            batch, size_bytes = [], 0
        batch.append(each)
        size_bytes += each.size_bytes
        if is_large:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _compress(batch: list[Entry]) -> list[Piece]:
    return [
        piece_of(
            each.name,
            each.source if isinstance(each.source, bytes) else each.source.read(),
            store=each.store,
        )
        for each in batch
    ]


def pack_tar_gz(
    target: Path,
    entries: Mapping[str, Path | bytes],
    *,
    root: str = "",
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """Write a gzipped pax tar with these members, all below the folder ``root`` when it is given.

    The manifest stands first, where it is found without unpacking the rest. The tar is written beside ``target`` and
    compressed from there by mapping it.

    :raises ArchiveError: as ``pack_zip``.
    :raises ProjectError: as ``pack_zip``.
    """
    members = _members(entries, manifest)
    with fresh(target.with_name(f"{target.name}.tar"), keep=False) as tar:
        _write_tar(tar, members, f"{root}/" if root else "", manifest)
        tar.flush()
        with (
            fresh(target) as file,
            mmap.mmap(tar.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as data,
        ):
            file.write(deflating.gzipped(data))


def _write_tar(tar: BinaryIO, members: list[Entry], prefix: str, manifest: Mapping[str, Any] | None) -> None:
    """The tar, with a gap for the manifest: how long it will be is known before the hashes are."""
    tell, done_bytes, all_bytes = _progress.get(), 0, sum(each.size_bytes for each in members)
    hashes = {each.name: _NO_HASH for each in members}
    if manifest is not None:
        _add_to_tar(tar, prefix + MANIFEST, [manifest_text(manifest, hashes)])
    for each in members:
        chunks = [each.source] if isinstance(each.source, bytes) else each.source.chunks()
        hashes[each.name] = _add_to_tar(tar, prefix + each.name, chunks, each.size_bytes)
        done_bytes += each.size_bytes
        tell(done_bytes, all_bytes)
    tar.write(b"\0" * 2 * tarfile.BLOCKSIZE)
    tar.write(b"\0" * (-tar.tell() % tarfile.RECORDSIZE))
    if manifest is not None:
        tar.seek(0)
        _add_to_tar(tar, prefix + MANIFEST, [manifest_text(manifest, hashes)])


def _add_to_tar(tar: BinaryIO, name: str, chunks: Iterable[bytes], size_bytes: int | None = None) -> str:
    """Write one member; returns its SHA-256."""
    contents = iter(chunks)
    first = next(contents, b"")
    info = tarfile.TarInfo(name)
    info.size = len(first) if size_bytes is None else size_bytes
    info.mode, info.mtime = deflating.mode_of(first), _EPOCH_SECONDS
    tar.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
    digest = hashlib.sha256(first)
    tar.write(first)
    for chunk in contents:
        digest.update(chunk)
        tar.write(chunk)
    tar.write(b"\0" * (-info.size % tarfile.BLOCKSIZE))
    return digest.hexdigest()


@contextmanager
def fresh(target: Path, *, keep: bool = True) -> Iterator[BinaryIO]:
    """A file beside ``target`` that takes its name when it is complete, or goes again; on an error nothing is left."""
    part = target.with_name(f".{target.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        with part.open("w+b") as file:
            yield file
            if keep:
                file.flush()
                os.fsync(file.fileno())
        if keep:
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)
