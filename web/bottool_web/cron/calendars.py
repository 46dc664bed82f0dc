"""Plain calendar forms (once, daily, weekly, monthly), written as an expression and recognised in one."""

import re
from datetime import date, time

from bottool.errors import InvalidInput, did_you_mean
from bottool.wire import Calendar
from bottool_web.cron.quartz import WEEKDAYS

_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")
_QUARTZ = re.compile(r"(\d{1,2}) (\d{1,2}) (\d{1,2}) ([0-9L,]+|\?|\*) \* ([A-Z,]+|\?|\*)")
LAST_DAY = 31
_GROUPS = {"WEEKDAYS": WEEKDAYS[1:6], "WEEKEND": (WEEKDAYS[6], WEEKDAYS[0])}


def expression_of(calendar: Calendar) -> tuple[str, str]:
    """Dialect and expression of what a calendar form says.

    :raises InvalidInput: for a time, a date, a weekday or a day that is none.
    """
    at = _time(calendar.time)
    if calendar.repeat == "once":
        return "once", f"{_date(calendar.date).isoformat()}T{at.isoformat()}"
    start = f"{at.second} {at.minute} {at.hour}"
    if calendar.repeat == "monthly":
        return "quartz", f"{start} {','.join(_days(calendar.on))} * ?"
    if calendar.repeat == "weekly" or calendar.on:
        return "quartz", f"{start} ? * {','.join(_weekdays(calendar.on))}"
    return "quartz", f"{start} * * ?"


def calendar_of(dialect: str, expression: str) -> Calendar | None:
    """The form that would have said ``expression``; ``None`` when no form can."""
    if dialect == "once":
        day, _, at = expression.replace(" ", "T").partition("T")
        return Calendar(repeat="once", time=at, date=day)
    found = _QUARTZ.fullmatch(expression.upper()) if dialect == "quartz" else None
    if found is None:
        return None
    second, minute, hour, days, weekdays = found.groups()
    at = f"{int(hour):02}:{int(minute):02}" + (f":{int(second):02}" if int(second) else "")
    if weekdays not in {"?", "*"}:
        named = weekdays.split(",")
        return Calendar(repeat="weekly", time=at, on=named) if set(named) <= set(WEEKDAYS) else None
    if days not in {"?", "*"}:
        return Calendar(repeat="monthly", time=at, on=["last" if day == "L" else day for day in days.split(",")])
    return Calendar(repeat="daily", time=at)


def _time(text: str) -> time:
    hour, minute, second = ([*text.strip().split(":"), "0"] if _TIME.fullmatch(text.strip()) else ["99"] * 3)[:3]
    try:
        return time(int(hour), int(minute), int(second))
    except ValueError:
        raise InvalidInput(f"'{text[:30]}' is no time of day", "write it as 08:30", path="calendar.time") from None


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput(f"'{text[:30]}' is no date", "write it as 2026-12-24", path="calendar.date") from None


def _weekdays(said: list[str]) -> list[str]:
    names: set[str] = set()
    for word in said:
        name = word.strip().upper()
        if name in _GROUPS:
            names.update(_GROUPS[name])
        elif name[:3] in WEEKDAYS and len(name) >= 3:  # noqa: PLR2004  # monday, mon, MON
            names.add(name[:3])
        else:
            known = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "weekdays", "weekend")
            hint = did_you_mean(word[:30].lower(), known) or f"there are: {', '.join(known)}"
            raise InvalidInput(f"'{word[:30]}' is no weekday", hint, path="calendar.on")
    if not names:
        raise InvalidInput("no weekday is named", "such as mon, tue, wed", path="calendar.on")
    return [name for name in (*WEEKDAYS[1:], WEEKDAYS[0]) if name in names]


def _days(said: list[str]) -> list[str]:
    numbers: set[int] = set()
    last = False
    for word in said:
        if word.strip().lower() in {"last", "l"}:
            last = True
        elif word.strip().isdigit() and 1 <= int(word.strip()[:9]) <= LAST_DAY:
            numbers.add(int(word.strip()))
        else:
            raise InvalidInput(f"'{word[:30]}' is no day of a month", "1 to 31, or last", path="calendar.on")
    if not numbers and not last:
        raise InvalidInput("no day of the month is named", "such as 1, 15 or last", path="calendar.on")
    return [*(str(number) for number in sorted(numbers)), *(["L"] if last else [])]
