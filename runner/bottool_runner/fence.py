"""The fence of an attempt: its keeper ends the bot well before the server may give the task to another runner.

The runner draws it anew whenever the server has acknowledged a call that named the attempt, counted from when that call
was **sent**: a slow network can only make it shorter. Whoever is silent lets it pass: a server that does not answer, a
network that is cut, a runner that died. Times are those of the machine's own steady clock, which all its processes
share; a file from before a restart of the machine says nothing. A fence that cannot be drawn, or read, has passed.

    call sent ── two thirds of the lease: signal ── five sixths: kill ── lease ends ── margin: the task goes elsewhere
"""

import contextlib
from collections.abc import Callable

import msgspec

from bottool.process import same_boot
from bottool_runner.journal import AttemptFolder
from bottool_runner.system import steady_clock

FILE = "fence"
MESSAGE = "its machine lost contact with the server and ended the bot, so that it may be started elsewhere"
_SIGNAL_SHARE = 2 / 3
_KILL_SHARE = 5 / 6


class Fence(msgspec.Struct, kw_only=True, frozen=True):
    """``passes_at`` in seconds of the steady clock; ``grace_seconds`` is the most from the signal to the kill."""

    boot_id: str
    passes_at: float
    grace_seconds: float


def draw(folder: AttemptFolder, boot_id: str, *, sent_at: float, lease_seconds: float) -> None:
    """The server has acknowledged a call about this attempt that was sent then. An older word changes nothing.

    Does nothing for an attempt that has none, and nothing on a full disk: then the fence passes, which is safe.
    """
    assignment = folder.assignment()
    if assignment is None or not assignment.work.fenced:
        return
    passes_at = sent_at + lease_seconds * _SIGNAL_SHARE
    known = folder.read(FILE, Fence)
    if known is not None and same_boot(known.boot_id, boot_id) and known.passes_at >= passes_at:
        return
    grace_seconds = lease_seconds * (_KILL_SHARE - _SIGNAL_SHARE)
    with contextlib.suppress(OSError):
        folder.show(FILE, Fence(boot_id=boot_id, passes_at=passes_at, grace_seconds=grace_seconds))


class Watch:
    """The keeper's side; for an attempt without a fence nothing ever passes."""

    def __init__(
        self, folder: AttemptFolder, boot_id: str, *, fenced: bool, clock: Callable[[], float] = steady_clock
    ) -> None:
        self._folder = folder
        self._boot_id = boot_id
        self._fenced = fenced
        self._clock = clock
        self._known: Fence | None = None
        self._passed = False

    def has_passed(self) -> bool:
        """Once true, it stays so: a bot that was told to end is not told otherwise."""
        if not self._fenced or self._passed:
            return self._passed
        if self._seconds_left() <= 0:
            self._known = self._read()
            self._passed = self._seconds_left() <= 0
        return self._passed

    def grace_seconds(self, otherwise: float) -> float:
        """How long the bot may take to end after a signal."""
        if not self._fenced:
            return otherwise
        known = self._known or self._read()
        return min(otherwise, known.grace_seconds) if known is not None else 0.0

    def _seconds_left(self) -> float:
        return 0.0 if self._known is None else self._known.passes_at - self._clock()

    def _read(self) -> Fence | None:
        found = self._folder.read(FILE, Fence)
        return found if found is not None and same_boot(found.boot_id, self._boot_id) else None
