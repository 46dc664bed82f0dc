"""Patterns of local time walked through real time in a zone: what happens when clocks are put forward or back.

The rule, for every dialect (source: ``cron(8)`` of Debian, "Daylight saving time"):

* Times that do not exist because clocks go forward: all of them together fire once, at the moment the gap ends.
* Times that come twice because clocks go back: they fire the first time only.
* A pattern that repeats within hours (``running``: its minute or hour is ``*`` or has a step) follows real time: it
  goes on every so many minutes through the repeated hour, and does not make up for the one that does not exist.
"""

from datetime import UTC, datetime, timedelta, tzinfo

from bottool_web.cron.pattern import Pattern

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
NEAR = 2 * DAY
"""Clocks have never been put forward or back by more than a day."""


def next_fire(pattern: Pattern, zone: tzinfo, after: datetime) -> datetime | None:
    """The first moment after ``after``, both in UTC; ``None`` when there is none for 50 years."""
    after = after.astimezone(UTC).replace(microsecond=0)
    try:
        return _next_running(pattern, zone, after) if pattern.running else _next_fixed(pattern, zone, after)
    except OverflowError:  # the end of the calendar
        return None


def _next_fixed(pattern: Pattern, zone: tzinfo, after: datetime) -> datetime | None:
    local: datetime | None = _local(after, zone) + SECOND
    while local is not None and (local := pattern.first_from(local)) is not None:
        found = moment_of(local, zone)
        if found > after:
            return found
        local += SECOND
    return None


def moment_of(local: datetime, zone: tzinfo) -> datetime:
    """The moment that a local time means: the first of two, or the end of the gap it lies in. In UTC."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _local(first, zone) == local:
        return first
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _first_change(zone, before, first) or first


def _next_running(pattern: Pattern, zone: tzinfo, after: datetime) -> datetime | None:
    at = after + SECOND
    while True:
        local = _local(at, zone)
        found = pattern.first_from(local)
        if found is None:
            return None
        candidate = at + (found - local)
        if candidate - at > NEAR:
            # However clocks change until then, nothing fires before.
            at = candidate - NEAR
            continue
        change = _first_change(zone, at, candidate)
        if change is None:
            return candidate
        at = change


def _local(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _first_change(zone: tzinfo, start: datetime, end: datetime) -> datetime | None:
    """The first second in (start, end] that has another offset than ``start``; ``None`` when there is none."""
    offset, low = _offset(start, zone), start
    while low < end:
        high = min(low + DAY, end)
        if _offset(high, zone) != offset:
            while high - low > SECOND:
                middle = low + ((high - low) // 2 // SECOND) * SECOND
                low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
            return high
        low = high
    return None


def clock_changes(zone: tzinfo, start: datetime, end: datetime) -> list[datetime]:
    """Every moment in (start, end] at which clocks are put forward or back."""
    found: list[datetime] = []
    while (change := _first_change(zone, found[-1] if found else start, end)) is not None:
        found.append(change)
    return found
