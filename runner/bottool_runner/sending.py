"""Sends what a keeper has noted to the server: now and then while the bot runs, and at the end of one that failed."""

import time
from collections.abc import Callable
from pathlib import Path

from bottool.errors import BottoolError, Refused
from bottool_runner import evidence
from bottool_runner.gateway import Gateway
from bottool_runner.journal import AttemptFolder

FIRST_SECONDS = 3.0
EVERY_SECONDS = 10.0
LARGEST_PICTURE_BYTES = 16 * 1024 * 1024


class EvidenceSender:
    """Of one attempt, in its thread."""

    def __init__(self, folder: AttemptFolder, gateway: Gateway) -> None:
        self._folder = folder
        self._gateway = gateway
        self._next_at = time.monotonic() + FIRST_SECONDS
        self._has_sent = False

    def now_and_then(self) -> None:
        """So that people see what a running bot uses; one that does not arrive is not sent again."""
        if time.monotonic() < self._next_at:
            return
        self._next_at = time.monotonic() + EVERY_SECONDS
        found = evidence.gathered(self._folder)
        if found is None or not found.usage:
            return
        try:
            self._gateway.evidence(*self._folder.key, found)
            self._has_sent = True
        except BottoolError:
            # An older server does not know this call, and one that is away hears all of it at the end.
            return

    def at_end(self, failed: Callable[[BottoolError], None], *, wanted: bool) -> None:
        """Send what is to be kept: all when it is ``wanted``, else only the rest of a series that was begun.

        :raises Closing: when the runner is to end; the next one sends it.
        """
        found = evidence.gathered(self._folder)
        picture = self._folder.path / evidence.PICTURE
        try:
            if found is not None and (wanted or self._has_sent):
                self._gateway.persist(lambda: self._gateway.evidence(*self._folder.key, found), failed)
            if wanted and _is_sendable(picture):
                self._gateway.persist(lambda: self._gateway.screenshot(*self._folder.key, picture.read_bytes()), failed)
        except Refused:
            # It has its end already; what the server does not take is given up.
            return


def _is_sendable(picture: Path) -> bool:
    return picture.exists() and 0 < picture.stat().st_size <= LARGEST_PICTURE_BYTES
