"""Schedules fire: once for each due time, with what was said of the task, and by the rule for missed times."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, InvalidInput
from bottool_web.actions import automations, firing, identity, schedules, tasks
from bottool_web.actions.site import Site
from bottool_web.clock import Clock
from bottool_web.store import schedule_runs
from bottool_web.store.database import Store
from bottool_web.store.leading import LOST_SECONDS, leading
from bottool_web.store.schedule_tables import schedule as schedule_table
from bottool_web.store.schedule_tables import schedule_run
from bottool_web.store.scope import Principal

Schedule = Callable[..., wire.Schedule]
Runs = Callable[[wire.Schedule], list[tuple[str, str, int]]]
Beat = Callable[[], int]


def test_a_due_time_makes_one_task_with_all_that_was_said(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, all_tasks: Any
) -> None:
    made = schedule(parameters={"month": 7}, priority=9, test=True, label="tens")
    assert made.next_at == datetime(2030, 1, 15, 12, 10, tzinfo=UTC)
    assert (beat(), all_tasks()) == (0, [])

    clock.advance(10 * 60)

    assert [beat(), beat()] == [1, 0]
    (task,) = all_tasks()
    assert (task.automation, task.parameters, task.priority, task.test) == ("daily", {"month": 7}, 9, True)
    assert (task.state, task.created_by) == ("queued", "schedule 'tens'")
    seen = schedules.get_schedule(site, admin, "tens")
    assert seen.next_at == datetime(2030, 1, 15, 12, 20, tzinfo=UTC)
    assert seen.last_run is not None
    assert (seen.last_run.task_id, seen.last_run.task_state) == (task.id, "queued")


def test_what_the_automation_says_holds_where_the_schedule_is_silent(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, all_tasks: Any
) -> None:
    schedule()
    automations.change(site, admin, "daily", wire.AutomationChange(priority=4))
    clock.advance(10 * 60)

    beat()

    assert [(task.priority, task.parameters) for task in all_tasks()] == [(4, {"month": 1})]


def test_the_sites_clock_fires_schedules(site: Site, clock: Any, schedule: Schedule, all_tasks: Any) -> None:
    schedule()
    ticking = Clock(site)
    clock.advance(10 * 60)

    ticking.tick()

    assert len(all_tasks()) == 1


def test_the_zone_decides(clock: Any, schedule: Schedule) -> None:
    made = schedule("0 30 8 ? * MON-FRI", zone="America/Sao_Paulo")

    assert made.next_at == datetime(2030, 1, 16, 11, 30, tzinfo=UTC)
    assert made.words == "every weekday at 08:30"


@pytest.mark.parametrize(
    ("missed", "wanted"),
    [
        ("skip", [("12:50:00", "skipped", 5), ("13:00:00", "fired", 1)]),
        ("once", [("12:40:00", "skipped", 4), ("12:50:00", "fired", 1), ("13:00:00", "fired", 1)]),
        ("all", [("12:30:00", "skipped", 3), ("12:40:00", "fired", 1), ("12:50:00", "fired", 1),
                 ("13:00:00", "fired", 1)]),
    ],
)  # fmt: skip
def test_times_that_passed_while_no_server_ran_follow_the_rule(
    missed: str, wanted: list[Any], clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs
) -> None:
    made = schedule(missed=missed, missed_most=2)

    clock.advance(3600)
    beat()

    assert runs_of(made) == wanted
    assert sum(times for _, _, times in wanted) == 6


@pytest.mark.parametrize("missed", ["skip", "once", "all"])
def test_a_time_that_is_a_little_late_fires_as_usual(
    missed: str, clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs
) -> None:
    made = schedule(missed=missed)

    clock.advance(10 * 60 + 59)
    beat()

    assert runs_of(made) == [("12:10:00", "fired", 1)]


def test_all_that_were_missed_fire_in_order_when_they_are_few(
    clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs, all_tasks: Any
) -> None:
    made = schedule(missed="all", missed_most=10)
    clock.advance(35 * 60)

    beat()

    assert runs_of(made) == [(f"12:{minute}:00", "fired", 1) for minute in (10, 20, 30)]
    assert len(all_tasks()) == 3


def test_a_month_without_a_server_is_looked_through_quickly(
    clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs, all_tasks: Any
) -> None:
    made = schedule("* * * * * ?", missed="once")
    clock.advance(30 * 24 * 3600)
    began = datetime.now(UTC)

    beat()

    assert datetime.now(UTC) - began < timedelta(seconds=5)
    found = runs_of(made)
    assert found[0] == ("11:58:58", "skipped", 9_999), "counted up to ten thousand"
    assert found[1:] == [(f"{datetime(2030, 1, 1, 11, 58, 59) + timedelta(seconds=n):%H:%M:%S}", "fired", 1)
                         for n in range(62)]  # fmt: skip


def test_more_than_fits_into_a_beat_is_due_at_the_next(
    site: Site, clock: Any, schedule: Schedule, beat: Beat, all_tasks: Any
) -> None:
    schedule("0/1 * * * * ?", missed="all", missed_most=100)
    clock.advance(60)

    assert [beat(), beat()] == [60, 0]
    clock.advance(300)
    assert beat() == 100 + 61
    assert len({task.id for task in all_tasks()}) == 60 + 161


def test_a_clock_that_goes_back_fires_nothing_twice(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, all_tasks: Any, runs_of: Runs
) -> None:
    made = schedule()
    clock.advance(10 * 60)
    beat()

    clock.advance(-5 * 60)
    beat()
    # Even when somebody has the next time counted anew.
    schedules.change(site, admin, made.label, wire.ScheduleChange(expression="0 0/10 * * * *"))
    clock.advance(5 * 60)
    beat()

    assert runs_of(made) == [("12:10:00", "fired", 1)]
    assert len(all_tasks()) == 1
    clock.advance(10 * 60)
    assert beat() == 1


def test_an_end_ends_it(site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat) -> None:
    made = schedule(ends_at=datetime(2030, 1, 15, 12, 20, tzinfo=UTC))
    fired = []
    for _ in range(4):
        clock.advance(10 * 60)
        fired.append(beat())

    assert fired == [1, 1, 0, 0]
    assert schedules.get_schedule(site, admin, made.label).state == "over"


def test_once_is_once(site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat) -> None:
    made = schedule("2030-01-15T12:30", dialect="once")
    clock.advance(30 * 60)
    assert [beat(), beat()] == [1, 0]

    seen = schedules.get_schedule(site, admin, made.label)

    assert (seen.state, seen.next_at) == ("over", None)
    assert seen.words == "once, on 15 January 2030 at 12:30"


def test_without_overlap_it_waits_for_the_task_before(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs, all_tasks: Any
) -> None:
    made = schedule(overlap=False)
    clock.advance(10 * 60)
    beat()
    clock.advance(10 * 60)
    assert beat() == 0

    tasks.cancel(site, admin, all_tasks()[0].id)
    clock.advance(10 * 60)

    assert beat() == 1
    assert [outcome for _, outcome, _ in runs_of(made)] == ["fired", "skipped", "fired"]
    reasons = [run.reason for run in schedules.list_runs(site, admin, made.label)]
    assert f"task {all_tasks()[0].id} was not over yet" in reasons


def test_a_paused_one_does_not_fire_and_makes_up_for_nothing(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs
) -> None:
    made = schedule(missed="all")
    assert schedules.pause(site, admin, made.label).state == "paused"
    clock.advance(25 * 60)
    assert beat() == 0

    resumed = schedules.resume(site, admin, made.label)
    clock.advance(5 * 60)
    beat()

    assert resumed.next_at == datetime(2030, 1, 15, 12, 30, tzinfo=UTC)
    assert runs_of(made) == [("12:30:00", "fired", 1)]


def test_a_deleted_one_does_not_fire_and_gives_its_label_back(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat
) -> None:
    schedules.delete(site, admin, schedule(label="tens").label)
    clock.advance(10 * 60)

    assert beat() == 0
    assert schedules.list_schedules(site, admin) == []
    schedule(label="tens")


def test_a_changed_expression_counts_from_now(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat
) -> None:
    made = schedule()
    changed = schedules.change(site, admin, made.label, wire.ScheduleChange(expression="0 0 13 * * ?"))
    clock.advance(10 * 60)

    assert beat() == 0
    assert changed.next_at == datetime(2030, 1, 15, 13, 0, tzinfo=UTC)
    only_words = schedules.change(site, admin, made.label, wire.ScheduleChange(description="why", priority=3))
    assert (only_words.next_at, only_words.description, only_words.priority) == (changed.next_at, "why", 3)


def test_one_whose_automation_was_deleted_is_paused_and_says_why(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs, all_tasks: Any, caplog: Any
) -> None:
    made = schedule()
    automations.delete(site, admin, "daily")
    clock.advance(10 * 60)

    assert beat() == 0

    seen = schedules.get_schedule(site, admin, made.label)
    assert (seen.state, seen.note) == ("paused", "its automation was deleted")
    assert runs_of(made) == [("12:10:00", "skipped", 1)]
    with pytest.raises(Conflict, match="was deleted"):
        schedules.resume(site, admin, made.label)
    with pytest.raises(Conflict, match="was deleted"):
        schedules.run_now(site, admin, made.label)


def test_a_zone_that_is_no_longer_known_pauses_it_and_leaves_the_others_alone(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, caplog: Any
) -> None:
    made, other = schedule(label="one"), schedule(label="two")
    site.store.write(
        lambda tx: tx.execute(
            sa.update(schedule_table).where(schedule_table.c.id == made.id).values(zone="Mars/Olympus")
        )
    )
    clock.advance(10 * 60)

    assert beat() == 1

    seen = schedules.get_schedule(site, admin, made.label)
    assert (seen.state, seen.words) == ("paused", "")
    assert "Mars/Olympus" in seen.note
    assert schedules.get_schedule(site, admin, other.label).state == "active"


def test_run_now_makes_a_task_beside_the_due_times_once_for_a_key(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, runs_of: Runs
) -> None:
    made = schedule(parameters={"month": 3})
    schedules.pause(site, admin, made.label)

    first = schedules.run_now(site, admin, made.label, idempotency_key="k")
    again = schedules.run_now(site, admin, str(made.id), idempotency_key="k2")

    assert schedules.run_now(site, admin, made.label, idempotency_key="k").id == first.id
    assert (first.parameters, first.created_by) == ({"month": 3}, admin.name)
    assert again.id != first.id


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"expression": "0 0 0 31 2 ?"}, "never fires"),
    ({"expression": "0 0 8 * * ? 2029"}, "nothing of"),
    ({"expression": "2030-01-15T11:59", "dialect": "once"}, "nothing of"),
    ({"zone": "Europe/Lisabon"}, "no time zone 'Europe/Lisabon'"),
    ({"zone": "../../etc/passwd"}, "no time zone"),
    ({"label": "17"}, "label is '17'"),
    ({"priority": 11}, "priority is 11"),
    ({"missed_most": 0}, "missed_most is 0"),
    ({"parameters": {"moth": 1}}, "no parameter 'moth'"),
    ({"parameters": {"month": "x"}}, "whole number"),
    ({"ends_at": datetime(2030, 1, 15, 12, 5, tzinfo=UTC)}, "nothing of"),
    ({"description": "a\0b"}, "NUL"),
    ({"calendar": wire.Calendar(repeat="daily", time="8:30")}, "both"),
    ({"expression": "", "calendar": wire.Calendar(repeat="daily", time="25:30")}, "no time of day"),
    ({"expression": "", "calendar": wire.Calendar(repeat="weekly", time="8:30", on=["mun"])}, "no weekday"),
]


def test_what_may_not_be_is_refused(schedule: Schedule) -> None:
    for more, words in WRONG:
        with pytest.raises(InvalidInput, match=words):
            schedule(**{"expression": "0 0/10 * * * ?", **more})


def test_labels_are_made_from_the_automations(site: Site, admin: Principal, schedule: Schedule) -> None:
    assert [schedule().label for _ in range(3)] == ["daily", "daily-2", "daily-3"]
    with pytest.raises(Conflict, match="daily-2"):
        schedule(label="daily-2")


def test_calendar_forms_become_expressions(schedule: Schedule) -> None:
    said = [
        wire.Calendar(repeat="daily", time="8:30"),
        wire.Calendar(repeat="weekly", time="08:30", on=["weekdays"]),
        wire.Calendar(repeat="daily", time="08:30:15", on=["tue", "Mon"]),
        wire.Calendar(repeat="monthly", time="23:59", on=["15", "1", "last"]),
        wire.Calendar(repeat="once", time="12:30", date="2030-12-24"),
    ]

    made = [schedule("", calendar=each) for each in said]

    assert [each.expression for each in made] == [
        "0 30 8 * * ?",
        "0 30 8 ? * MON,TUE,WED,THU,FRI",
        "15 30 8 ? * MON,TUE",
        "0 59 23 1,15,L * ?",
        "2030-12-24T12:30:00",
    ]
    assert [each.words for each in made] == [
        "every day at 08:30",
        "every weekday at 08:30",
        "every Monday and Tuesday at 08:30:15",
        "on days 1 and 15 and the last day of the month at 23:59",
        "once, on 24 December 2030 at 12:30",
    ]
    read = [schedules.calendar_of(each.dialect, each.expression) for each in made]
    assert [(each.repeat, each.time) for each in read if each] == [
        ("daily", "08:30"),
        ("weekly", "08:30"),
        ("weekly", "08:30:15"),
        ("monthly", "23:59"),
        ("once", "12:30:00"),
    ]


# Two servers.


@pytest.fixture
def second(site: Site, database_address: str) -> Any:
    """A second server on the same database."""
    store = Store(database_address)
    yield replace(site, store=store)
    store.close()


def test_two_clocks_at_once_make_no_second_task(
    site: Site, second: Site, admin: Principal, clock: Any, schedule: Schedule, all_tasks: Any, runs_of: Runs
) -> None:
    made = [schedule("0/1 * * * * ?", label=f"s{number}") for number in range(5)]
    who, start = identity.acting_site(admin.workspace_id), threading.Barrier(2)

    def beats(of: Site) -> None:
        start.wait()
        for _ in range(10):
            firing.fire_due(of, who)

    for _ in range(3):
        clock.advance(5)
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(beats, of) for of in (site, second)]:
                done.result()

    assert len(all_tasks()) == 5 * 15
    assert all(runs_of(each) == [(f"12:00:{n:02}", "fired", 1) for n in range(1, 16)] for each in made)


def test_even_two_that_believe_to_lead_make_no_second_task(
    site: Site, second: Site, admin: Principal, clock: Any, schedule: Schedule, all_tasks: Any
) -> None:
    schedule("0/1 * * * * ?")
    who, start = identity.acting_site(admin.workspace_id), threading.Barrier(2)

    def fire_without_asking(of: Site) -> None:
        due = of.store.read(lambda tx: schedule_runs.due(tx, who.scope, of.now(), limit=10))
        start.wait()
        for row in due:
            firing._fire(of, who, row)

    for _ in range(10):
        clock.advance(3)
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(fire_without_asking, of) for of in (site, second)]:
                done.result()

    assert len(all_tasks()) == 30


def test_while_another_server_leads_nothing_fires_and_then_it_is_taken_over_at_once(
    site: Site, second: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat
) -> None:
    if site.store.is_sqlite:
        pytest.skip("SQLite has one server")
    schedule()
    clock.advance(10 * 60)

    with leading(second.store) as leads:
        assert leads
        assert beat() == 0

    assert beat() == 1


def test_a_leader_that_stands_still_loses_the_lead(
    site: Site, second: Site, clock: Any, schedule: Schedule, beat: Beat
) -> None:
    if site.store.is_sqlite:
        pytest.skip("SQLite has one server")
    schedule()
    clock.advance(10 * 60)

    with leading(second.store, lost_seconds=1) as leads:
        assert leads
        assert beat() == 0, "it leads yet"
        # It does nothing any more, as a process does that was stopped.
        deadline = time.monotonic() + 15
        while not (made := beat()):
            assert time.monotonic() < deadline, "nobody took over"
            time.sleep(0.05)

    assert made == 1
    assert LOST_SECONDS < 15, "and so soon without the shorter time"


def test_the_database_itself_keeps_a_second_run_out(site: Site, clock: Any, schedule: Schedule, beat: Beat) -> None:
    schedule()
    clock.advance(10 * 60)
    beat()

    def again(tx: sa.Connection) -> None:
        row = tx.execute(sa.select(schedule_run)).one()
        tx.execute(
            sa.insert(schedule_run).values(
                workspace_id=row.workspace_id, schedule_id=row.schedule_id, at=row.at, outcome="fired"
            )
        )

    with pytest.raises(sa.exc.IntegrityError):
        site.store.write(again)


def test_what_came_of_old_times_goes_but_for_the_newest_and_their_tasks_stay(
    site: Site, admin: Principal, clock: Any, schedule: Schedule, beat: Beat, all_tasks: Any, runs_of: Runs
) -> None:
    busy = schedule("0 0/10 * * * ?", label="busy")
    rare = schedule("0 0 0 1 * ?", label="rare")
    keeper = identity.acting_site(admin.workspace_id)
    for _ in range(firing.RUNS_KEPT + 5):
        clock.advance(600)
        beat()
    before = len(all_tasks())
    schedules.pause(site, admin, "busy")
    assert firing.purge(site, keeper) == 0, "nothing is old yet"

    clock.advance(firing.RUN_DAYS * 86_400)
    beat()
    gone = [firing.purge(site, keeper), firing.purge(site, keeper)]

    assert gone == [5, 0]
    kept = runs_of(busy)
    assert (len(kept), len(runs_of(rare))) == (firing.RUNS_KEPT, 2)
    assert len(all_tasks()) == before + 1
    assert beat() == 0, "no due time fires again"
