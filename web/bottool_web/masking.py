"""Secrets in what bots print and send become ``*``, in every form in which they usually turn up. Knows no database.

A secret is found as it is, URL-encoded, JSON-escaped, HTML-escaped, and in base64 at any of its three alignments, each
also when line breaks split it. What is masked keeps its length in bytes and its line breaks, so that offsets and counts
of output stay true.
"""

import base64
import html
import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A shorter secret would mask half of every text, and protects nothing."""
SHORTEST_LINE = 8
"""Of a secret of several lines, such as a private key, lines of this length are secrets of their own."""
LONGEST = 8192
"""Of a longer secret its beginning is looked for, and its lines."""
_BREAK = rb"(?:\r?\n[ \t]*)?"
_KEPT = frozenset(b"\r\n")


class Masker:
    """Masks the ``secrets`` it was made with. Safe from any thread."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for part in _parts(secret) for form in _forms(part)}
        # The longest first: an alternation takes the first that fits, and a form may begin another.
        patterns = [_split(form) for form in sorted(forms, key=lambda form: (-len(form), form))]
        self._pattern = re.compile(b"|".join(patterns)) if patterns else None

    def data(self, data: bytes) -> bytes:
        """``data`` with its secrets masked, of the same length."""
        return self._pattern.sub(_stars, data) if self._pattern is not None else data

    def text(self, text: str) -> str:
        """As ``data``; a sign beyond ASCII may become several ``*``. A text without secrets stays what it is."""
        if self._pattern is None:
            return text
        plain = text.encode("utf-8", "surrogatepass")
        masked = self.data(plain)
        return text if masked == plain else masked.decode("utf-8", "surrogatepass")

    def value(self, value: Any) -> Any:
        """As ``text``, for all texts in JSON values, also the names in objects."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self.value(name): self.value(each) for name, each in value.items()}
        return value


def is_masked(secret: str) -> bool:
    """False for secrets that are too short to be looked for."""
    return any(True for _ in _parts(secret))


def _parts(secret: str) -> Iterator[str]:
    whole = secret.strip()
    if len(whole) >= SHORTEST:
        yield whole[:LONGEST]
    lines = whole.splitlines()
    if len(lines) > 1:
        yield from (line.strip()[:LONGEST] for line in lines if len(line.strip()) >= SHORTEST_LINE)


def _forms(secret: str) -> Collection[bytes]:
    plain = secret.encode("utf-8", "surrogatepass")
    texts = {secret, html.escape(secret), html.escape(secret, quote=False)}
    for ascii_only in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        texts |= {escaped, escaped.replace("/", "\\/")}
    for encode in (quote, quote_plus):
        for safe in ("", "/"):
            encoded = encode(plain, safe=safe)
            texts |= {encoded, re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), encoded)}
    return {text.encode("utf-8", "surrogatepass") for text in texts} | set(_base64(plain))


def _base64(plain: bytes) -> Iterator[bytes]:
    """The signs that depend on nothing but the secret, wherever in the encoded bytes it begins."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + plain)
        # A sign stands for 6 bits: those that hold bits of a neighbour are left out.
        first = -(-before * 8 // 6)
        last = (before + len(plain)) * 8 // 6
        form = whole[first:last]
        if len(form) > SHORTEST:
            yield form
            yield form.translate(bytes.maketrans(b"+/", b"-_"))


def _split(form: bytes) -> bytes:
    return _BREAK.join(re.escape(form[at : at + 1]) for at in range(len(form)))


def _stars(found: "re.Match[bytes]") -> bytes:
    return bytes(byte if byte in _KEPT else ord("*") for byte in found[0])
