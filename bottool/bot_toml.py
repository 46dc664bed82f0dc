"""``bot.toml``: what it may say, and what is said about one that is wrong.

It is flat: ``id``, ``version``, ``language``, ``entry``, ``exclude`` and one table per language, which only that
language understands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottool.errors import ProjectError, did_you_mean
from bottool.model import LABEL
from bottool.plugins import Plugins, listed
from bottool.settings import read_toml

FILE_NAME = "bot.toml"
KEYS = ("id", "version", "language", "entry", "exclude")
LABEL_HINT = "letters, digits, '.', '_' and '-', starting with a letter or digit, at most 100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What ``bot.toml`` says; everything empty when there is none."""

    is_there: bool = False
    text: str = ""
    id: str = ""
    version: str = ""
    language: str = ""
    entry: str = ""
    exclude: tuple[str, ...] = ()
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read(folder: Path, plugins: Plugins) -> Said:
    """What ``bot.toml`` says, checked.

    :raises ProjectError: at what is unknown, of the wrong type, or leads out of the folder; names the line.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return Said()
    values, text = read_toml(path, ProjectError)
    languages = [*plugins.languages, values.get("language")]
    tables = {name: value for name, value in values.items() if isinstance(value, dict) and name in languages}
    for name in values:
        if name not in tables:
            _check_key(name, values[name], text, plugins)
    for name in ("id", "version"):
        if name in values and not LABEL.fullmatch(values[name]):
            raise wrong(text, name, f"{name} is '{values[name]}'", f"wanted: {LABEL_HINT}")
    for name in (values.get("entry", ""), *values.get("exclude", ())):
        if _leads_out(name):
            key = "entry" if name == values.get("entry") else "exclude"
            raise wrong(
                text, key, f"{key} says '{name}', which leads out of the folder", "write it relative to bot.toml"
            )
    exclude = tuple(values.get("exclude", ()))
    return Said(
        is_there=True, text=text, tables=tables, exclude=exclude, **{key: values.get(key, "") for key in KEYS[:4]}
    )


def _check_key(name: str, value: Any, text: str, plugins: Plugins) -> None:
    """Refuse what is unknown or of the wrong type."""
    if name not in KEYS:
        kind = "table" if isinstance(value, dict) else "key"
        known = (*KEYS, *plugins.languages)
        hint = did_you_mean(name, known) or f"known are {listed(KEYS)}, and a table for each language"
        if name in plugins.languages:
            hint = f"write it as a table: [{name}]"
        raise wrong(text, name, f"unknown {kind} '{name}'", hint)
    if name == "exclude":
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise wrong(text, name, "exclude is no list of texts", 'write it as exclude = ["data/*", "*.tmp"]')
    elif not isinstance(value, str):
        hint = (
            f'put it in quotes: {name} = "{value}"' if isinstance(value, (int, float)) else f'write it as {name} = "…"'
        )
        raise wrong(text, name, f"{name} is no text", hint)


def _leads_out(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) is not None


def wrong(text: str, key: str, message: str, hint: str) -> ProjectError:
    """An error that points at the line of a key or table."""
    line = re.search(rf"""^\s*\[*\s*["']?{re.escape(key)}["']?\s*[=\].]""", text, re.MULTILINE)
    where = f"{FILE_NAME}:{text.count(chr(10), 0, line.end()) + 1}" if line else FILE_NAME
    return ProjectError(f"{where}: {message}", hint)
