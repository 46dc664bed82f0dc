"""What fires when clocks are put forward or back, against a walker that looks at every minute of real time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottool_web.cron.pattern import Pattern
from bottool_web.cron.timing import read_timing, zones
from bottool_web.cron.walk import clock_changes, next_fire

NEW_YORK, SAO_PAULO, LORD_HOWE = "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe"
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local_fires(dialect: str, expression: str, zone: str, start: str, hours: float) -> list[str]:
    """What fires within so many hours after ``start`` (UTC), as the zone's clocks show it."""
    timing, after = read_timing(dialect, expression, zone), utc(start)
    found = []
    for moment in timing.after(after):
        if moment > after + timedelta(hours=hours):
            break
        found.append(f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M %z}")
    return found


@pytest.mark.parametrize(
    ("what", "zone", "start", "expression", "wanted"),
    [
        # New York, 8 March 2026: 02:00 becomes 03:00.
        ("in the gap", NEW_YORK, "2026-03-08T05:00", "0 30 2 * * ?", ["08 03:00 -0400", "09 02:30 -0400"]),
        ("several in the gap", NEW_YORK, "2026-03-08T05:00", "0 5,30 2,3 8 3 ?",
         ["08 03:00 -0400", "08 03:05 -0400", "08 03:30 -0400"]),
        ("at the gap's end too", NEW_YORK, "2026-03-08T05:00", "0 0,30 2-3 8 3 ?", ["08 03:00 -0400", "08 03:30 -0400"]),
        # 1 November 2026: 02:00 becomes 01:00.
        ("in the fold", NEW_YORK, "2026-11-01T04:00", "0 30 1 * * ?", ["01 01:30 -0400", "02 01:30 -0500"]),
        ("after the first of the fold", NEW_YORK, "2026-11-01T05:40", "0 30 1 * * ?", ["02 01:30 -0500"]),
        ("from the second of the fold", NEW_YORK, "2026-11-01T06:10", "0 30 1 * * ?", ["02 01:30 -0500"]),
        ("round the fold", NEW_YORK, "2026-11-01T04:30", "0 30 0-2 1 11 ?",
         ["01 01:30 -0400", "01 02:30 -0500"]),
        # São Paulo, 4 November 2018: midnight becomes 01:00. 18 February 2018: midnight becomes 23:00 of the 17th.
        ("at midnight", SAO_PAULO, "2018-11-04T02:00", "0 0 0 * * ?", ["04 01:00 -0200", "05 00:00 -0200"]),
        ("before midnight", SAO_PAULO, "2018-02-17T20:00", "0 30 23 * * ?", ["17 23:30 -0200", "18 23:30 -0300"]),
        ("on the day", SAO_PAULO, "2018-11-03T20:00", "0 0 8 * * ?", ["04 08:00 -0200", "05 08:00 -0200"]),
        # Lord Howe, half an hour: 4 October 2026 02:00 becomes 02:30, 5 April 2026 02:00 becomes 01:30.
        ("in half an hour's gap", LORD_HOWE, "2026-10-03T14:00", "0 15 2 * * ?", ["04 02:30 +1100", "05 02:15 +1100"]),
        ("in half an hour's fold", LORD_HOWE, "2026-04-04T13:00", "0 45 1 * * ?", ["05 01:45 +1100", "06 01:45 +1030"]),
    ],
)  # fmt: skip
def test_a_fixed_time_fires_once(what: str, zone: str, start: str, expression: str, wanted: list[str]) -> None:
    assert local_fires("quartz", expression, zone, start, 44) == wanted, what


@pytest.mark.parametrize(
    ("zone", "start", "expression", "wanted"),
    [
        (NEW_YORK, "2026-03-08T06:20", "0 0/30 * * * ?", ["08 01:30 -0500", "08 03:00 -0400", "08 03:30 -0400"]),
        (NEW_YORK, "2026-11-01T05:20", "0 0/30 * * * ?",
         ["01 01:30 -0400", "01 01:00 -0500", "01 01:30 -0500", "01 02:00 -0500"]),
        (LORD_HOWE, "2026-10-03T15:00", "0 0/20 * * * ?", ["04 01:40 +1030", "04 02:40 +1100"]),
        (LORD_HOWE, "2026-04-04T14:35", "0 0/20 * * * ?", ["05 01:40 +1100", "05 01:40 +1030", "05 02:00 +1030"]),
        (SAO_PAULO, "2018-11-04T02:40", "0 0/20 * * * ?", ["04 01:00 -0200", "04 01:20 -0200", "04 01:40 -0200"]),
    ],
)  # fmt: skip
def test_an_interval_follows_real_time(zone: str, start: str, expression: str, wanted: list[str]) -> None:
    assert local_fires("quartz", expression, zone, start, 10)[: len(wanted)] == wanted


@pytest.mark.parametrize("expression", ["30 2 * * *", "*/15 * * * *", "30 1 * * *", "0 */2 * * *", "@daily"])
def test_unix_cron_follows_the_same_rule(expression: str) -> None:
    fields = {"@daily": "0 0 * * *"}.get(expression, expression).replace("*/", "0/").split()
    quartz = f"0 {fields[0]} {fields[1]} * * ?"

    for start in ("2026-03-08T04:00", "2026-11-01T03:00"):
        assert local_fires("unix", expression, NEW_YORK, start, 30) == local_fires(
            "quartz", quartz, NEW_YORK, start, 30
        )


def test_a_day_that_a_zone_left_out_is_made_up_for_when_the_next_begins() -> None:
    # Samoa went from the 29th of December 2011 straight to the 31st.
    found = local_fires("quartz", "0 30 8 * * ?", "Pacific/Apia", "2011-12-29T12:00", 72)

    assert found == ["29 08:30 -1000", "31 00:00 +1400", "31 08:30 +1400", "01 08:30 +1400"]


def test_the_changes_of_a_year_are_told() -> None:
    timing = read_timing("quartz", "0 30 2 * * ?", NEW_YORK)

    assert timing.clock_changes(utc("2026-01-01"), utc("2027-01-01")) == [
        "clocks in America/New_York go forward on 2026-03-08, to 03:00",
        "clocks in America/New_York go back on 2026-11-01, to 01:00",
    ]
    assert clock_changes(ZoneInfo("UTC"), utc("2026-01-01"), utc("2027-01-01")) == []


# Every minute of real time, with nothing but the rule.

SIXTY, DAY = tuple(range(60)), tuple(range(24))
CHANGES = {
    NEW_YORK: ("2026-03-08T07:00", "2026-11-01T06:00"),
    SAO_PAULO: ("2018-11-04T03:00", "2018-02-18T02:00"),
    LORD_HOWE: ("2026-10-03T15:30", "2026-04-04T15:00"),
    "Africa/Casablanca": ("2026-02-15T02:00", "2026-03-22T02:00"),
    "America/Havana": ("2026-03-08T05:00", "2026-11-01T05:00"),
    "Asia/Kathmandu": ("2026-01-01T00:00", "2026-07-01T00:00"),
}


def wanted_fires(pattern: Pattern, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Walk minute by minute. A local time that was jumped over fires now; one that was seen before does not."""

    def fits(local: datetime) -> bool:
        return local.hour in pattern.hours and local.minute in pattern.minutes

    seen, fired = set(), []
    before = (start - timedelta(hours=30)).astimezone(zone).replace(tzinfo=None)
    moment = start - timedelta(hours=30) + MINUTE
    while moment <= end:
        local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        fires = fits(local)
        if not pattern.running:
            fires = fires and local not in seen
            skipped = before + MINUTE
            while skipped < local:
                fires = fires or (fits(skipped) and skipped not in seen)
                seen.add(skipped)
                skipped += MINUTE
        seen.add(local)
        if fires and moment > start:
            fired.append(moment)
        before, moment = local, moment + MINUTE
    return fired


@settings(max_examples=120, deadline=None)
@given(
    zone=st.sampled_from(sorted(CHANGES)),
    which=st.integers(0, 1),
    early=st.integers(0, 300),
    minutes=st.sets(st.sampled_from(SIXTY), min_size=1, max_size=4),
    hours=st.one_of(st.sets(st.sampled_from(DAY), min_size=1, max_size=6), st.just(set(DAY))),
    running=st.booleans(),
)
def test_the_moments_are_those_of_a_walk_through_real_time(zone, which, early, minutes, hours, running) -> None:
    start = utc(CHANGES[zone][which]) - early * MINUTE
    end = start + timedelta(hours=20)
    pattern = Pattern(minutes=tuple(sorted(minutes)), hours=tuple(sorted(hours)), running=running)

    found, moment = [], next_fire(pattern, ZoneInfo(zone), start)
    while moment is not None and moment <= end:
        found.append(moment)
        moment = next_fire(pattern, ZoneInfo(zone), moment)

    assert found == wanted_fires(pattern, ZoneInfo(zone), start, end)


@pytest.mark.parametrize("expression", ["0 30 2 * * ?", "0 0/45 * * * ?", "0 0 0 29 2 ?", "0 30 8 L * ?"])
def test_every_zone_can_be_walked_and_no_local_time_fires_twice(expression: str) -> None:
    for zone in zones()[::12]:
        timing, after = read_timing("quartz", expression, zone), utc("2026-01-01")
        found = []
        for moment in timing.after(after):
            found.append(moment)
            if len(found) == 40 or moment.year > 2040:
                break
        assert found == sorted(set(found)), zone
        if not timing.pattern.running:
            shown = [moment.astimezone(timing.zone).replace(tzinfo=None) for moment in found]
            assert len(set(shown)) == len(shown), zone
