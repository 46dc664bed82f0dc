"""The door of this package: a dialect, an expression and a zone, read once, that tell when something is due.

Dialects: ``quartz`` and ``unix`` are cron expressions, ``once`` is a local date and time such as ``2026-12-24T08:30``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bottool.errors import InvalidInput, did_you_mean
from bottool_web.cron.pattern import MonthDays, Pattern
from bottool_web.cron.quartz import read_quartz
from bottool_web.cron.unix import read_unix
from bottool_web.cron.walk import clock_changes, next_fire
from bottool_web.cron.words import in_words

DIALECTS = ("quartz", "unix", "once")
_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001  # a local time, of no zone
_LOCAL_TIME = "a date and time such as 2026-12-24T08:30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When something is due. ``words`` say it in English, without the zone."""

    pattern: Pattern
    zone: ZoneInfo
    words: str

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due moment after ``moment``, in UTC; ``None`` when there is none any more."""
        return next_fire(self.pattern, self.zone, moment)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All due moments after ``moment``, in order, perhaps without end."""
        found = self.next_after(moment)
        while found is not None:
            yield found
            found = self.next_after(found)

    def clock_changes(self, start: datetime, end: datetime) -> list[str]:
        """A sentence for each time that the zone's clocks are put forward or back in (start, end]."""
        return [self._sentence(change) for change in clock_changes(self.zone, start, end)]

    def _sentence(self, change: datetime) -> str:
        before, after = (datetime.fromtimestamp(change.timestamp() - back, self.zone) for back in (1, 0))
        ahead = (after.utcoffset() or UTC.utcoffset(None)) > (before.utcoffset() or UTC.utcoffset(None))
        shown = datetime.fromtimestamp(change.timestamp(), before.tzinfo).replace(fold=0)
        word = "forward" if ahead else "back"
        return f"clocks in {self.zone.key} go {word} on {shown:%Y-%m-%d}, to {shown:%H:%M}"


def read_timing(dialect: str, expression: str, zone: str) -> Timing:
    """:raises InvalidInput: for what cannot be read, with its position, and for what never fires."""
    pattern = _read(dialect, expression)
    if dialect != "once" and pattern.first_from(_LONG_AGO) is None:
        raise InvalidInput(
            f"'{expression.strip()[:80]}' never fires: there is no such day", "look at day and month", path="expression"
        )
    return Timing(pattern=pattern, zone=read_zone(zone), words=in_words(pattern))


def read_zone(name: str) -> ZoneInfo:
    """:raises InvalidInput: when there is no zone of that name."""
    if name not in zones():
        shown = "".join(letter if letter.isprintable() else "?" for letter in name[:60])
        hint = did_you_mean(name[:60], zones()) or "use a name such as America/Sao_Paulo, Europe/Lisbon or UTC"
        raise InvalidInput(f"there is no time zone '{shown}'", hint, path="zone")
    return ZoneInfo(name)


@cache
def zones() -> tuple[str, ...]:
    """Names of all zones, by name."""
    return tuple(sorted(available_timezones() - {"localtime", "Factory"}))


def _read(dialect: str, expression: str) -> Pattern:
    if "\0" in expression:
        raise InvalidInput("the expression holds a NUL character", path="expression", position=expression.index("\0"))
    if not expression.strip():
        raise InvalidInput("the expression is empty", "such as 0 30 8 ? * MON-FRI", path="expression", position=1)
    if dialect == "quartz":
        return read_quartz(expression)
    if dialect == "unix":
        return read_unix(expression)
    if dialect == "once":
        return _read_once(expression)
    raise InvalidInput(f"there is no dialect '{dialect[:30]}'", f"there are: {', '.join(DIALECTS)}", path="dialect")


def _read_once(expression: str) -> Pattern:
    try:
        at = datetime.fromisoformat(expression.strip())
    except ValueError:
        raise InvalidInput(
            f"'{expression.strip()[:40]}' is no time", f"write {_LOCAL_TIME}", path="expression", position=1
        ) from None
    if at.tzinfo is not None:
        raise InvalidInput("the time has an offset", f"the zone says it: write {_LOCAL_TIME}", path="expression")
    return Pattern(
        seconds=(at.second,),
        minutes=(at.minute,),
        hours=(at.hour,),
        month_days=MonthDays(fixed=frozenset({at.day})),
        months=(at.month,),
        years=(at.year,),
    )
