"""The limits of a keeper's patience with plugins: how long they may take, and how much they may print.

Plugins run in the keeper's own process, so nothing can interrupt one that hangs; a thread beside it can say what it was
doing and end the process. Knows neither folders nor servers: what to do at the end of its patience is a function.
"""

import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.5
_LOG_BYTES = 8 * 1024 * 1024
_SHOWN_FRAMES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLong:
    """``where`` is the innermost line of the main thread, ``stack`` what led there."""

    seconds: float
    where: str
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    until: float
    seconds: float
    give_up: Callable[[TooLong], None]


class Patience:
    """Watches the main thread from one of its own, which ends with the process."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._wait: _Wait | None = None
        self._main = threading.get_ident()
        threading.Thread(target=self._watch, name="patience", daemon=True).start()

    def begin(self, seconds: float, give_up: Callable[[TooLong], None]) -> None:
        """From now on, wait so long for ``end``; then call ``give_up`` from the watching thread, once."""
        self._wait = _Wait(until=time.monotonic() + seconds, seconds=seconds, give_up=give_up)

    def end(self) -> None:
        self._wait = None

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            self._keep_the_log_small()
            wait = self._wait
            if wait is not None and time.monotonic() > wait.until:
                self._wait = None
                wait.give_up(self._too_long(wait.seconds))

    def _too_long(self, seconds: float) -> TooLong:
        frame = sys._current_frames().get(self._main)  # noqa: SLF001 - the only way to see another thread
        stack = traceback.extract_stack(frame)[-_SHOWN_FRAMES:] if frame is not None else []
        last = stack[-1] if stack else None
        where = f"{Path(last.filename).name}:{last.lineno} in {last.name}" if last else "an unknown place"
        return TooLong(seconds=seconds, where=where, stack="".join(traceback.format_list(stack)).rstrip())

    def _keep_the_log_small(self) -> None:
        """Whoever prints without end shall not fill the disk. The file is only ever appended to, so it may be cut."""
        with contextlib.suppress(OSError):
            if self._log.stat().st_size > _LOG_BYTES:
                os.truncate(self._log, 0)
                with self._log.open("ab") as log:
                    log.write(b"(what was printed before this line was thrown away: it was too much)\n")
