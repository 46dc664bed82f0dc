"""Secrets in what bots print and send become ``*``, in every form of ``masked_forms``. Knows no database.

A form is found also when line breaks split it, and a longer one when the lines are indented too. What is masked keeps
its length in bytes and its line breaks, so that offsets and counts of output stay true.

The data is searched without its line breaks, and once more without any white space, for all forms at a time.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from ahocorasick_rs import BytesAhoCorasick

from bottool_web.masked_forms import SHORTEST, forms_of

_LONGEST = 1024
"""A longer form is looked for piece by piece."""
_ANCHOR = 24
"""So many bytes of each form are searched for; what follows them is compared."""
_SURE = 12
"""A shorter form is not looked for across words: ``10 00`` is not ``1000``."""
_BLOCK = 1024
_WINDOW = 256 * 1024
_STARS = bytes(byte if byte in b"\r\n" else ord("*") for byte in range(256))


class Masker:
    """Masks the ``secrets`` it was made with. Safe from any thread; making it takes longer than using it."""

    reach = 4 * _LONGEST
    """A secret that ends in new data began about so many bytes before it, at most."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in forms_of(secret)}
        self._searches = [_Search(forms, b"\r\n", SHORTEST), _Search(forms, b" \t\r\n", _SURE)]
        self.size = sum(map(len, forms))
        """Of its forms, in bytes: what it takes of the memory, about."""

    def data(self, data: bytes) -> bytes:
        """``data`` with its secrets masked, of the same length."""
        stars = [span for search in self._searches for span in search.spans(data)]
        if not stars:
            return data
        masked = bytearray(data)
        for start, end in stars:
            masked[start:end] = data[start:end].translate(_STARS)
        return bytes(masked)

    def text(self, text: str) -> str:
        """As ``data``; a sign beyond ASCII may become several ``*``. A text without secrets stays what it is."""
        plain = text.encode("utf-8", "surrogatepass")
        masked = self.data(plain)
        if masked is plain:
            return text
        try:
            return masked.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            # Half of a sign is left where a form in UTF-16 ended within one.
            return masked.decode("utf-8", "replace")

    def value(self, value: Any) -> Any:
        """As ``text``, for all texts in JSON values, also the names in objects."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if isinstance(value, dict):
            return {self.value(name): self.value(each) for name, each in value.items()}
        return value


class _Search:
    """Looks for forms in data, where the bytes of ``ignored`` count neither here nor there."""

    def __init__(self, forms: Iterable[bytes], ignored: bytes, shortest: int) -> None:
        self._ignored = ignored
        packed = {piece for form in forms for piece in _pieces(form.translate(None, ignored)) if len(piece) >= shortest}
        by_anchor: dict[bytes, list[bytes]] = defaultdict(list)
        for piece in packed:
            by_anchor[piece[:_ANCHOR]].append(piece)
        self._pieces = [sorted(pieces, key=len, reverse=True) for pieces in by_anchor.values()]
        self._anchors = BytesAhoCorasick(list(by_anchor)) if by_anchor else None

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """From where to where something is to be masked in ``data``; in order, and apart from each other."""
        packed = data.translate(None, self._ignored)
        found = list(_joined(sorted(self._found(packed))))
        if not found or len(packed) == len(data):
            return found
        places = self._places(data, (place for start, end in found for place in (start, end - 1)))
        return [(start, last + 1) for start, last in zip(places, places, strict=True)]

    def _found(self, packed: bytes) -> Iterator[tuple[int, int]]:
        if self._anchors is None:
            return
        # A window at a time, or what repeats itself would be found in a list many times as long.
        for window in range(0, len(packed), _WINDOW):
            part = packed[window : window + _WINDOW + _ANCHOR - 1]
            for number, start, _ in self._anchors.find_matches_as_indexes(part, overlapping=True):
                for piece in self._pieces[number]:
                    if packed.startswith(piece, window + start):
                        yield window + start, window + start + len(piece)
                        break

    def _places(self, data: bytes, wanted: Iterator[int]) -> Iterator[int]:
        """Where the bytes with these numbers among those that count lie in ``data``; rising numbers."""
        block, first, size = 0, 0, self._size(data, 0)
        here: list[int] = []
        for number in wanted:
            while number >= first + size:
                block, first, here = block + _BLOCK, first + size, []
                size = self._size(data, block)
            here = here or [
                at for at, byte in enumerate(data[block : block + _BLOCK], block) if byte not in self._ignored
            ]
            yield here[number - first]

    def _size(self, data: bytes, block: int) -> int:
        return len(data[block : block + _BLOCK].translate(None, self._ignored))


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Those that overlap as one; what lies between two that only touch is not theirs."""
    start, end = 0, 0
    for first, last in spans:
        if first >= end:
            if end:
                yield start, end
            start = first
        end = max(end, last)
    if end:
        yield start, end


def _pieces(form: bytes) -> Iterator[bytes]:
    """Of one length; the last overlaps the one before it."""
    for start in range(0, max(len(form) - _LONGEST, 0), _LONGEST):
        yield form[start : start + _LONGEST]
    yield form[-_LONGEST:]
