"""What commands print: tables, fields, JSON, and what to type next. Data goes to stdout, the rest to stderr."""

import json as plain_json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

_UNPRINTABLE = dict.fromkeys((*range(9), *range(14, 32), *range(127, 160)), "\ufffd")
"""What a bot or a stranger may say, but a terminal shall not do."""
SECONDS_PER = {"d": 86400, "h": 3600, "min": 60, "s": 1}


def as_json(value: Any) -> None:
    """Any value of ours (structs, dataclasses, times, paths) as indented JSON."""
    import msgspec

    try:
        text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode("utf-8")
    except UnicodeEncodeError:
        # A file's name need not be UTF-8.
        text = plain_json.dumps(msgspec.to_builtins(value, enc_hook=str), indent=2)
    click.echo(text)


def listing(items: Sequence[Any], columns: Mapping[str, Callable[[Any], object]], *, json: bool, empty: str) -> None:
    """A list as a table, one column per title; ``empty`` is what is said on stderr when there is nothing."""
    if json:
        as_json(items)
    elif not items:
        click.echo(empty, err=True)
    else:
        table(list(columns), [[read(item) for read in columns.values()] for item in items])


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns padded to their widest cell; cut to the terminal's width, never in a pipe."""
    cells = [list(titles), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(_width(row[column]) for row in cells) for column in range(len(titles))]
    import shutil

    limit = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in cells:
        line = "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(line if limit is None else _cut(line, limit))


def fields(pairs: Mapping[str, object]) -> None:
    """``name  value`` lines; what is empty is left out."""
    shown = {name: text for name, value in pairs.items() if (text := _text(value))}
    widest = max(map(len, shown), default=0)
    for name, value in shown.items():
        click.echo(f"{name.ljust(widest)}  {value}")


def printable(text: str) -> str:
    """One line without what a bot may say, but a terminal shall not do."""
    return text.translate({**_UNPRINTABLE, ord("\n"): " "})


def done(what: str, *following: str) -> None:
    """Say what was done, and the next useful commands, on stderr."""
    click.echo(what, err=True)
    for command in following:
        click.echo(f"  next: {command}", err=True)


def count(number: int, thing: str) -> str:
    """``1 file``, ``2 files``"""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def size(size_bytes: int) -> str:
    """``12.3 MB``"""
    amount = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:  # noqa: PLR2004 - a thousand
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def duration(seconds: float | None) -> str:
    """``350 ms``, ``4.2 s``, ``3 min 5 s``, ``2 h 10 min``; ``""`` for ``None``."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < SECONDS_PER["min"]:
        return f"{seconds:.1f} s"
    big, small = (
        ("min", "s") if seconds < SECONDS_PER["h"] else ("h", "min") if seconds < SECONDS_PER["d"] else ("d", "h")
    )
    rest = int(seconds % SECONDS_PER[big]) // SECONDS_PER[small]
    return f"{int(seconds) // SECONDS_PER[big]} {big} {rest} {small}"


def ago(moment: datetime | None) -> str:
    """How long ago, by this machine's clock."""
    return f"{duration(max(0.0, (datetime.now(UTC) - moment).total_seconds()))} ago" if moment else ""


def moment(value: datetime | None) -> str:
    """In the zone of this machine, to the second."""
    return value.astimezone().strftime("%Y-%m-%d %H:%M:%S") if value else ""


def items_of(task: Any) -> str:
    """``processed/total`` of a task, with what failed; ``""`` when the bot did not say."""
    if task.total_items is None and task.processed_items is None:
        return ""
    failed = f" ({task.failed_items} failed)" if task.failed_items else ""
    return f"{task.processed_items or 0}/{task.total_items or 0}{failed}"


def took(task: Any) -> str:
    """How long a task's bot ran."""
    return duration(task.duration_seconds)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return " ".join(str(value).translate(_UNPRINTABLE).split())


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in {"W", "F"} else 1
        for sign in text
    )


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(line: str, limit: int) -> str:
    if _width(line) <= limit:
        return line
    while _width(line) >= limit:
        line = line[:-1]
    return f"{line}…"
