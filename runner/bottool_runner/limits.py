"""What the server says of an attempt's limits, in the words of ``bottool.run``, and the other way round.

A server of the release before this one sends no limits; it is told nothing that it does not know.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace

from bottool import wire
from bottool.limits import Reached
from bottool.model import Limits, Outcome, Reason
from bottool_runner.journal import AttemptFolder


def limits_of(work: wire.Work) -> Limits:
    said = work.limits or wire.WorkLimits()
    return Limits(
        timeout_seconds=work.timeout_seconds,
        silence_seconds=said.silence_seconds,
        memory_bytes=said.memory_bytes,
        processes=said.processes,
        output_bytes=said.output_bytes,
        disk_bytes=said.disk_bytes,
        interrupt_seconds=said.interrupt_seconds,
        grace_seconds=work.grace_seconds,
    )


def said_of(reached: Reached) -> wire.LimitReached:
    return wire.LimitReached(reason=reached.reason.value, message=reached.message.rstrip(","), at=time.time())


def told_as(outcome: Outcome, work: wire.Work) -> Outcome:
    """The outcome as this server understands it: without limits, only the system can have been short of memory."""
    if work.limits is None and outcome.reason is Reason.OUT_OF_MEMORY:
        return replace(outcome, reason=Reason.EXITED)
    return outcome


class LimitNews:
    """Hands on, once, what the keeper says of a limit that its bot reached. The bot ends with or without knowing it, so
    an answer of the kind ``refusal`` is no reason to do anything else.
    """

    def __init__(
        self, folder: AttemptFolder, tell: Callable[[wire.LimitReached], None], refusal: type[Exception]
    ) -> None:
        self._folder = folder
        self._tell = tell
        self._refusal = refusal
        self._was_told = False

    def look(self) -> None:
        """Look whether there is something to tell."""
        reached = None if self._was_told else self._folder.read("limit", wire.LimitReached)
        if reached is None:
            return
        with contextlib.suppress(self._refusal):
            self._tell(reached)
        self._was_told = True
