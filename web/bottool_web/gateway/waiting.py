"""Waiting for hints on the event loop: the bridge between threads that say "look again" and calls that are held."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bottool_web.hints import Hints, Wake


class Bell:
    """Rings when one of its topics was hinted at since it was last heard; remembers which ones."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._topics: set[str] = set()

    def ring(self, topic: str) -> None:
        """On the event loop only."""
        self._topics.add(topic)
        self._rung.set()

    async def heard(self, seconds: float) -> set[str]:
        """The topics that rang, at once or within so many seconds; empty when none did."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, 0)):
                await self._rung.wait()
        self._rung.clear()
        topics, self._topics = self._topics, set()
        return topics


@contextmanager
def listening(hints: Hints, topics: list[str]) -> Iterator[Bell]:
    """A bell for these topics. Take it before the first look, so that nothing falls between look and wait."""
    bell, loop = Bell(), asyncio.get_running_loop()

    def wake(topic: str) -> None:
        # The loop may have ended while a thread was still sending.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(bell.ring, topic)

    def wake_for(topic: str) -> Wake:
        return lambda: wake(topic)

    stops = [hints.listen([topic], wake_for(topic)) for topic in topics]
    try:
        yield bell
    finally:
        for stop in stops:
            stop()
