"""Unix cron: what the library reads is what is walked, aliases, and what is refused."""

from datetime import UTC, datetime

import pytest
from cronsim import CronSim, CronSimError
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bottool.errors import InvalidInput
from bottool_web.cron.timing import read_timing

NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high).map(str)
    span = st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda p: f"{min(p)}-{max(p)}")
    step = st.tuples(st.sampled_from(["*", *map(str, range(low, high + 1))]), st.integers(1, high)).map(
        lambda p: f"{p[0]}/{p[1]}"
    )
    one = st.one_of(number, span, step)
    return st.one_of(st.just("*"), one, st.lists(st.one_of(number, span), min_size=2, max_size=3).map(",".join))


@settings(max_examples=200, deadline=None)
@given(
    fields=st.tuples(
        field(0, 59),
        field(0, 23),
        st.one_of(field(1, 31), st.sampled_from(["L", "LW"])),
        field(1, 12),
        st.one_of(field(0, 7), st.sampled_from(["1#2", "5L", "0#5", "MON-FRI", "sun"])),
    ),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_it_walks_as_the_library_does_where_clocks_never_change(fields: tuple[str, ...], start: datetime) -> None:
    expression = " ".join(fields)
    start = start.replace(microsecond=0)
    try:
        timing = read_timing("unix", expression, "UTC")
    except InvalidInput:
        with pytest.raises((CronSimError, StopIteration)):
            next(CronSim(expression, start))
        return
    theirs, ours = CronSim(expression, start), timing.after(start)

    for _ in range(3):
        found = next(ours)
        assume(found.year < start.year + 30)
        assert found == next(theirs)


@pytest.mark.parametrize(
    ("alias", "wanted"),
    [
        ("@hourly", "2026-11-24 03:00"),
        ("@daily", "2026-11-25 00:00"),
        ("@midnight", "2026-11-25 00:00"),
        ("@Weekly", "2026-11-29 00:00"),
        ("@monthly", "2026-12-01 00:00"),
        ("@yearly", "2027-01-01 00:00"),
        ("@annually", "2027-01-01 00:00"),
    ],
)
def test_an_alias_means(alias: str, wanted: str) -> None:
    assert f"{read_timing('unix', alias, 'UTC').next_after(NOW):%Y-%m-%d %H:%M}" == wanted


@pytest.mark.parametrize(
    ("expression", "position", "words"),
    [
        ("0 30 8 ? * MON", 15, "has 6"),
        ("@reboot", 1, "'@reboot' is no time"),
        ("61 8 * * *", 1, "the minute '61'"),
        ("0 8 * * 9", 9, "the day-of-week '9'"),
        ("0 0 8-5 * *", 5, "the day-of-month '8-5'"),
        ("*/0 * * * *", 1, "the minute '*/0'"),
        ("0 0 30 2 *", 5, "never comes"),
        ("1-100000000 * * * *", 1, "the minute"),
        ("* " * 3000, 500, "6000 characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(expression: str, position: int, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_timing("unix", expression, "UTC")

    assert words in caught.value.message
    assert caught.value.details["position"] == position


def test_a_day_that_never_comes_is_refused_although_the_library_takes_it() -> None:
    with pytest.raises(InvalidInput, match="never fires"):
        read_timing("unix", "0 0 */31 2 1#3", "UTC")
