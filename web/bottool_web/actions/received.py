"""Bytes that come in as a file: kept under their checksum, looked at for what they are; and names fit for downloads."""

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from bottool_web.actions import checks, media_types
from bottool_web.actions.site import Site
from bottool_web.store.artifacts import Content


def receive(site: Site, pieces: Iterable[bytes], file_name: str, *, limit_bytes: int) -> Content:
    """Keep the bytes; ``pieces`` may raise, and then nothing is kept.

    :raises TooBig: when they are more than ``limit_bytes``.
    :raises Unavailable: when the disk has no room for them.
    """
    head = bytearray()

    def watched() -> Iterator[bytes]:
        for piece in pieces:
            if len(head) < media_types.LOOKED_AT_BYTES:
                head.extend(piece[: media_types.LOOKED_AT_BYTES - len(head)])
            yield piece

    stored = site.files.add_artifact(watched(), limit_bytes=limit_bytes)
    media_type = media_types.media_type_of(bytes(head), file_name)
    return Content(sha256=stored.sha256, size_bytes=stored.size_bytes, media_type=media_type)


def file_name_of(path: str) -> str:
    """The last part of a path of any system, without control characters; empty when nothing is left."""
    last = PurePosixPath(path.replace("\\", "/")).name
    # The end of a long one, which says what kind of file it is.
    name = "".join(letter for letter in last if letter.isprintable()).strip()[-checks.NAME_LIMIT :]
    return "" if name in {".", ".."} else name
