"""Reads a runner's log over its rotations: the last lines, and those that come. Opens the file only for a moment:
on Windows a file that somebody reads cannot be put away.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from bottool.errors import NotFound
from bottool_runner.places import LOG_NAME

_LOOK_SECONDS = 0.3
_MOST_FILES = 10


def last_lines(home: Path, count: int) -> list[str]:
    """The last lines, oldest first, also from files that were put away.

    :raises NotFound: when no runner ever wrote a log there.
    """
    if not (home / LOG_NAME).exists():
        raise NotFound(f"there is no log in '{home}'", "name the runner's folder with --home")
    found: list[str] = []
    for name in _names():
        if len(found) >= count or not (home / name).exists():
            break
        with (home / name).open(encoding="utf-8", errors="replace") as file:
            found = [*(line.rstrip("\n") for line in deque(file, maxlen=count - len(found))), *found]
    return found


def followed(home: Path, wait: Callable[[float], object] = time.sleep) -> Iterator[str]:
    """Lines as they are written, from now on and without end, each once."""
    place, rest = _end_of(home), b""
    while True:
        pieces, place = _news(home, place)
        *lines, rest = (rest + pieces).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace").rstrip("\r")
        wait(_LOOK_SECONDS)


Place = tuple[int, int]
"""Which file, as the file system numbers them, and how many of its bytes are known."""


def _end_of(home: Path) -> Place:
    found = (home / LOG_NAME).stat()
    return found.st_ino, found.st_size


def _news(home: Path, place: Place) -> tuple[bytes, Place]:
    number, offset = place
    try:
        now = (home / LOG_NAME).stat().st_ino
        # The one that was read may have been put away since: first the rest of it.
        rest = b"" if now == number else _read(home / f"{LOG_NAME}.1", offset)
        news = rest + _read(home / LOG_NAME, offset if now == number else 0)
    except FileNotFoundError:
        return b"", place
    return news, (now, offset + len(news) if now == number else len(news) - len(rest))


def _read(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read()


def _names() -> list[str]:
    return [LOG_NAME, *(f"{LOG_NAME}.{number}" for number in range(1, _MOST_FILES))]
