"""Values that are given on a command line: ``NAME=TEXT``, or ``NAME:=JSON`` for numbers and all else."""

import json
from collections.abc import Iterable
from typing import Any

from bottool.errors import InvalidInput


def pairs(said: Iterable[str]) -> dict[str, Any]:
    """:raises InvalidInput: for what has no name, or no JSON where it says so."""
    return dict(_pair(each) for each in said)


def _pair(text: str) -> tuple[str, Any]:
    name, sign, value = text.partition("=")
    if not sign or not name.strip(":"):
        raise InvalidInput(f"'{text}' has no name", "write NAME=TEXT, or NAME:=JSON")
    if not name.endswith(":"):
        return name, value
    try:
        return name[:-1], json.loads(value)
    except ValueError as error:
        raise InvalidInput(f"'{text}': {value!r} is no JSON", "write NAME=TEXT for a text") from error
