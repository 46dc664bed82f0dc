"""Puts the pieces of a bot's output together to whole lines before anybody sees them.

A bot may write half of a secret, pause, and write the rest: whoever masks must see both at once. And a bot that writes
letter by letter should not cost a frame for each. So the end of a line is waited for, but not for long: what stands
there after ``HOLD_SECONDS`` is passed on, a question without an end of line also. Every byte is passed on once, in the
order of its stream.
"""

import threading
import time
from collections.abc import Callable

from bottool import wire
from bottool_runner.masking import Mask

HOLD_SECONDS = 0.2
_LONGEST_LINE_BYTES = wire.FRAME_MAX_BYTES
"""More than this of a line is passed on without its end."""

Keep = Callable[[int, float, bytes], None]


class Gathering:
    """``keep(stream, at, data)`` gets what is put together, ``at`` by ``clock``. May be used from several threads."""

    def __init__(self, keep: Keep, clock: Callable[[], float]) -> None:
        self._keep = keep
        self._clock = clock
        self._streams = {stream: _Line() for stream in (wire.Stream.STDOUT, wire.Stream.STDERR)}
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def hide(self, secret: bytes) -> None:
        """From now on, pass this on as ``*``."""
        with self._changed:
            for line in self._streams.values():
                line.mask = Mask(secret)

    def add(self, stream: int, data: bytes) -> None:
        with self._changed:
            line, now = self._streams[wire.Stream(stream)], self._clock()
            at = line.at if line.waits else now
            if whole := line.add(data, now):
                self._keep(stream, at, whole)
            if line.waits:
                self._wake()

    def close(self) -> None:
        """Pass on all that is held back."""
        with self._changed:
            self._is_closed = True
            for stream, line in self._streams.items():
                if rest := line.rest():
                    self._keep(stream, line.at, rest)
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _wake(self) -> None:
        """Most bots print whole lines, and need no thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._pass_on_in_time, name="unfinished lines", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _pass_on_in_time(self) -> None:
        with self._changed:
            while not self._is_closed:
                due = [line.due_at for line in self._streams.values() if line.waits]
                self._changed.wait(max(0.0, min(due) - time.monotonic()) if due else None)
                for stream, line in self._streams.items():
                    if line.waits and time.monotonic() >= line.due_at:
                        self._keep(stream, line.at, line.let_go())


class _Line:
    """The line of one stream that has no end yet. ``at``: when it began."""

    def __init__(self) -> None:
        self.mask: Mask | None = None
        self.at = 0.0
        self.due_at = 0.0
        self._data = bytearray()

    @property
    def waits(self) -> bool:
        """True when something is to be passed on at ``due_at``."""
        return bool(self._data) or (self.mask is not None and self.mask.holds)

    def add(self, data: bytes, at: float) -> bytes:
        """What can be passed on of it now."""
        had = len(self._data)
        data = self.mask.pass_on(data) if self.mask else data
        if not had and data.endswith(b"\n"):
            return data
        self._data += data
        end = self._data.rfind(b"\n", had) + 1
        if len(self._data) - end > _LONGEST_LINE_BYTES:
            end = len(self._data)
        whole = bytes(self._data[:end])
        del self._data[:end]
        if end or not had:
            self.at, self.due_at = at, time.monotonic() + HOLD_SECONDS
        return whole

    def let_go(self) -> bytes:
        self._data += self.mask.let_go() if self.mask else b""
        data = bytes(self._data)
        self._data.clear()
        return data

    def rest(self) -> bytes:
        self._data += self.mask.rest() if self.mask else b""
        return self.let_go()
