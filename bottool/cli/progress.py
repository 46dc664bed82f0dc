"""A bar for what takes more than a second: on stderr, on a terminal only."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bottool.cli import present

_AFTER_SECONDS = 1.0
_EVERY_SECONDS = 0.1
_WIDTH = 24


@contextmanager
def bar(title: str, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[int, int], None]]:
    """Yields what is told how many bytes of how many are done; the line is taken away at the end."""
    drawn_at, began = 0.0, clock()

    def tell(done: int, everything: int) -> None:
        nonlocal drawn_at
        now = clock()
        if now - began < _AFTER_SECONDS or now - drawn_at < _EVERY_SECONDS or not everything:
            return
        drawn_at = now
        full = min(_WIDTH, _WIDTH * done // everything)
        said = f"{'#' * full}{'.' * (_WIDTH - full)} {present.size(done)} of {present.size(everything)}"
        sys.stderr.write(f"\r\x1b[K{title} {said}")
        sys.stderr.flush()

    try:
        yield tell if sys.stderr.isatty() else lambda _done, _all: None
    finally:
        if drawn_at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
