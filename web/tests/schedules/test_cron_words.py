"""An expression in words, and an expression as Quartz's in UTC."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottool_web.cron.pattern import Pattern, WeekDays
from bottool_web.cron.quartz_out import quartz_in_utc
from bottool_web.cron.timing import read_timing

JULY = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dialect", "expression", "words"),
    [
        ("quartz", "0 30 8 ? * MON-FRI", "every weekday at 08:30"),
        ("quartz", "0 30 8 ? * 2-6", "every weekday at 08:30"),
        ("quartz", "0 0 12 * * ?", "every day at 12:00"),
        ("quartz", "0 0 8,18 ? * SAT,SUN", "every Saturday and Sunday at 08:00 and 18:00"),
        ("quartz", "15 30 8 * * ?", "every day at 08:30:15"),
        ("quartz", "* * * * * ?", "every second"),
        ("quartz", "0/10 * * * * ?", "every 10 seconds"),
        ("quartz", "5/10 * * * * ?", "every 10 seconds from second 5"),
        ("quartz", "5,7 * * * * ?", "every minute, at the seconds 5 and 7"),
        ("quartz", "30 * * * * ?", "every minute, at second 30"),
        ("quartz", "0 * * * * ?", "every minute"),
        ("quartz", "0 0/15 * * * ?", "every 15 minutes"),
        ("quartz", "0 5/15 * * * ?", "every 15 minutes from minute 5"),
        ("quartz", "0 0/15 8-17 ? * MON-FRI", "every 15 minutes from 08:00 to 17:59, every weekday"),
        ("quartz", "0 5 * * * ?", "every hour at minute 5"),
        ("quartz", "0 0 * * * ?", "every hour"),
        ("quartz", "0 0 0/2 * * ?", "every 2 hours"),
        ("quartz", "0 0 9-17 * * ?", "every hour from 09:00 to 17:59"),
        ("quartz", "0 0,20 0/2 * * ?", "every hour at the minutes 0 and 20 in the hours 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20 and 22"),
        ("quartz", "0 0 8 L * ?", "on the last day of the month at 08:00"),
        ("quartz", "0 0 8 L-1 * ?", "on the day before the last of the month at 08:00"),
        ("quartz", "0 0 8 LW * ?", "on the last weekday of the month at 08:00"),
        ("quartz", "0 0 8 15W * ?", "on the weekday nearest to day 15 of the month at 08:00"),
        ("quartz", "0 0 8 1,15 1,7 ?", "on days 1 and 15 of the month at 08:00, in January and July"),
        ("quartz", "0 0 8 ? * 6#3", "on the third Friday of the month at 08:00"),
        ("quartz", "0 0 8 ? * FRIL", "on the last Friday of the month at 08:00"),
        ("quartz", "0 0 8 ? * MON,6L", "every Monday and on the last Friday of the month at 08:00"),
        ("quartz", "0 0 8 1 1 ? 2027", "once, on 1 January 2027 at 08:00"),
        ("quartz", "0 0 8 * * ? 2027-2028", "every day at 08:00, in 2027 and 2028"),
        ("unix", "30 8 * * 1-5", "every weekday at 08:30"),
        ("unix", "@daily", "every day at 00:00"),
        ("unix", "*/5 * * * *", "every 5 minutes"),
        ("unix", "0 0 13 * 5", "on day 13 of the month or every Friday at 00:00"),
        ("unix", "0 0 L * *", "on the last day of the month at 00:00"),
        ("once", "2026-12-24T08:30", "once, on 24 December 2026 at 08:30"),
    ],
)  # fmt: skip
def test_an_expression_is_said_in_words(dialect: str, expression: str, words: str) -> None:
    assert read_timing(dialect, expression, "UTC").words == words


@pytest.mark.parametrize(
    ("dialect", "expression", "zone", "wanted"),
    [
        ("quartz", "0 30 8 ? * MON-FRI", "America/Sao_Paulo", "0 30 11 ? * MON-FRI"),
        ("quartz", "0 30 22 ? * MON-FRI", "America/Sao_Paulo", "0 30 1 ? * TUE,WED,THU,FRI,SAT"),
        ("quartz", "0 30 8 * * ?", "Asia/Kathmandu", "0 45 2 * * ?"),
        ("quartz", "0 0/15 * * * ?", "Asia/Kathmandu", "0 0/15 * * * ?"),
        ("quartz", "0 0 8 L * ?", "America/Sao_Paulo", "0 0 11 L * ?"),
        ("quartz", "0 0 22 L * ?", "America/Sao_Paulo", "0 0 1 1 8 ? 2026"),
        ("quartz", "0 0 8 ? * 6#3", "America/Sao_Paulo", "0 0 11 ? * 6#3"),
        ("unix", "30 8 * * 1-5", "UTC", "0 30 8 ? * MON-FRI"),
        ("unix", "0 0 13 * 5", "UTC", "0 0 0 3 7 ? 2026"),
        ("unix", "*/20 8-10 * * *", "UTC", "0 0/20 8-10 * * ?"),
        ("once", "2026-12-24T08:30", "America/Sao_Paulo", "0 30 11 24 12 ? 2026"),
        ("once", "2020-12-24T08:30", "America/Sao_Paulo", ""),
    ],
)
def test_a_timing_is_told_as_quartzs_in_utc(dialect: str, expression: str, zone: str, wanted: str) -> None:
    assert quartz_in_utc(read_timing(dialect, expression, zone), JULY) == wanted


@settings(max_examples=150, deadline=None)
@given(
    minutes=st.sets(st.integers(0, 59), min_size=1, max_size=4),
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=4),
    weekdays=st.one_of(st.none(), st.sets(st.integers(0, 6), min_size=1, max_size=6)),
    zone=st.sampled_from(["America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC", "Asia/Tokyo"]),
)
def test_what_is_told_in_utc_is_due_at_the_same_moments(minutes, hours, weekdays, zone) -> None:
    days = "?" if weekdays is None else ",".join(str((day + 1) % 7 + 1) for day in sorted(weekdays))
    written = f"0 {','.join(map(str, minutes))} {','.join(map(str, hours))} {'*' if weekdays is None else '?'} * {days}"
    timing = read_timing("quartz", written, zone)

    told = quartz_in_utc(timing, JULY)

    theirs, ours = read_timing("quartz", told, "UTC").after(JULY), timing.after(JULY)
    count = 1 if told.endswith("2026") else 10
    assert [next(theirs) for _ in range(count)] == [next(ours) for _ in range(count)]
    if weekdays is not None:
        assert timing.pattern == Pattern(
            minutes=tuple(sorted(minutes)),
            hours=tuple(sorted(hours)),
            week_days=WeekDays(fixed=frozenset(weekdays)),
        )
