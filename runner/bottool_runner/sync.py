"""The one held call: says what this runner has and has room for, and brings work and verdicts the moment there are any.

Owns when a call is made, when it is made again, and until when the leases hold. Knows neither attempts nor HTTP: the
request is a function. Time is monotonic; a lease counts from the moment that its request was sent, so that a slow
network can only shorten it.

A call that is held without asking for work is overtaken as soon as there is room, by a second one; its answer still
counts when it comes. Two calls with one claim key are not under way at once, but after
a pause that is taken back at once; the key gets the same work then.
"""

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from bottool import wire
from bottool_runner.backoff import Backoff

_SHORTEST_SECONDS = 0.25
"""Between the starts of two calls, unless the second asks for work that may be there: after work came, or room.

So a repeated verdict is not asked for faster, and a runner whose slots are full for an instant says nothing in between.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of a call: ``synced`` or ``error``."""

    number: int
    sent_at: float
    claim_key: str
    synced: wire.Synced | None = None
    error: Exception | None = None


@dataclass(slots=True, kw_only=True)
class _Call:
    number: int
    asks_for_work: bool


@dataclass(slots=True, kw_only=True)
class HeldCall:
    """Driven by one loop: ``tick`` whenever something changed, ``take`` for each answer that arrives."""

    send: Callable[[wire.Sync], wire.Synced]
    deliver: Callable[[Answer], None]
    """Called from a call's own thread, once per call."""
    clock: Callable[[], float]
    backoff: Backoff = field(default_factory=Backoff)
    lease_until: float = 0.0
    """When the server may give this runner's work away, at the earliest; in time of ``clock``."""
    _under_way: _Call | None = None
    _not_before: float = 0.0
    _calm_until: float = 0.0
    _may_bring_work: bool = True
    _is_urgent: bool = False
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def tick(self, message: Callable[[], wire.Sync]) -> float | None:
        """Make the call if its time has come. Returns how long to wait for that; ``None`` while one is under way."""
        now = self.clock()
        if self._under_way is None and now < self._not_before:
            return self._not_before - now
        if self._under_way is not None and self._under_way.asks_for_work and not self._is_urgent:
            return None
        said = message()
        if self._under_way is not None and not self._may_overtake(self._under_way, said):
            return None
        if self._under_way is None and now < self._calm_until and not (said.claim_key and self._may_bring_work):
            return self._calm_until - now
        self._is_urgent = False
        self._start(said, now)
        return None

    def _may_overtake(self, held: _Call, said: wire.Sync) -> bool:
        return not held.asks_for_work if said.claim_key else self._is_urgent

    def take(self, answer: Answer) -> wire.Synced | None:
        """The answer's content, with leases and pauses seen to; ``None`` for a failure."""
        is_newest = self._under_way is not None and answer.number == self._under_way.number
        if is_newest:
            self._under_way = None
        if answer.synced is not None:
            self.lease_until = max(self.lease_until, answer.sent_at + answer.synced.lease_seconds)
            self.backoff.reset()
            if is_newest:
                self._not_before = 0.0
                self._calm_until = answer.sent_at + _SHORTEST_SECONDS
                self._may_bring_work = bool(answer.synced.work)
        elif is_newest:
            self._not_before = self.clock() + self.backoff.next_seconds(answer.error)
        return answer.synced

    def room_made(self) -> None:
        """There is a free slot more: ask for work at once. A pause after a failure, or a rest, goes on."""
        self._may_bring_work = True

    def hurry(self) -> None:
        """The server should know something at once: make the next call beside the one that is held.

        One that asks for work is overtaken only by one that does not: then the runner has stopped taking any, and what
        the older one still brings is given back.
        """
        self._is_urgent = True

    def rest(self, seconds: float) -> None:
        """Make no call for that long: what the last one brought could not be dealt with."""
        self._not_before = self.clock() + seconds

    @property
    def leases_hold(self) -> bool:
        return self.clock() < self.lease_until

    def _start(self, said: wire.Sync, now: float) -> None:
        call = _Call(number=next(self._numbers), asks_for_work=bool(said.claim_key))
        self._under_way = call
        # A daemon: a call that the server holds must not hold up the end of the process.
        threading.Thread(
            target=self._run, args=(call.number, said, now), name=f"sync {call.number}", daemon=True
        ).start()

    def _run(self, number: int, said: wire.Sync, sent_at: float) -> None:
        try:
            synced = self.send(said)
        except Exception as error:  # noqa: BLE001 - whatever it is, the loop decides and tries again
            self.deliver(Answer(number=number, sent_at=sent_at, claim_key=said.claim_key, error=error))
        else:
            self.deliver(Answer(number=number, sent_at=sent_at, claim_key=said.claim_key, synced=synced))
