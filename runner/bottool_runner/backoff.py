"""How long to wait before a failed call is made again: 1 to 30 seconds, at random, never against the server's wish.

Knows neither the calls nor what they mean.
"""

import random
from collections.abc import Callable

from bottool.errors import BottoolError

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0


class Backoff:
    """One row of failures. A success ends it: ``reset``."""

    def __init__(self, draw: Callable[[float, float], float] = random.uniform) -> None:
        self._draw = draw
        self._failures = 0

    def reset(self) -> None:
        self._failures = 0

    def next_seconds(self, error: Exception | None = None) -> float:
        """The next pause: full jitter below a bound that doubles, so that many runners do not come back together.

        A server that said ``Retry-After`` gets at least that much rest.
        """
        bound = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self._failures, 10))
        self._failures += 1
        return max(self._draw(0.0, bound), _wished(error))


def _wished(error: Exception | None) -> float:
    said = error.details.get("retry_after_seconds", 0) if isinstance(error, BottoolError) else 0
    try:
        return float(said or 0)
    except (TypeError, ValueError):
        return 0.0
