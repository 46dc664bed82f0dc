"""Quartz's expressions: what they mean, against a walker that knows nothing but the rules, and what is refused."""

import calendar
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottool.errors import InvalidInput
from bottool_web.cron.quartz import read_quartz
from bottool_web.cron.timing import read_timing

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)  # a Tuesday


def fires(expression: str, count: int = 3, *, after: datetime = NOW, zone: str = "UTC") -> list[str]:
    timing = read_timing("quartz", expression, zone)
    found = []
    for moment in timing.after(after):
        found.append(f"{moment:%Y-%m-%d %H:%M:%S}")
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("0 30 8 ? * MON-FRI", ["2026-11-24 08:30:00", "2026-11-25 08:30:00", "2026-11-26 08:30:00"]),
        ("0 0 12 * * ?", ["2026-11-24 12:00:00", "2026-11-25 12:00:00", "2026-11-26 12:00:00"]),
        ("0 0 12 * * *", ["2026-11-24 12:00:00", "2026-11-25 12:00:00", "2026-11-26 12:00:00"]),
        ("0/20 * * * * ?", ["2026-11-24 02:30:20", "2026-11-24 02:30:40", "2026-11-24 02:31:00"]),
        ("0 0/15 * * * ?", ["2026-11-24 02:45:00", "2026-11-24 03:00:00", "2026-11-24 03:15:00"]),
        ("0 0 22-2 * * ?", ["2026-11-24 22:00:00", "2026-11-24 23:00:00", "2026-11-25 00:00:00"]),
        ("0 0 0 L * ?", ["2026-11-30 00:00:00", "2026-12-31 00:00:00", "2027-01-31 00:00:00"]),
        ("0 0 0 L-3 * ?", ["2026-11-27 00:00:00", "2026-12-28 00:00:00", "2027-01-28 00:00:00"]),
        ("0 0 0 LW * ?", ["2026-11-30 00:00:00", "2026-12-31 00:00:00", "2027-01-29 00:00:00"]),
        ("0 0 0 L-1W * ?", ["2026-11-30 00:00:00", "2026-12-30 00:00:00", "2027-01-29 00:00:00"]),
        ("0 0 0 15W * ?", ["2026-12-15 00:00:00", "2027-01-15 00:00:00", "2027-02-15 00:00:00"]),
        ("0 0 0 1W * ?", ["2026-12-01 00:00:00", "2027-01-01 00:00:00", "2027-02-01 00:00:00"]),
        ("0 0 0 ? * 6#3", ["2026-12-18 00:00:00", "2027-01-15 00:00:00", "2027-02-19 00:00:00"]),
        ("0 0 0 ? * FRI#5", ["2027-01-29 00:00:00", "2027-04-30 00:00:00", "2027-07-30 00:00:00"]),
        ("0 0 0 ? * 6L", ["2026-11-27 00:00:00", "2026-12-25 00:00:00", "2027-01-29 00:00:00"]),
        ("0 0 0 ? * L", ["2026-11-28 00:00:00", "2026-12-05 00:00:00", "2026-12-12 00:00:00"]),
        ("0 0 0 ? * 1", ["2026-11-29 00:00:00", "2026-12-06 00:00:00", "2026-12-13 00:00:00"]),
        ("0 0 0 ? * FRI-MON", ["2026-11-27 00:00:00", "2026-11-28 00:00:00", "2026-11-29 00:00:00"]),
        ("0 0 0 1 NOV-FEB ?", ["2026-12-01 00:00:00", "2027-01-01 00:00:00", "2027-02-01 00:00:00"]),
        ("0 0 0 1,15,L 2 ?", ["2027-02-01 00:00:00", "2027-02-15 00:00:00", "2027-02-28 00:00:00"]),
        ("0 0 0 1 1 ? 2028-2030/2", ["2028-01-01 00:00:00", "2030-01-01 00:00:00"]),
        ("0 0 0 ? 2 MON#5", ["2044-02-29 00:00:00", "2072-02-29 00:00:00"]),
        ("  0  0 12  ?  *  mon ", ["2026-11-30 12:00:00", "2026-12-07 12:00:00", "2026-12-14 12:00:00"]),
        ("0 59/1 * * * ?", ["2026-11-24 02:59:00", "2026-11-24 03:59:00", "2026-11-24 04:59:00"]),
        ("0 /30 * * * ?", ["2026-11-24 03:00:00", "2026-11-24 03:30:00", "2026-11-24 04:00:00"]),
    ],
)
def test_an_expression_means(expression: str, wanted: list[str]) -> None:
    assert fires(expression, len(wanted)) == wanted


def test_a_saturday_that_is_the_first_goes_to_monday_and_a_sunday_that_is_the_last_to_friday() -> None:
    august = datetime(2026, 7, 31, 12, tzinfo=UTC)  # 1 August 2026 is a Saturday, 31 January 2027 a Sunday

    assert fires("0 0 0 1W 8 ?", 1, after=august) == ["2026-08-03 00:00:00"]
    assert fires("0 0 0 31W 1 ?", 1, after=NOW) == ["2027-01-29 00:00:00"]


def test_a_leap_day_that_is_a_monday_comes_quickly_from_far_away() -> None:
    began = time.monotonic()

    found = fires("0 0 0 29 2 ? 2072-2099", 7)
    rare = read_quartz("0 0 0 ? 2 2#5 2073-2099")

    assert found[0] == "2072-02-29 00:00:00"
    assert rare.first_from(datetime(1970, 1, 1)) is None
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("expression", "position", "words"),
    [
        ("30 8 * * 1", 11, "has 5"),
        ("0 0 8 * *", 10, "6 or 7 fields"),
        ("0 0 8 ? * MON 2030 extra", 20, "has 8"),
        ("60 0 8 ? * MON", 1, "the seconds '60' at character 1 is out of range"),
        ("0 0 24 ? * MON", 5, "the hours '24' at character 5"),
        ("0 0 8 0 * ?", 7, "day of month '0'"),
        ("0 0 8 32 * ?", 7, "day of month '32'"),
        ("0 0 8 1 13 ?", 9, "month '13'"),
        ("0 0 8 ? * 0", 11, "day of week '0'"),
        ("0 0 8 ? * 8", 11, "day of week '8'"),
        ("0 0 8 ? * MOO", 11, "holds 'MOO'"),
        ("0 0 8 ? * MONDAY", 11, "day of week 'MONDAY'"),
        ("0 0 8 ? * ?", 11, "is '?'"),
        ("0 0 8 15 * MON", 12, "stands beside"),
        ("0 ? 8 ? * MON", 3, "may not hold '?'"),
        ("0 0 8 ?,1 * *", 7, "may not hold '?'"),
        ("0 0/0 8 ? * MON", 3, "step of 0"),
        ("0 0/99 8 ? * MON", 3, "step of 99"),
        ("0 5/ 8 ? * MON", 3, "cannot be read"),
        ("0 0 8, ? * MON", 7, "is empty"),
        ("0 0 8,,9 ? * MON", 7, "is empty"),
        ("0 0 -5 ? * MON", 5, "cannot be read"),
        ("0 0 8 ? * MON#6", 11, "number 6"),
        ("0 0 8 ? * MON#0", 11, "number 0"),
        ("0 0 8 1-5W * ?", 7, "uses W wrongly"),
        ("0 0 8 W * ?", 7, "uses W wrongly"),
        ("0 0 8 L-31 * ?", 7, "goes back 31"),
        ("0 0 L ? * MON", 5, "the hours 'L'"),
        ("0 0 8 ? * MON 2030-2029", 15, "ends before it begins"),
        ("0 0 8 ? * MON 1969", 15, "is out of range"),
        ("0 0 8 ? * *-3", 11, "is no range"),
        ("0 0 8 ? * MON-FRI-SUN", 11, "cannot be read"),
        ("a b c d e f", 1, "the seconds 'A'"),
        ("\u0660 0 8 ? * MON", 1, "the seconds"),
        ("0 0 8 ? * MON" + "," * 10_000, 500, "10013 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(expression: str, position: int, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_timing("quartz", expression, "UTC")

    assert words in caught.value.message
    assert caught.value.details["position"] == position
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200


def test_five_fields_point_at_the_other_dialect() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_timing("quartz", "30 8 * * 1-5", "UTC")

    assert "unix" in caught.value.hint


@pytest.mark.parametrize("expression", ["0 0 0 31 2 ?", "0 0 0 30 FEB ?", "0 0 0 31 4,6,9,11 ?", "0 0 0 29 2 ? 2027"])
def test_what_never_fires_is_refused(expression: str) -> None:
    with pytest.raises(InvalidInput, match="never fires"):
        read_timing("quartz", expression, "UTC")


# A walker that looks at every second, and knows only what the fields say.


def small(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A field of numbers as text, and the numbers that it means."""
    numbers = st.integers(low, high)
    one = numbers.map(lambda n: (str(n), frozenset({n})))
    whole = st.just(("*", frozenset(range(low, high + 1))))
    stepped = st.tuples(numbers, st.integers(1, high)).map(
        lambda pair: (f"{pair[0]}/{pair[1]}", frozenset(range(pair[0], high + 1, pair[1])))
    )
    size = high - low + 1

    def span(pair: tuple[int, int]) -> tuple[str, frozenset[int]]:
        first, last = pair
        length = (last - first) % size
        return f"{first}-{last}", frozenset(low + (first - low + n) % size for n in range(length + 1))

    ranged = st.tuples(numbers, numbers).map(span)
    single = st.one_of(one, whole, stepped, ranged)
    listed = st.lists(st.one_of(one, ranged), min_size=2, max_size=3).map(
        lambda items: (",".join(text for text, _ in items), frozenset().union(*(each for _, each in items)))
    )
    return st.one_of(single, listed)


def quartz_weekday(day: datetime) -> int:
    return day.isoweekday() % 7 + 1


def nearest(day: datetime, wanted: int) -> bool:
    """Whether ``day`` is the weekday nearest to the day ``wanted`` of its month: by trying all of them."""
    length = calendar.monthrange(day.year, day.month)[1]
    weekdays = [n for n in range(1, length + 1) if day.replace(day=n).isoweekday() <= 5]
    return wanted <= length and day.day == min(weekdays, key=lambda n: abs(n - wanted))


def last_of(day: datetime) -> int:
    return calendar.monthrange(day.year, day.month)[1]


DAYS = st.one_of(
    st.just(("*", "?", lambda day: True)),
    small(1, 31).filter(lambda f: f[0] != "*").map(lambda f: (f[0], "?", lambda day: day.day in f[1])),
    st.integers(0, 5).map(lambda n: (f"L-{n}" if n else "L", "?", lambda day: day.day == last_of(day) - n)),
    st.integers(1, 31).map(lambda n: (f"{n}W", "?", lambda day: nearest(day, n))),
    st.integers(0, 4).map(
        lambda n: (f"L-{n}W" if n else "LW", "?", lambda day: nearest(day, last_of(day) - n)),
    ),
    small(1, 7).filter(lambda f: f[0] != "*").map(lambda f: ("?", f[0], lambda day: quartz_weekday(day) in f[1])),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(
        lambda pair: (
            "?",
            f"{pair[0]}#{pair[1]}",
            lambda day: quartz_weekday(day) == pair[0] and (day.day + 6) // 7 == pair[1],
        )
    ),
    st.integers(1, 7).map(
        lambda n: ("?", f"{n}L", lambda day: quartz_weekday(day) == n and day.day + 7 > last_of(day)),
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    second=small(0, 59),
    minute=small(0, 59),
    hour=small(0, 23),
    days=DAYS,
    month=small(1, 12),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2029, 12, 31)),
)
def test_the_next_time_is_what_a_walker_finds(second, minute, hour, days, month, start) -> None:
    by_day, by_weekday, day_fits = days
    pattern = read_quartz(f"{second[0]} {minute[0]} {hour[0]} {by_day} {month[0]} {by_weekday}")
    start = start.replace(microsecond=0)

    found = pattern.first_from(start)

    # Days first, or it would walk for a week.
    day, wanted = start.replace(hour=0, minute=0, second=0), None
    while wanted is None and day.year < start.year + 9:
        if day.month in month[1] and day_fits(day):
            times = (
                day + timedelta(hours=h, minutes=m, seconds=s)
                for h in sorted(hour[1])
                for m in sorted(minute[1])
                for s in sorted(second[1])
            )
            wanted = next((at for at in times if at >= start), None)
        day += timedelta(days=1)
    assert found == wanted or (wanted is None and (found is None or found.year >= start.year + 8))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789*?,-/LW# MONFRIJAN", max_size=40))
def test_whatever_is_written_is_read_or_refused_with_a_place(text: str) -> None:
    began = time.monotonic()

    try:
        timing = read_timing("quartz", text, "America/New_York")
        timing.next_after(NOW)
    except InvalidInput as error:
        refused = error
    else:
        refused = None
    assert refused is None or refused.details["path"] == "expression"

    assert time.monotonic() - began < 1
