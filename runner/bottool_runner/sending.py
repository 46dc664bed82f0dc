"""Sends what a keeper wrote down to the server: the bot's output as it comes, and what people may want to know."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from bottool.errors import BottoolError, Conflict, NotFound, Refused
from bottool_runner import evidence
from bottool_runner.gateway import Gateway
from bottool_runner.journal import AttemptFolder
from bottool_runner.output import Uploader
from bottool_runner.surroundings import Gone

FIRST_SECONDS = 3.0
EVERY_SECONDS = 10.0
LARGEST_PICTURE_BYTES = 16 * 1024 * 1024


class OutputSender:
    """Of one attempt, in its thread. ``send`` makes a call until it is answered; ``say`` tells the runner's log."""

    def __init__(self, spool: Path, send: Callable[[int, bytes], int], say: Callable[..., None]) -> None:
        self._uploader = Uploader(spool, send)
        self._say = say
        self._is_refused = False

    def send_all(self) -> None:
        """Send what is new. Output that the server will not have is given up: the end of the bot matters more.

        :raises Gone: when the server says that the attempt is no longer this runner's.
        """
        if self._is_refused:
            return
        try:
            self._uploader.send_all()
        except (Refused, ValueError) as error:
            if isinstance(error, (Conflict, NotFound)):
                raise Gone from error
            self._is_refused = True
            self._say(f"cannot give its output to the server: {error}", level=logging.ERROR)

    def size_bytes(self) -> int:
        """Of the spool."""
        return self._uploader.size_bytes()


class EvidenceSender:
    """Of one attempt, in its thread: now and then while the bot runs, and at the end of one that failed."""

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
