"""Texts and figures from a runner, made fit for every database. They come from bots, so anything may be in them, and a
report must not be refused over a letter.
"""

import math
from collections.abc import Mapping, Sequence

_LIMIT = 2000
_MOST = 50


def cleaned(text: str, limit: int = _LIMIT) -> str:
    """``text`` without what no database keeps (NUL, half of a surrogate pair), cut at the end."""
    return text[:limit].replace("\0", "").encode("utf-8", "replace").decode()


def cleaned_tail(text: str, limit: int) -> str:
    """As ``cleaned``, cut at the front."""
    return cleaned(text[-limit:], limit)


def names(texts: Sequence[str]) -> list[str]:
    return [cleaned(text, 200) for text in texts[:_MOST]]


def figures(found: Mapping[str, float]) -> dict[str, float]:
    """Those that JSON can write."""
    return {cleaned(name, 100): value for name, value in list(found.items())[:_MOST] if math.isfinite(value)}


def seconds(value: float) -> float:
    return value if math.isfinite(value) else 0.0
