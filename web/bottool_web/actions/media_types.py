"""What a file's bytes look like. Its name decides between kinds of text only; what a sender says of it never counts."""

import codecs
from pathlib import PurePosixPath

LOOKED_AT_BYTES = 4096
OTHER = "application/octet-stream"
TEXT = "text/plain"
CSV = "text/csv"
JSON = "application/json"
PDF = "application/pdf"
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""Pictures that can hold no program; SVG can, so it is none of them."""
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", PDF),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_MARKUP = (
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "text/xml"),
)
_OFFICE = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def media_type_of(head: bytes, file_name: str) -> str:
    """By the first ``LOOKED_AT_BYTES`` of a file."""
    ending = PurePosixPath(file_name).suffix.casefold()
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    for beginning, media_type in _BEGINNINGS:
        if head.startswith(beginning):
            return _OFFICE.get(ending, media_type) if media_type == "application/zip" else media_type
    return _text_type(head, ending) if is_text(head) else OTHER


def is_text(head: bytes) -> bool:
    """UTF-8, of which the last character may be cut, without what only binary files hold."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _text_type(head: bytes, ending: str) -> str:
    plain = head.removeprefix(codecs.BOM_UTF8).lstrip()
    for beginning, media_type in _MARKUP:
        if plain[:64].lower().startswith(beginning):
            return media_type
    if ending in {".csv", ".tsv"}:
        return CSV
    return JSON if ending == ".json" or plain[:1] in {b"{", b"["} else TEXT
