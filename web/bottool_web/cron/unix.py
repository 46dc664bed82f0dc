"""Unix cron expressions, five fields, read by the library ``cronsim`` as Debian's cron reads them.

The library rejects ``@daily`` and its like, so these are put into fields here. Walking is ours, see ``walk``: one rule
for all dialects when clocks change.
"""

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from bottool.errors import InvalidInput
from bottool_web.cron.pattern import MonthDays, Pattern, WeekDays
from bottool_web.cron.quartz import LIMIT

ALIASES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def read_unix(expression: str) -> Pattern:
    """:raises InvalidInput: with the position of the field that is wrong."""
    if len(expression) > LIMIT:
        raise InvalidInput(
            f"the expression has {len(expression)} characters; {LIMIT} are allowed", path="expression", position=LIMIT
        )
    fields = _fields(expression)
    try:
        read = CronSim(" ".join(fields), _ANY_TIME)
    except CronSimError as error:
        raise _wrong(expression, fields, str(error)) from None
    minute, hour, days, _, weekdays = fields
    return Pattern(
        minutes=tuple(sorted(read.minutes)),
        hours=tuple(sorted(read.hours)),
        month_days=None if days == "*" else _month_days(read),
        week_days=None if weekdays == "*" else _week_days(read),
        either=not read.day_and,
        months=tuple(sorted(read.months)),
        running=minute.startswith("*") or hour.startswith("*"),
    )


def _fields(expression: str) -> list[str]:
    text = expression.strip()
    if text.startswith("@"):
        if text.lower() not in ALIASES:
            raise InvalidInput(
                f"'{text[:30]}' is no time", f"there are: {', '.join(ALIASES)}", path="expression", position=1
            )
        text = ALIASES[text.lower()]
    fields = text.upper().split()
    if len(fields) != len(FIELDS):
        hint = "write: minute hour day-of-month month day-of-week, such as 30 8 * * 1-5"
        if len(fields) in {6, 7}:
            hint = "six or seven fields are Quartz's: choose the dialect 'quartz'"
        raise InvalidInput(
            f"a Unix cron expression has 5 fields, this one has {len(fields)}",
            hint,
            path="expression",
            position=len(expression) + 1,
        )
    return fields


def _wrong(expression: str, fields: list[str], said: str) -> InvalidInput:
    """The library names the field; the first of that name is the one."""
    name = said.removeprefix("Bad ")
    number = FIELDS.index(name) if name in FIELDS else 0
    place = 1
    for field in fields[:number]:
        place = expression.upper().index(field, place - 1) + len(field) + 1
    place = expression.upper().find(fields[number], place - 1) + 1
    hint = "write numbers, names, ranges such as 8-18, steps such as */15, lists with commas; a range goes upwards"
    return InvalidInput(
        f"the {name} '{fields[number][:30]}' at character {place} cannot be read, or never comes",
        hint,
        path="expression",
        position=place,
    )


def _month_days(read: CronSim) -> MonthDays:
    special = {CronSim.LAST, CronSim.LAST_WEEKDAY}
    return MonthDays(
        fixed=frozenset(read.days - special),
        from_last=frozenset({0} if CronSim.LAST in read.days else ()),
        nearest_from_last=frozenset({0} if CronSim.LAST_WEEKDAY in read.days else ()),
    )


def _week_days(read: CronSim) -> WeekDays:
    """In cron Sunday is 0 and 7; here Monday is 0."""
    plain = [each for each in read.weekdays if isinstance(each, int)]
    pairs = [each for each in read.weekdays if not isinstance(each, int)]
    return WeekDays(
        fixed=frozenset((day + 6) % 7 for day in plain),
        nth=frozenset(((day + 6) % 7, which) for day, which in pairs if which != CronSim.LAST),
        last=frozenset((day + 6) % 7 for day, which in pairs if which == CronSim.LAST),
    )
