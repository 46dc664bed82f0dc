"""Which of a schedule's due times fire now, which are left out, and when it is due next. Pure: no store, no clock.

The rule for missed times: one that is older than ``late_after`` when the server looks was missed, because no server
ran. ``skip`` leaves all of these out, ``once`` makes up for the newest one, ``all`` for the newest ``most``. What is
only a little late fires as usual.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Literal

from bottool_web.cron.timing import Timing

AT_ONCE = 100
"""So many times of one schedule fire in one step; what is left is due at the next beat."""
COUNTED = 10_000
"""Left out ones are counted up to here."""
FIRST_WINDOW = timedelta(minutes=1)
WIDER = 4
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``most`` counts for ``all`` only; nothing is due after ``ends_at``."""

    missed: Literal["skip", "once", "all"]
    most: int
    late_after: timedelta
    ends_at: datetime | None = None

    @property
    def made_up_for(self) -> int:
        return {"skip": 0, "once": 1, "all": self.most}[self.missed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``left_out`` times were missed and do not fire, the last at ``left_out_at``; no ``next_at``: it is over."""

    fires: list[datetime]
    left_out: int = 0
    left_out_at: datetime | None = None
    next_at: datetime | None


def plan(timing: Timing, first: datetime, now: datetime, rule: Rule) -> Plan:
    """What to do with the due times from ``first``, which has come, up to ``now``."""
    punctual_from = now - rule.late_after
    end = now if rule.ends_at is None else min(now, rule.ends_at)
    made_up: list[datetime] = []
    left_out, left_out_at = 0, None
    if first < punctual_from:
        missed_end = min(punctual_from, end + _TICK)
        # One more than wanted: that one is the last of those that are left out.
        newest = _newest_before(timing, first, missed_end, rule.made_up_for + 1)
        made_up = newest[max(0, len(newest) - rule.made_up_for) :] if rule.made_up_for else []
        if len(newest) > rule.made_up_for:
            left_out, left_out_at = _count(timing, first, missed_end) - len(made_up), newest[0]
    punctual = takewhile(lambda at: at <= end, _from(timing, max(first, punctual_from)))
    fires = [*made_up, *islice(punctual, AT_ONCE)]
    return Plan(
        fires=fires,
        left_out=max(left_out, 1 if left_out_at else 0),
        left_out_at=left_out_at,
        next_at=next_time(timing, fires[-1] if len(fires) - len(made_up) == AT_ONCE else now, rule.ends_at),
    )


def next_time(timing: Timing, after: datetime, ends_at: datetime | None) -> datetime | None:
    """The next due time after ``after``, unless it lies behind the end."""
    found = timing.next_after(after)
    return None if found is None or (ends_at is not None and found > ends_at) else found


def _from(timing: Timing, start: datetime) -> Iterator[datetime]:
    """Due times that are not before ``start``."""
    return timing.after(start - _TICK)


def _newest_before(timing: Timing, first: datetime, end: datetime, count: int) -> list[datetime]:
    """The last ``count`` times in [first, end), in order: looked for backwards, in windows that grow."""
    window = FIRST_WINDOW
    while True:
        start = max(first, end - window)
        found = list(takewhile(lambda at: at < end, _from(timing, start)))
        if len(found) >= count or start == first:
            return found[-count:]
        window *= WIDER


def _count(timing: Timing, first: datetime, end: datetime) -> int:
    return sum(1 for _ in islice(takewhile(lambda at: at < end, _from(timing, first)), COUNTED))
