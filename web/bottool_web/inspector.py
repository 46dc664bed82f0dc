"""The site's inspector: a thread that inspects the packages which no upload waits for. A caller of actions.

What it has to do stands in the store, so that it goes on after a restart: versions that are ``checking``, and those
that were uploaded before anything was inspected. Apart from the clock, which must never wait so long.
"""

import logging
import threading

from bottool_web.actions import inspections, upkeep
from bottool_web.actions.site import Site

EVERY_SECONDS = 2.0

_log = logging.getLogger(__name__)


class Inspector:
    """One per server process."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="inspector", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the inspection that goes on; it is done again after the next start. May be repeated."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._ending.wait(EVERY_SECONDS):
            try:
                self.look()
            except Exception:  # noqa: BLE001  # the top of a loop: the next look may go well
                _log.exception("a package could not be inspected")

    def look(self) -> None:
        """Inspect whatever waits, a package of each workspace in turn."""
        waiting = upkeep.principals(self._site)
        while waiting and not self._ending.is_set():
            waiting = [who for who in waiting if inspections.inspect_next(self._site, who, self._ending)]
