"""What a field of any request may hold, in one place for all surfaces; ``details.path`` names the one that is wrong."""

import re
from typing import Any

from bottool.errors import InvalidInput
from bottool.model import LABEL

NAME_LIMIT = 200
TEXT_LIMIT = 20_000
DEPTH_LIMIT = 50
LARGEST_ID = 2**31 - 1
SHOWN = 60
SPOKEN_LABEL = re.compile(r"[^\W_](?:[\w .:@+&()-]{0,98}[\w.:@+&()-])?")
"""Nothing in it ends or divides an address: clients of Maestro write labels there as they are."""


def label(value: str, path: str) -> str:
    """``value``, when it may be a label: a bot id, a version, an automation's label, a machine id."""
    if not LABEL.fullmatch(value):
        raise InvalidInput(
            f"{path} is '{shortened(value)}'",
            "use 1 to 100 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
            path=path,
        )
    return value


def spoken_label(value: str, path: str) -> str:
    """``value``, when it may be the label of a log, a credential or a data pool: those that bots name in their code."""
    if not SPOKEN_LABEL.fullmatch(value):
        raise InvalidInput(
            f"{path} is '{shortened(value)}'",
            "use 1 to 100 letters, digits, blanks and . _ - : @ + & ( ), beginning with a letter or digit",
            path=path,
        )
    return value


def text(value: str, path: str, limit: int = TEXT_LIMIT) -> str:
    """``value``, when a text of that length can be stored on every database."""
    if "\0" in value:
        raise InvalidInput(f"{path} holds a NUL character", "leave it out", path=path)
    if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InvalidInput(f"{path} holds half of a surrogate pair", "send valid Unicode", path=path)
    if len(value) > limit:
        raise InvalidInput(f"{path} has {len(value)} characters; {limit} are allowed", path=path)
    return value


def name(value: str, path: str) -> str:
    """``value`` as one printable line."""
    if any(not letter.isprintable() for letter in value):
        raise InvalidInput(f"{path} holds a line break or another control character", path=path)
    return text(value, path, NAME_LIMIT)


def number(value: int, path: str, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidInput(f"{path} is {shortened(str(value))}; {low} to {high} is allowed", path=path)
    return value


def json_value(value: Any, path: str, depth: int = 0) -> None:
    """Every text inside ``value`` can be stored, and it is not nested without end."""
    if depth > DEPTH_LIMIT:
        raise InvalidInput(f"{path} is nested more than {DEPTH_LIMIT} deep", path=path)
    if isinstance(value, str):
        text(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            text(key, path)
            json_value(item, f"{path}.{shortened(key)}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            json_value(item, f"{path}[{index}]", depth + 1)


def shortened(value: str) -> str:
    """``value`` fit for a message: one line, without control characters, at most ``SHOWN`` characters."""
    printable = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value[: SHOWN + 1]
    )
    return printable if len(printable) <= SHOWN else f"{printable[: SHOWN - 3]}..."
