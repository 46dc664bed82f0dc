"""A timing written as a Quartz expression in UTC, for those who read nothing else.

Exact as far as UTC can say it, by the offset of the zone's clocks at the given moment. What it cannot say (a day of the
month whose UTC day is another one; Unix cron's "day or weekday") is written as its next due time alone.
"""

from datetime import UTC, datetime, timedelta

from bottool_web.cron.pattern import ALL_HOURS, ALL_MONTHS, ALL_SIXTY, MonthDays, Pattern, WeekDays
from bottool_web.cron.quartz import WEEKDAYS
from bottool_web.cron.timing import Timing

DAY_MINUTES = 24 * 60
_WEEK = 7
_RUN = 3
"""So many numbers in a row are written as a range."""


def quartz_in_utc(timing: Timing, moment: datetime) -> str:
    """The expression as it holds after ``moment``; empty when nothing is due any more."""
    found = timing.next_after(moment)
    if found is None:
        return ""
    offset = found.astimezone(timing.zone).utcoffset() or timedelta()
    shifted = _shifted(timing.pattern, -round(offset.total_seconds() / 60))
    return _written(shifted) if shifted is not None else _single(found)


def _single(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.second} {at.minute} {at.hour} {at.day} {at.month} ? {at.year}"


def _shifted(pattern: Pattern, minutes: int) -> Pattern | None:
    """The same times ``minutes`` later; ``None`` when no pattern can say it."""
    if pattern.month_days is not None and pattern.week_days is not None:
        return None
    if not minutes:
        return pattern
    times = {hour * 60 + minute + minutes for hour in pattern.hours for minute in pattern.minutes}
    days = {time // DAY_MINUTES for time in times}
    clock = {divmod(time % DAY_MINUTES, 60) for time in times}
    hours, sixtieths = (tuple(sorted({pair[place] for pair in clock})) for place in (0, 1))
    if len(hours) * len(sixtieths) != len(clock):
        return None
    free = pattern.month_days is None and pattern.months == ALL_MONTHS and pattern.years is None
    week_days = pattern.week_days
    if days != {0} and not (free and week_days is None):
        # Only plain weekdays can move on to the day before or after.
        if not free or len(days) != 1 or week_days is None or week_days != WeekDays(fixed=week_days.fixed):
            return None
        week_days = WeekDays(fixed=frozenset((day + min(days)) % _WEEK for day in week_days.fixed))
    return Pattern(
        seconds=pattern.seconds,
        minutes=sixtieths,
        hours=hours,
        month_days=pattern.month_days,
        week_days=week_days,
        months=pattern.months,
        years=pattern.years,
    )


def _written(pattern: Pattern) -> str:
    days = "?" if pattern.month_days is None else _month_days(pattern.month_days)
    weekdays = "?" if pattern.week_days is None else _week_days(pattern.week_days)
    fields = [
        _numbers(pattern.seconds, ALL_SIXTY),
        _numbers(pattern.minutes, ALL_SIXTY),
        _numbers(pattern.hours, ALL_HOURS),
        "*" if days == weekdays == "?" else days,
        _numbers(pattern.months, ALL_MONTHS),
        weekdays,
    ]
    return " ".join([*fields, *([] if pattern.years is None else [_numbers(pattern.years, ())])])


def _numbers(values: tuple[int, ...], whole: tuple[int, ...]) -> str:
    """``*``, ``0/15``, ``8-18`` or ``1,5,7-9``."""
    if values == whole:
        return "*"
    if whole and len(values) >= _RUN:
        step = values[1] - values[0]
        if step > 1 and values == tuple(range(values[0], whole[-1] + 1, step)):
            return f"{values[0]}/{step}"
    return ",".join(_ranges(values))


def _ranges(values: tuple[int, ...]) -> list[str]:
    found: list[str] = []
    start = 0
    for place in range(1, len(values) + 1):
        if place == len(values) or values[place] != values[place - 1] + 1:
            run = values[start:place]
            found += [f"{run[0]}-{run[-1]}"] if len(run) >= _RUN else map(str, run)
            start = place
    return found


def _month_days(days: MonthDays) -> str:
    said = _ranges(tuple(sorted(days.fixed)))
    said += [f"{day}W" for day in sorted(days.nearest)]
    said += [f"L-{back}" if back else "L" for back in sorted(days.from_last, reverse=True)]
    said += [f"L-{back}W" if back else "LW" for back in sorted(days.nearest_from_last, reverse=True)]
    return ",".join(said)


def _week_days(days: WeekDays) -> str:
    """By name: numbers mean other days elsewhere. Sunday comes first, as in Quartz."""
    names = [WEEKDAYS[day] for day in sorted((day + 1) % _WEEK for day in days.fixed)]
    if names == list(WEEKDAYS[1:6]):
        names = ["MON-FRI"]
    names += [f"{(day + 1) % _WEEK + 1}#{which}" for day, which in sorted(days.nth)]
    names += [f"{(day + 1) % _WEEK + 1}L" for day in sorted(days.last)]
    return ",".join(names)
