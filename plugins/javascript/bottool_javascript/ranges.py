"""Does a Node.js version lie in a range as ``engines`` writes it? The common part of npm's range language.

Source: the README of npm's package "semver". A range that is not understood holds everything.
"""

import re
from collections.abc import Iterator

_PART = r"(\d+|[xX*])"
_COMPARATOR = re.compile(rf"([<>]=?|=|\^|~>?)?v?{_PART}(?:\.{_PART})?(?:\.{_PART})?(?:[-+][\w.+-]*)?")
_HYPHEN = re.compile(r"(\S+)\s+-\s+(\S+)")

Version = tuple[int, int, int]
_HIGHEST = (10**9, 0, 0)


def holds(wanted: str, version: str) -> bool:
    """True when ``version`` (``20.11.1``) lies in the range ``wanted`` (``>=18 <21 || ^22.1``)."""
    numbers = [int(part) for part in re.findall(r"\d+", version)]
    if not wanted.strip() or not numbers:
        return True
    here = _filled(numbers)
    return any(all(low <= here < high for low, high in _bounds(part)) for part in wanted.split("||"))


def _bounds(text: str) -> Iterator[tuple[Version, Version]]:
    """The half-open intervals whose intersection is meant."""
    text = _HYPHEN.sub(r">=\1 <=\2", text)
    for word in re.sub(r"([<>=^~])\s+", r"\1", text).split():
        if match := _COMPARATOR.fullmatch(word):
            yield _bound(match[1] or "=", [int(each) for each in match.groups()[1:] if (each or "x") not in "xX*"])


def _bound(sign: str, numbers: list[int]) -> tuple[Version, Version]:
    low = _filled(numbers)
    after = _after(numbers)
    return {
        ">=": (low, _HIGHEST),
        ">": (after, _HIGHEST),
        "<": ((0, 0, 0), low),
        "<=": ((0, 0, 0), after),
        "^": (low, _after_caret(numbers)),
        "~": (low, _after(numbers[:2])),
        "~>": (low, _after(numbers[:2])),
        "=": (low, after),
    }[sign]


def _filled(numbers: list[int]) -> Version:
    first, second, third = (*numbers, 0, 0, 0)[:3]
    return first, second, third


def _after(numbers: list[int]) -> Version:
    """The first version that does not start with these numbers."""
    return _filled([*numbers[:-1], numbers[-1] + 1]) if numbers else _HIGHEST


def _after_caret(numbers: list[int]) -> Version:
    """Up to the next change of the first number that is not zero."""
    leading = next((place for place, number in enumerate(numbers) if number), max(len(numbers) - 1, 0))
    return _after(numbers[: leading + 1])
