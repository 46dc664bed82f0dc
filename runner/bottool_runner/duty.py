"""Whether the runner takes work at this moment, and when it ends by itself: limits, idleness, and what people wish.

Knows neither the server nor what an attempt is; the supervisor asks it at every turn of its loop.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from bottool_runner.control import Control, Listener, Wish
from bottool_runner.settings import RunnerSettings
from bottool_runner.status import Mode

log = logging.getLogger("bottool.runner")

_SAID = {
    Wish.WORK: "takes tasks again",
    Wish.PAUSE: "pauses: it takes no new tasks",
    Wish.DRAIN: "drains: it takes no new tasks, and ends after those in hand",
    Wish.STOP: "was told to end",
}


class Duty:
    """Made for one run. ``clock`` gives seconds that only go forward."""

    def __init__(self, settings: RunnerSettings, home: Path, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._listener = Listener(home)
        self._clock = clock
        self._idle_since = clock()
        if self.is_paused:
            self._say(self._listener.now)

    def listen(self) -> bool:
        """Look for a new wish; true when there is one."""
        heard = self._listener.heard()
        if heard is None:
            return False
        self._say(heard)
        self._idle_since = self._clock()
        return True

    @property
    def takes_work(self) -> bool:
        return self._listener.now.wish is Wish.WORK

    @property
    def is_paused(self) -> bool:
        return self._listener.now.wish is Wish.PAUSE

    @property
    def reason(self) -> str:
        return self._listener.now.reason

    @property
    def mode(self) -> Mode:
        return "working" if self.takes_work else "paused" if self.is_paused else "draining"

    def room(self, in_hand: int, taken: int) -> int:
        """How many more attempts may be taken now."""
        if not self.takes_work:
            return 0
        free = self._settings.slots - in_hand
        if self._settings.max_tasks is not None:
            free = min(free, self._settings.max_tasks - taken)
        return max(0, free)

    def ends(self, in_hand: int, ended: int) -> str:
        """Why the runner ends now; ``""`` while it goes on."""
        now = self._clock()
        if in_hand or self.is_paused:
            self._idle_since = now
        if self._listener.now.wish is Wish.STOP:
            return "it was told to end"
        if in_hand:
            return ""
        if self._listener.now.wish is Wish.DRAIN:
            return "it is drained"
        if self._settings.max_tasks is not None and ended >= self._settings.max_tasks:
            return f"it had its {ended} task(s)"
        idle_exit = self._settings.idle_exit_seconds
        if idle_exit is not None and now - self._idle_since >= idle_exit:
            return f"there was no task for {idle_exit:g} seconds"
        return ""

    def _say(self, control: Control) -> None:
        log.info("the runner %s%s", _SAID[control.wish], f" ({control.reason})" if control.reason else "")
