"""Cells of the tables that people take away: nothing in them is run by a spreadsheet, and numbers have its point."""

import io
import json
from typing import Any

PIECE_CHARACTERS = 64 * 1024
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run by spreadsheets. Source: OWASP, CSV injection."""


def cell(value: Any, point: str = ".") -> Any:
    """``value`` fit for a cell; an object or a list is shown as JSON."""
    if isinstance(value, float):
        return str(value).replace(".", point)
    if value is None or isinstance(value, int):
        return value
    plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{plain}" if plain.startswith(_FORMULA) else plain


def unquoted(text: str) -> str:
    """The text of a cell that ``cell`` wrote."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def taken(text: io.StringIO) -> bytes:
    """What was written so far, as bytes; ``text`` is empty afterwards."""
    data = text.getvalue().encode("utf-8")
    text.seek(0)
    text.truncate()
    return data
