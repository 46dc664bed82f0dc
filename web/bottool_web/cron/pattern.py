"""A pattern of local times, whatever it was written in: which seconds, minutes, hours, days, months and years.

Knows the calendar, but no zone: see ``walk`` for how local times become moments.
"""

import calendar
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, time

ALL_SIXTY = tuple(range(60))
ALL_HOURS = tuple(range(24))
ALL_MONTHS = tuple(range(1, 13))
HORIZON_YEARS = 50
"""Whatever can happen at all happens within so many years: leap days and weekdays repeat after 40 at the latest."""
LAST_YEAR = 9990
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDays:
    """Days by their number. ``from_last``: 0 is the last day, 3 the third before it.

    ``nearest`` and ``nearest_from_last`` mean the weekday, Monday to Friday, that is nearest in the same month.
    """

    fixed: frozenset[int] = frozenset()
    from_last: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    nearest_from_last: frozenset[int] = frozenset()

    def of(self, first_weekday: int, length: int) -> set[int]:
        """The days of a month that begins on ``first_weekday`` (Monday is 0) and has ``length`` days."""
        days = {day for day in self.fixed if day <= length}
        days |= {length - back for back in self.from_last if back < length}
        wanted = [day for day in self.nearest if day <= length]
        wanted += [length - back for back in self.nearest_from_last if back < length]
        return days | {_nearest_weekday(day, first_weekday, length) for day in wanted}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDays:
    """Days by their weekday, Monday is 0. ``nth``: ``(4, 2)`` is the second Friday; ``last``: the last of its kind."""

    fixed: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()
    last: frozenset[int] = frozenset()

    def of(self, first_weekday: int, length: int) -> set[int]:
        def first(weekday: int) -> int:
            return 1 + (weekday - first_weekday) % 7

        days = {day for weekday in self.fixed for day in range(first(weekday), length + 1, 7)}
        days |= {day for weekday, which in self.nth if (day := first(weekday) + 7 * (which - 1)) <= length}
        return days | {max(range(first(weekday), length + 1, 7)) for weekday in self.last}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Local times. ``None`` for days of either kind means that they do not narrow; ``None`` for years means any.

    ``either``: a day that fits one of the two kinds is enough, as in Unix cron; else it must fit both.
    ``running``: it repeats within hours, so it follows real time when clocks change; see ``walk``.
    """

    seconds: tuple[int, ...] = (0,)
    minutes: tuple[int, ...] = (0,)
    hours: tuple[int, ...] = (0,)
    month_days: MonthDays | None = None
    week_days: WeekDays | None = None
    either: bool = False
    months: tuple[int, ...] = ALL_MONTHS
    years: tuple[int, ...] | None = None
    running: bool = False
    _days: dict[tuple[int, int], list[int]] = field(default_factory=dict, compare=False, repr=False)

    def first_from(self, local: datetime) -> datetime | None:
        """The first time of the pattern that is not before ``local``; ``None`` when there is none for 50 years."""
        today = local.replace(hour=0, minute=0, second=0, microsecond=0)
        for year in self._years_from(local.year):
            for month in self.months:
                if (year, month) < (local.year, local.month):
                    continue
                for day in self.days_of(year, month):
                    found = datetime(year, month, day)  # noqa: DTZ001  # local on purpose
                    if found < today:
                        continue
                    at = self._time_from(local.time() if found == today else time())
                    if at is not None:
                        return datetime.combine(found, at)
        return None

    def days_of(self, year: int, month: int) -> list[int]:
        """Days of that month, in order; the month itself is not looked at."""
        first_weekday, length = calendar.monthrange(year, month)
        known = self._days.get((first_weekday, length))
        if known is None:
            known = self._days[first_weekday, length] = sorted(self._fitting(first_weekday, length))
        return known

    def _fitting(self, first_weekday: int, length: int) -> set[int]:
        kinds = [kind.of(first_weekday, length) for kind in (self.month_days, self.week_days) if kind is not None]
        if not kinds:
            return set(range(1, length + 1))
        return set.union(*kinds) if self.either else set.intersection(*kinds)

    def _years_from(self, year: int) -> list[int]:
        if self.years is not None:
            return [each for each in self.years if each >= year]
        return list(range(year, min(year + HORIZON_YEARS, LAST_YEAR) + 1))

    def _time_from(self, at: time) -> time | None:
        hour, minute, second = at.hour, at.minute, at.second
        if hour in self.hours:
            if minute in self.minutes and (found := _from(self.seconds, second)) is not None:
                return time(hour, minute, found)
            if (later := _from(self.minutes, minute + 1)) is not None:
                return time(hour, later, self.seconds[0])
        next_hour = _from(self.hours, hour + 1)
        return None if next_hour is None else time(next_hour, self.minutes[0], self.seconds[0])


def _from(values: tuple[int, ...], low: int) -> int | None:
    place = bisect_left(values, low)
    return values[place] if place < len(values) else None


def _nearest_weekday(day: int, first_weekday: int, length: int) -> int:
    """Source: Quartz's documentation of ``W``: it does not jump over the boundary of a month's days."""
    weekday = (first_weekday + day - 1) % 7
    if weekday == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == SUNDAY:
        return day + 1 if day < length else day - 2
    return day
