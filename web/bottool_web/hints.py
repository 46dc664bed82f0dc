"""Wake-ups inside one server process: "something about this topic changed, look again".

A hint carries no data and may be lost or doubled: whoever waits also looks by itself now and then. Topics:
``queue:<workspace id>`` (work may be there), ``runner:<id>`` (a verdict changed), ``task:<id>``, ``output:<task id>``,
``workspace:<id>`` (something that a page shows changed).
"""

import threading
from collections import defaultdict
from collections.abc import Callable

Wake = Callable[[], None]


class Hints:
    """Who waits for what. Safe from any thread; ``wake`` callbacks must be quick and must not raise."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Wake]] = defaultdict(list)

    def send(self, *topics: str) -> None:
        """Wake everybody who waits for one of the topics. Call it after the commit, never inside a write."""
        with self._lock:
            called = [wake for topic in topics for wake in self._waiting.get(topic, ())]
        for wake in called:
            wake()

    def listen(self, topics: list[str], wake: Wake) -> Callable[[], None]:
        """Call ``wake`` at every hint on one of ``topics``, until the function that is returned is called."""
        with self._lock:
            for topic in topics:
                self._waiting[topic].append(wake)

        def stop() -> None:
            with self._lock:
                for topic in topics:
                    if wake in self._waiting.get(topic, ()):
                        self._waiting[topic].remove(wake)
                    if not self._waiting.get(topic):
                        self._waiting.pop(topic, None)

        return stop
