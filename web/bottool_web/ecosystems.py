"""How the worlds that packages come from compare names and versions. Knows no store and no bot.

Sources: PEP 440 and PEP 503 for pypi; semver.org for npm; the documentation of ``Gem::Version`` for gem; the page
"Version Order Specification" of Maven's POM reference for maven.
"""

import re
from functools import total_ordering
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

KNOWN = ("pypi", "maven", "npm", "gem")
_SEMVER = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_GEM = re.compile(r"\d+(\.[0-9A-Za-z]+)*(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?")
_MAVEN = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]*")
_DIGITS_OR_LETTERS = re.compile(r"\d+|[a-z]+")
_MAVEN_PARTS = re.compile(r"[.-]|\d+|[^\d.-]+")
_LONGEST = 200
_QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}
_SAME = {"cr": "rc", "ga": "", "final": "", "release": ""}


def plain_name(ecosystem: str, name: str) -> str:
    """The name by which the ecosystem tells packages apart: ``Foo_Bar`` and ``foo-bar`` are one on pypi."""
    return canonicalize_name(name) if ecosystem == "pypi" else name.lower()


def is_below(ecosystem: str, version: str, limit: str) -> bool | None:
    """Whether ``version`` comes before ``limit``; ``None`` when they cannot be compared."""
    read = {"pypi": _pypi, "npm": _semver, "gem": _gem, "maven": _maven}.get(ecosystem)
    if read is None or not version or max(len(version), len(limit)) > _LONGEST:
        return None
    one, other = read(version), read(limit)
    return None if one is None or other is None else bool(one < other)


def _pypi(text: str) -> Any:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _semver(text: str) -> Any:
    found = _SEMVER.fullmatch(text.strip())
    if found is None:
        return None
    numbers = tuple(int(part or 0) for part in found.group(1, 2, 3))
    if found[4] is None:
        return (*numbers, 1, ())
    # Numbers come before words; a version before its release comes before it.
    words = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in found[4].split("."))
    return (*numbers, 0, words)


def _gem(text: str) -> Any:
    if not _GEM.fullmatch(text.strip()):
        return None
    parts = _DIGITS_OR_LETTERS.findall(text.strip().replace("-", ".pre.").lower())
    found = [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]
    # Where one ends, the other has a zero, and a word comes before a zero.
    return (*found, *[(1, 0, "")] * (_LONGEST - len(found)))


@total_ordering
class _Maven:
    """A Maven version as its tokens, each with the sign before it."""

    def __init__(self, tokens: list[tuple[str, int | str]]) -> None:
        self.tokens = tokens

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Maven) and self._against(other) == 0

    def __lt__(self, other: "_Maven") -> bool:
        return self._against(other) < 0

    __hash__ = None  # type: ignore[assignment]

    def _against(self, other: "_Maven") -> int:
        for index in range(max(len(self.tokens), len(other.tokens))):
            mine, theirs = self.padded(index, other), other.padded(index, self)
            if mine != theirs:
                return -1 if mine < theirs else 1
        return 0

    def padded(self, index: int, other: "_Maven") -> tuple[int, int, str]:
        """What stands at this place, as something that can be compared."""
        if index < len(self.tokens):
            return _weight(*self.tokens[index])
        # What is missing counts as nothing: a zero beside a number, the empty word beside a word.
        sign, token = other.tokens[index]
        return _weight(sign, 0 if isinstance(token, int) else "")


def _maven(text: str) -> _Maven | None:
    text = text.strip().lower()
    if not _MAVEN.fullmatch(text):
        return None
    tokens: list[tuple[str, int | str]] = []
    sign, before = "", ""
    parts = _MAVEN_PARTS.findall(text)
    for index, part in enumerate(parts):
        if part in ".-":
            if before in {".", "-"}:
                tokens.append((sign, 0))
            sign = part
        else:
            if before not in {"", ".", "-"}:
                sign = "-"  # from digits to letters and back
            digits_follow = index + 1 < len(parts) and parts[index + 1].isdigit()
            tokens.append((sign, int(part) if part.isdigit() else _qualifier(part, short=digits_follow)))
        before = part
    return _Maven(_trimmed(tokens))


def _qualifier(word: str, *, short: bool) -> str:
    """``a1`` means alpha; a mere ``a`` does not."""
    return _SAME.get(word, _SHORT.get(word, word) if short else word)


def _trimmed(tokens: list[tuple[str, int | str]]) -> list[tuple[str, int | str]]:
    """Without what means nothing at the end, and before each hyphen: ``1.0.0-foo.0`` is ``1-foo``."""
    made: list[tuple[str, int | str]] = []
    for sign, token in [*tokens, ("-", "end")]:
        if sign == "-":
            while made and made[-1][1] in {0, ""}:
                made.pop()
        made.append((sign, token))
    return made[:-1]


def _weight(sign: str, token: int | str) -> tuple[int, int, str]:
    """Words that come before a release, the release, other words, ``-1``, ``.1``: in this order."""
    if isinstance(token, int):
        # Nothing and zero are the release itself.
        return (0, _QUALIFIERS.index(""), "") if token == 0 else (3 if sign != "-" else 2, token, "")
    if token in _QUALIFIERS:
        return (0, _QUALIFIERS.index(token), "")
    return (1, 0, token)
