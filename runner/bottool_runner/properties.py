r"""Reads Java's properties files, as ``java.util.Properties.load`` does, and says on which line each entry stands.

Lines end with LF, CR or CRLF; ``#`` and ``!`` begin comments; a backslash at a line's end joins the next one, without
its leading blanks; ``=``, ``:`` or blanks part key and value; ``\t \n \r \f \uXXXX`` are escapes, and any other escaped
character is itself. Knows nothing of what the keys mean. Source: the documentation of ``java.util.Properties``.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BLANKS = " \t\f"
_LINE = re.compile(r"\r\n|\r|\n")
_LETTERS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``line`` counts from 1 and is where the entry begins. ``raw`` is the value before its escapes were read."""

    key: str
    value: str = field(repr=False)
    raw: str = field(repr=False)
    line: int


class BadProperties(ValueError):
    """``line`` and ``key`` may be unknown: 0 and empty. The text never holds a value."""

    def __init__(self, what: str, *, line: int = 0, key: str = "") -> None:
        super().__init__(what)
        self.line = line
        self.key = key


def decoded(data: bytes) -> str:
    """The text: by its byte order mark; without one UTF-8 where it is that, else Latin-1, which Java assumes.

    :raises BadProperties: when it is not what its mark says, or binary.
    """
    encoding, start = next(((name, len(mark)) for mark, name in _MARKS if data.startswith(mark)), ("", 0))
    if not encoding and b"\0" in data:
        raise BadProperties("it is no text, or UTF-16 without a byte order mark")
    try:
        return data[start:].decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        if encoding:
            raise BadProperties(f"its byte order mark says {encoding}, which it is not") from error
        return data.decode("latin-1")


def entries(text: str) -> Iterator[Entry]:
    """Every entry in the file's order; a key that comes twice comes twice here.

    :raises BadProperties: when an escape is broken.
    """
    for number, line in _logical_lines(text):
        end = _end_of_key(line)
        rest = line[end:].lstrip(_BLANKS)
        raw = rest[1:].lstrip(_BLANKS) if rest[:1] in {"=", ":"} else rest
        key = _unescaped(line[:end], number, line[:end])
        yield Entry(key=key, value=_unescaped(raw, number, key), raw=raw, line=number)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    parts: list[str] = []
    began = 0
    for number, line in enumerate(_LINE.split(text), start=1):
        line = line.lstrip(_BLANKS)
        if not parts and (not line or line[0] in "#!"):
            continue
        began = began if parts else number
        if _ends_with_escape(line):
            parts.append(line[:-1])
            continue
        yield began, "".join([*parts, line])
        parts = []
    if any(parts):
        yield began, "".join(parts)


def _ends_with_escape(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _end_of_key(line: str) -> int:
    escaped = False
    for place, letter in enumerate(line):
        if not escaped and (letter in "=:" or letter in _BLANKS):
            return place
        escaped = letter == "\\" and not escaped
    return len(line)


def _unescaped(raw: str, line: int, key: str) -> str:
    def replace(found: re.Match[str]) -> str:
        letter = found[1]
        if letter[:1] != "u":
            return _LETTERS.get(letter, letter)
        if found[2] is None:
            raise BadProperties(r"'\u' wants four hexadecimal digits behind it", line=line, key=key)
        return chr(int(found[2], 16))

    text = re.sub(r"\\(u([0-9A-Fa-f]{4})|.|$)", replace, raw, flags=re.DOTALL)
    try:
        # Java's characters are halves of UTF-16: two escapes may make one character.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise BadProperties(r"a '\u' escape is half of a character", line=line, key=key) from error
