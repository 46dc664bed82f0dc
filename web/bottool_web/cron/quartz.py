"""Quartz's cron expressions: six or seven fields, seconds first, read into a ``Pattern``.

Source: the documentation of Quartz's ``CronExpression``. Where it leaves something open we say so: ``*`` in both day
fields is taken for ``?`` in one of them; a day that a month does not have (``31W`` in June) is left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bottool.errors import InvalidInput
from bottool_web.cron.pattern import MonthDays, Pattern, WeekDays

LIMIT = 500
FIELDS = (6, 7)
UNIX_FIELDS = 5
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MOST_WEEKS = 5
MOST_DAYS = 30

_WORD = re.compile(r"\S+")
_DAYS_BEFORE_LAST = re.compile(r"L(?:-(\d{1,3}))?(W?)", re.ASCII)
_NEAREST = re.compile(r"(\d{1,3})W", re.ASCII)
_NTH = re.compile(r"([A-Z]{3}|\d{1,3})#(\d{1,3})", re.ASCII)
_LAST_WEEKDAY = re.compile(r"([A-Z]{3}|\d{1,3})L", re.ASCII)
_SPAN = re.compile(r"(?P<low>\*|[A-Z]{3}|\d{1,4})?(?:-(?P<high>[A-Z]{3}|\d{1,4}))?(?:/(?P<step>\d{1,4}))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What may stand in one field. ``names[0]`` means ``low``."""

    title: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    wraps: bool = True


SECONDS = Field(title="seconds", low=0, high=59)
MINUTES = Field(title="minutes", low=0, high=59)
HOURS = Field(title="hours", low=0, high=23)
DAYS = Field(title="day of month", low=1, high=31)
MONTH = Field(title="month", low=1, high=12, names=MONTHS)
WEEKDAY = Field(title="day of week", low=1, high=7, names=WEEKDAYS)
YEAR = Field(title="year", low=1970, high=2099, wraps=False)
ORDER = (SECONDS, MINUTES, HOURS, DAYS, MONTH, WEEKDAY, YEAR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A piece of the expression, and where it begins: errors point there. Places count from 1."""

    text: str
    place: int
    field: Field

    def wrong(self, why: str, hint: str = "") -> InvalidInput:
        shown = self.text if len(self.text) <= 30 else f"{self.text[:30]}…"  # noqa: PLR2004
        return InvalidInput(
            f"the {self.field.title} '{shown}' at character {self.place} {why}",
            hint,
            path="expression",
            position=self.place,
        )

    def items(self) -> Iterator["Text"]:
        place = self.place
        for item in self.text.split(","):
            yield Text(text=item, place=place, field=self.field)
            place += len(item) + 1


def read_quartz(expression: str) -> Pattern:
    """:raises InvalidInput: with the position of what is wrong."""
    fields = _fields(expression)
    seconds, minutes, hours, days, months, weekdays, *years = fields
    times = [_numbers(each) for each in (seconds, minutes, hours)]
    by_day, by_weekday = _which_days(days, weekdays)
    return Pattern(
        seconds=times[0],
        minutes=times[1],
        hours=times[2],
        month_days=_month_days(days) if by_day else None,
        week_days=_week_days(weekdays) if by_weekday else None,
        months=_numbers(months),
        years=_numbers(years[0]) if years and years[0].text != "*" else None,
        running=any(field.text.startswith("*") or "/" in field.text for field in (minutes, hours)),
    )


def _fields(expression: str) -> list[Text]:
    if len(expression) > LIMIT:
        raise InvalidInput(
            f"the expression has {len(expression)} characters; {LIMIT} are allowed", path="expression", position=LIMIT
        )
    words = [(found.group().upper(), found.start() + 1) for found in _WORD.finditer(expression)]
    if len(words) in FIELDS:
        return [Text(text=text, place=place, field=ORDER[number]) for number, (text, place) in enumerate(words)]
    hint = "write: seconds minutes hours day-of-month month day-of-week [year], such as 0 30 8 ? * MON-FRI"
    if len(words) == UNIX_FIELDS:
        hint = "five fields are Unix cron: choose the dialect 'unix', or put 0 for the seconds in front"
    end = words[-1][1] if len(words) > max(FIELDS) else len(expression) + 1
    raise InvalidInput(
        f"a Quartz expression has 6 or 7 fields, this one has {len(words)}", hint, path="expression", position=end
    )


def _which_days(days: Text, weekdays: Text) -> tuple[bool, bool]:
    """Which of the two day fields narrow. One of them must be ``?``, or say nothing with ``*``."""
    if days.text == weekdays.text == "?":
        raise weekdays.wrong("is '?', and the day of month is too", "write * in one of them for every day")
    by_day, by_weekday = days.text not in {"*", "?"}, weekdays.text not in {"*", "?"}
    if by_day and by_weekday:
        raise weekdays.wrong(
            f"stands beside the day of month '{days.text[:30]}'", "Quartz takes one of them: write ? in the other"
        )
    return by_day, by_weekday


def _numbers(field: Text) -> tuple[int, ...]:
    return tuple(sorted({number for item in field.items() for number in _span(item)}))


def _month_days(field: Text) -> MonthDays:
    fixed: set[int] = set()
    from_last: set[int] = set()
    nearest: set[int] = set()
    nearest_from_last: set[int] = set()
    for item in field.items():
        if found := _DAYS_BEFORE_LAST.fullmatch(item.text):
            back = int(found[1] or 0)
            if back > MOST_DAYS:
                raise item.wrong(f"goes back {back} days", f"L-1 to L-{MOST_DAYS} is possible")
            (nearest_from_last if found[2] else from_last).add(back)
        elif found := _NEAREST.fullmatch(item.text):
            nearest.add(_number(item, found[1]))
        elif "W" in item.text:
            raise item.wrong("uses W wrongly", "write one day before it, such as 15W, or LW")
        else:
            fixed |= _span(item)
    return MonthDays(
        fixed=frozenset(fixed),
        from_last=frozenset(from_last),
        nearest=frozenset(nearest),
        nearest_from_last=frozenset(nearest_from_last),
    )


def _week_days(field: Text) -> WeekDays:
    fixed: set[int] = set()
    nth: set[tuple[int, int]] = set()
    last: set[int] = set()
    for item in field.items():
        if found := _NTH.fullmatch(item.text):
            if not 1 <= int(found[2]) <= MOST_WEEKS:
                raise item.wrong(f"asks for number {found[2]} of a month", "#1 to #5 is possible, or L for the last")
            nth.add((_from_sunday(_number(item, found[1])), int(found[2])))
        elif found := _LAST_WEEKDAY.fullmatch(item.text):
            last.add(_from_sunday(_number(item, found[1])))
        elif item.text == "L":
            fixed.add(_from_sunday(len(WEEKDAYS)))
        else:
            fixed |= {_from_sunday(number) for number in _span(item)}
    return WeekDays(fixed=frozenset(fixed), nth=frozenset(nth), last=frozenset(last))


def _from_sunday(number: int) -> int:
    """Quartz counts from Sunday, which is 1; here Monday is 0."""
    return (number + 5) % 7


def _span(item: Text) -> set[int]:
    """``*``, ``5``, ``5-9``, ``22-2``, ``MON-FRI``, and each of them with a step: ``*/5``, ``3/10``, ``0-30/10``."""
    found = _SPAN.fullmatch(item.text)
    if not item.text or found is None or (found["low"] is None and (found["high"] or not found["step"])):
        raise item.wrong(*_reason(item))
    whole = found["low"] in {"*", None}
    if whole and found["high"]:
        raise item.wrong("is no range", "write two numbers, such as 8-18")
    field = item.field
    step = 1 if found["step"] is None else int(found["step"])
    low = field.low if whole else _number(item, found["low"])
    high = _number(item, found["high"]) if found["high"] else (field.high if whole or found["step"] else low)
    if not 0 < step <= field.high:
        raise item.wrong(f"has a step of {step}", f"1 to {field.high} is possible")
    if high >= low:
        return set(range(low, high + 1, step))
    if not field.wraps:
        raise item.wrong("ends before it begins", "write the earlier year first")
    size = field.high - field.low + 1
    return {field.low + (number - field.low) % size for number in range(low, high + size + 1, step)}


def _reason(item: Text) -> tuple[str, str]:
    if not item.text:
        return "is empty", "leave no comma without something on both sides"
    if "?" in item.text:
        return "may not hold '?'", "? stands alone, in day of month or day of week"
    if item.field in {DAYS, WEEKDAY} and {"L", "W", "#"} & set(item.text):
        return "cannot be read", "L, L-3, LW and 15W are for days of a month; 6L and 6#3 for days of a week"
    if {"L", "W", "#"} & set(item.text) and not item.field.names:
        return "cannot be read", "L, W and # are for days only"
    return "cannot be read", "write numbers, names, ranges such as 8-18, steps such as 0/15, lists with commas"


def _number(item: Text, text: str) -> int:
    field = item.field
    if text in field.names:
        return field.low + field.names.index(text)
    if not text.isdigit():
        known = f"names are {', '.join(field.names)}" if field.names else "this field takes numbers"
        raise item.wrong(f"holds '{text}'", known)
    if not field.low <= int(text) <= field.high:
        hint = f"{field.low} to {field.high} is possible"
        if field is WEEKDAY:
            hint += "; 1 is Sunday, 7 is Saturday"
        raise item.wrong("is out of range" if item.text == text else f"has {int(text)}, which is out of range", hint)
    return int(text)
