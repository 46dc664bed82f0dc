"""A pattern in English words, such as ``every weekday at 08:30``. Told from its meaning, not its spelling."""

from collections.abc import Iterable

from bottool_web.cron.pattern import ALL_HOURS, ALL_MONTHS, ALL_SIXTY, MonthDays, Pattern, WeekDays

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
MOST_TIMES = 6
"""So many times of a day are named one by one."""
NTH = ("", "first", "second", "third", "fourth", "fifth")


def in_words(pattern: Pattern) -> str:
    if once := _once(pattern):
        return once
    times, days = _times(pattern), _days(pattern)
    years = f", in {_list(map(str, pattern.years))}" if pattern.years is not None else ""
    if times.startswith("at "):
        return f"{days} {times}{_months(pattern)}{years}"
    return f"{times}{'' if days == 'every day' else f', {days}'}{_months(pattern)}{years}"


def _once(pattern: Pattern) -> str:
    numbers = (pattern.seconds, pattern.minutes, pattern.hours, pattern.months, pattern.years or ())
    days = pattern.month_days
    if days is None or pattern.week_days is not None or any(len(each) != 1 for each in numbers):
        return ""
    if len(days.fixed) != 1 or days.from_last or days.nearest or days.nearest_from_last:
        return ""
    (day,) = days.fixed
    return f"once, on {day} {MONTHS[pattern.months[0] - 1]} {(pattern.years or (0,))[0]} {_times(pattern)}"


def _times(pattern: Pattern) -> str:
    seconds, minutes, hours = pattern.seconds, pattern.minutes, pattern.hours
    if len(seconds) == 1 and len(minutes) * len(hours) <= MOST_TIMES:
        second = f":{seconds[0]:02}" if seconds[0] else ""
        return f"at {_list(f'{hour:02}:{minute:02}{second}' for hour in hours for minute in minutes)}"
    said = _minutes(minutes, hours)
    if seconds == (0,):
        return said
    if len(seconds) == 1:
        return f"{said}, at second {seconds[0]}"
    within = _step(seconds, ALL_SIXTY, "second") or f"at the seconds {_list(map(str, seconds))}"
    if minutes == ALL_SIXTY and hours == ALL_HOURS:
        return within if within.startswith("every") else f"every minute, {within}"
    return f"{within}, {said}"


def _minutes(minutes: tuple[int, ...], hours: tuple[int, ...]) -> str:
    if len(minutes) == 1:
        at = f" at minute {minutes[0]}" if minutes[0] else ""
        every = _step(hours, ALL_HOURS, "hour")
        return f"{every}{at}" if every else f"every hour{at}{_within(hours)}"
    every = _step(minutes, ALL_SIXTY, "minute") or f"every hour at the minutes {_list(map(str, minutes))}"
    return every + ("" if hours == ALL_HOURS else _within(hours))


def _step(values: tuple[int, ...], whole: tuple[int, ...], unit: str) -> str:
    """``every 15 minutes``, when the values go all round evenly; else nothing."""
    if values == whole:
        return f"every {unit}"
    size = len(whole) // len(values)
    if values == tuple(range(values[0], len(whole), size)) and len(whole) % len(values) == 0:
        start = f" from {unit} {values[0]}" if values[0] else ""
        return f"every {size} {unit}s{start}"
    return ""


def _within(hours: tuple[int, ...]) -> str:
    first, last = hours[0], hours[-1]
    if hours == tuple(range(first, last + 1)):
        return f" from {first:02}:00 to {last:02}:59"
    return f" in the hours {_list(map(str, hours))}"


def _days(pattern: Pattern) -> str:
    by_day = _of_month(pattern.month_days) if pattern.month_days is not None else ""
    by_weekday = _of_week(pattern.week_days) if pattern.week_days is not None else ""
    if by_day and by_weekday:
        return f"{by_day} {'or' if pattern.either else 'if it is'} {by_weekday}"
    return by_day or by_weekday or "every day"


def _of_month(days: MonthDays) -> str:
    if days == MonthDays(fixed=frozenset(range(1, 32))):
        return ""
    said = []
    if days.fixed:
        said.append(f"day{'s' if len(days.fixed) > 1 else ''} {_list(map(str, sorted(days.fixed)))}")
    said += [_before_last(back, "day") for back in sorted(days.from_last, reverse=True)]
    said += [f"the weekday nearest to day {day}" for day in sorted(days.nearest)]
    for back in sorted(days.nearest_from_last, reverse=True):
        said.append(f"the weekday nearest to {_before_last(back, 'day')}" if back else "the last weekday")
    return f"on {_list(said)} of the month"


def _before_last(back: int, unit: str) -> str:
    if not back:
        return f"the last {unit}"
    return f"the {unit} before the last" if back == 1 else f"the {unit} that is {back} before the last"


def _of_week(days: WeekDays) -> str:
    special = [f"the {NTH[which]} {WEEKDAYS[day]}" for day, which in sorted(days.nth, key=lambda pair: pair[::-1])]
    special += [f"the last {WEEKDAYS[day]}" for day in sorted(days.last)]
    plain = ""
    if days.fixed == frozenset(range(5)):
        plain = "every weekday"
    elif days.fixed and len(days.fixed) < len(WEEKDAYS):
        plain = f"every {_list(WEEKDAYS[day] for day in sorted(days.fixed))}"
    if special:
        rest = f"on {_list(special)} of the month"
        return f"{plain} and {rest}" if plain else rest
    return plain


def _months(pattern: Pattern) -> str:
    if pattern.months == ALL_MONTHS:
        return ""
    return f", in {_list(MONTHS[month - 1] for month in pattern.months)}"


def _list(items: Iterable[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last
