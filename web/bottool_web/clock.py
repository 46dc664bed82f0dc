"""The site's clock: a thread that looks after what becomes due by itself. A caller of actions, of the surfaces' rank.

It is careful with silence: after a start or a pause of the server, after a jump of its clock, and when many runners
fall silent at once, the fault is more likely here than there.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from bottool_web.actions import errors, firing, logs, pool_work, pools, swept, upkeep, waiting
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

EVERY_SECONDS = 1.0
JUMP_SECONDS = 5.0
PURGE_EVERY_SECONDS = 3600.0
WAITING_EVERY_SECONDS = 30.0
SWEEP_FOLDERS = 16
"""So many of the folders of bytes are swept at each purge: all of them within a day, and never long at a time."""

_log = logging.getLogger(__name__)


class Clock:
    """One per server process. ``start`` returns once every live lease was lengthened: be ready only afterwards."""

    def __init__(self, site: Site, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._site = site
        self._monotonic = monotonic
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._before: tuple[datetime, float] | None = None
        self._braked_until: dict[int, float] = {}
        self._purge_at = self._waiting_at = monotonic()
        self._swept = 0

    def start(self) -> None:
        self.grant_grace()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """May be repeated."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def grant_grace(self) -> None:
        """Give runners the time to come back before any of their leases counts as run out."""
        settings = self._site.settings
        for who in upkeep.principals(self._site):
            upkeep.extend_leases(self._site, who, settings.lease_seconds + settings.start_grace_seconds)

    def _run(self) -> None:
        while not self._ending.wait(EVERY_SECONDS):
            try:
                self.tick()
            except Exception:  # noqa: BLE001  # the top of a loop: the next beat may go well
                _log.exception("the clock missed a beat")

    def tick(self) -> None:
        """One look at everything that may be due."""
        self._notice_jump()
        for who in upkeep.principals(self._site):
            self._look_after(who)
        if self._monotonic() >= self._waiting_at:
            self._waiting_at = self._monotonic() + WAITING_EVERY_SECONDS
            for who in upkeep.principals(self._site):
                waiting.tell_of_waiting(self._site, who)
        if self._monotonic() >= self._purge_at:
            self._purge_at = self._monotonic() + PURGE_EVERY_SECONDS
            upkeep.purge(self._site)
            for who in upkeep.principals(self._site):
                logs.purge(self._site, who)
                pools.purge(self._site, who)
                errors.purge(self._site, who)
                firing.purge(self._site, who)
            swept.sweep(self._site, range(self._swept, self._swept + SWEEP_FOLDERS))
            self._swept = (self._swept + SWEEP_FOLDERS) % swept.FOLDERS

    def _look_after(self, who: Principal) -> None:
        site = self._site
        upkeep.promote_due(site, who)
        upkeep.take_back_leases(site, who)
        silent = upkeep.silent_attempts(site, who)
        if not self._brakes(who, silent):
            upkeep.call_lost(site, who, silent)
        upkeep.give_up_lost(site, who)
        upkeep.stop_overdue(site, who)
        firing.fire_due(site, who)
        pool_work.call_overdue(site, who)

    def _brakes(self, who: Principal, silent: upkeep.Silent) -> bool:
        """True while a loss of many at once waits one more lease."""
        if not silent.are_too_many:
            self._braked_until.pop(who.workspace_id, None)
            return False
        now = self._monotonic()
        if who.workspace_id not in self._braked_until:
            self._braked_until[who.workspace_id] = now + self._site.settings.lease_seconds
            _log.warning(
                "%d of %d running tasks fell silent at once; waiting another lease before they are called lost",
                len(silent.found),
                silent.alive,
            )
        return now < self._braked_until[who.workspace_id]

    def _notice_jump(self) -> None:
        wall, monotonic = self._site.now(), self._monotonic()
        before, self._before = self._before, (wall, monotonic)
        if before is None:
            return
        passed = monotonic - before[1]
        jump = (wall - before[0]).total_seconds() - passed
        if abs(jump) > JUMP_SECONDS:
            _log.warning("the server's clock jumped by %.1f s; leases move with it", jump)
            for who in upkeep.principals(self._site):
                upkeep.shift_leases(self._site, who, jump)
        if passed > EVERY_SECONDS + JUMP_SECONDS:
            _log.warning("the server stood still for %.1f s; leases are lengthened", passed)
            self.grant_grace()
