"""The forms in which a secret turns up in texts: as it is, and as the usual encoders write it. Pure."""

import base64
import html
import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A shorter secret would mask half of every text, and protects nothing."""
SHORTEST_LINE = 6
"""Of a secret of several lines, such as a private key, lines of this length are secrets of their own."""
_URL_KEPT = ("", "/", "*", "!*'()", ";,/?:@&=+$!*'()#")
"""What encoders of URLs leave alone. Sources: RFC 3986, java.net.URLEncoder, encodeURIComponent and encodeURI."""


def is_masked(secret: str) -> bool:
    """False for secrets that are too short to be looked for."""
    return any(True for _ in _parts(secret))


def forms_of(secret: str) -> set[bytes]:
    """All of them, of the whole and of its longer lines."""
    return {form for part in _parts(secret) for form in _forms(part)}


def _parts(secret: str) -> Iterator[str]:
    whole = secret.strip()
    if len(whole) >= SHORTEST:
        yield whole
    lines = whole.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line.strip()) >= SHORTEST_LINE)


def _forms(secret: str) -> set[bytes]:
    plain = secret.encode("utf-8", "surrogatepass")
    texts = {secret, *_in_code(secret), *_in_markup(secret), *_in_urls(plain), plain.hex(), plain.hex().upper()}
    wide = (secret.encode(kind, "surrogatepass") for kind in ("utf-16-le", "utf-16-be"))
    return {*(text.encode("utf-8", "surrogatepass") for text in texts), *wide, *_base64(plain)}


def _in_code(secret: str) -> Iterator[str]:
    """As JSON writes it (also JSON within JSON), Python, and shells."""
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        # Some escape what would mean something in a page: Gson, Flask, Jackson for HTML.
        for_pages = re.sub("[<>&'=]", lambda found: f"\\u{ord(found[0]):04x}", once)
        yield from (once, once.replace("/", "\\/"), json.dumps(once, ensure_ascii=ascii_only)[1:-1], for_pages)
        yield for_pages.replace("\\u003d", "=")
    yield from (repr(secret)[1:-1], repr(secret.encode("utf-8", "surrogatepass"))[2:-1])
    yield from (shlex.quote(secret).strip("'"), secret.replace("'", "'\\''"), secret.replace("'", "''"))
    yield re.sub(r'(["$`\\])', r"\\\1", secret)


def _in_markup(secret: str) -> Iterator[str]:
    for quotes in (True, False):
        escaped = html.escape(secret, quote=quotes)
        yield escaped
        for written in ("&#39;", "&apos;"):
            yield escaped.replace("&#x27;", written)
            yield escaped.replace("&#x27;", written).replace("&quot;", "&#34;")


def _in_urls(plain: bytes) -> Iterator[str]:
    for encode in (quote, quote_plus):
        for safe in _URL_KEPT:
            encoded = encode(plain, safe=safe)
            # Java encodes the tilde; some write small letters.
            for each in (encoded, encoded.replace("~", "%7E")):
                yield from (each, re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), each))


def _base64(plain: bytes) -> Iterator[bytes]:
    """The signs that depend on nothing but the secret, wherever in the encoded bytes it begins."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + plain)
        # A sign stands for 6 bits: those that hold bits of a neighbour are left out.
        form = whole[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        if len(form) > SHORTEST:
            yield from (form, form.translate(bytes.maketrans(b"+/", b"-_")))
            yield form.replace(b"+", b"%2B").replace(b"/", b"%2F")
