"""What an automation lets its bots use: kept, pinned, sent to the runner, and what is done when a bot reaches it."""

from typing import Any

import pytest

from bottool import wire
from bottool.errors import InvalidInput, NotFound, StaleAttempt
from bottool_web.actions import automations, finishing, limits, stopping, tasks

LIMITS = {
    "silence_seconds": 600,
    "memory_limit_bytes": 500_000_000,
    "process_limit": 20,
    "output_limit_bytes": 3_000_000_000,
    "disk_limit_bytes": 2**33,
    "interrupt_seconds": 30,
    "grace_seconds": 3,
}
REACHED = wire.LimitReached(reason="silent", message="printed nothing for 10 min", at=1_900_000_000.25)


def reach(site: Any, runner: Any, work: wire.Work, said: wire.LimitReached = REACHED) -> None:
    limits.limit_reached(site, runner, work.task_id, work.attempt, said)


def test_a_runner_gets_the_limits_as_they_were_when_it_took_the_task(site, life, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(**LIMITS))
    ask()
    work = life.take(box)
    automations.change(site, admin, "daily", wire.AutomationChange(memory_limit_bytes=None, grace_seconds=7))
    again = life.take(box)

    assert (work.limits, work.grace_seconds) == (again.limits, again.grace_seconds)
    assert work.grace_seconds == 3
    assert work.limits == wire.WorkLimits(
        silence_seconds=600,
        memory_bytes=500_000_000,
        processes=20,
        output_bytes=3_000_000_000,
        disk_bytes=2**33,
        interrupt_seconds=30,
    )
    assert automations.get_automation(site, admin, "daily").memory_limit_bytes is None


def test_without_limits_there_are_the_times_of_an_end_only(site, life, ask, box):
    ask()

    work = life.take(box)

    assert (work.limits, work.grace_seconds) == (wire.WorkLimits(interrupt_seconds=5), 10)


def test_a_bot_that_reached_a_limit_reads_that_it_should_end(site, life, admin, ask, box):
    ask()
    work, _ = life.start(box)

    reach(site, box, work)
    reach(site, box, work)

    task = tasks.get_task(site, admin, work.task_id)
    event = tasks.list_events(site, admin, work.task_id)[-1]
    assert (task.state, task.interrupted, task.killed) == ("stopping", True, False)
    assert life.kinds(admin, work.task_id).count("limit_reached") == 1
    assert event.detail["reason"] == "silent"
    assert event.detail["asked_at"] == "2030-03-17T17:46:40.250+00:00"
    assert life.alive(box, work) == "ok", "the keeper stops it, nobody else"


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("silent", "timed_out"),
        ("timed_out", "timed_out"),
        ("out_of_memory", "failed"),
        ("too_many_processes", "failed"),
        ("too_much_output", "failed"),
        ("too_much_disk", "failed"),
    ],
)
def test_every_reason_has_its_result_and_its_words(site, life, admin, ask, box, reason, state):
    ask()
    work, _ = life.start(box)

    life.end(box, work, reason=reason, exit_code=-9, steps={"asked": 1_900_000_000, "killed": 1_900_000_011.5})

    task = tasks.get_task(site, admin, work.task_id)
    assert (task.state, task.reason) == (state, reason)
    assert task.message.startswith("the bot ")
    detail = tasks.list_events(site, admin, work.task_id)[-1].detail
    assert (detail["asked_at"][11:23], detail["killed_at"][11:23]) == ("17:46:40.000", "17:46:51.500")
    assert "signalled_at" not in detail


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1e300, 1e300, 0])
def test_a_step_at_an_impossible_time_is_left_out(wrong):
    assert limits.times_of({"asked": wrong, "other": 5}) == {}


def test_another_try_begins_without_the_wish(site, life, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=2))
    ask()
    work, _ = life.start(box)
    reach(site, box, work)
    life.end(box, work, reason="silent", exit_code=-15)
    assert tasks.get_task(site, admin, work.task_id).state == "queued"

    life.start(box, "k2")

    again = tasks.get_task(site, admin, work.task_id)
    assert (again.state, again.attempt, again.interrupted) == ("running", 2, False)


def test_a_word_of_the_bot_itself_wins_over_the_limit(site, life, admin, ask, box):
    ask()
    work, _ = life.start(box)
    reach(site, box, work)
    finishing.finish(site, admin, work.task_id, wire.Finish(status="succeeded", message="saved what I had"))

    life.end(box, work, reason="timed_out", exit_code=0)

    task = tasks.get_task(site, admin, work.task_id)
    assert (task.state, task.message) == ("succeeded", "saved what I had")


def test_a_person_may_still_stop_it(site, life, admin, ask, box):
    ask()
    work, _ = life.start(box)
    reach(site, box, work)

    stopping.stop(site, admin, work.task_id)

    assert life.alive(box, work) == "stop"


def test_a_limit_before_the_start_after_the_end_or_of_another_runner_changes_nothing(
    site, life, admin, ask, box, a_runner
):
    other_box = a_runner("box-2")
    ask()
    work = life.take(box)
    with pytest.raises(StaleAttempt):
        reach(site, box, work)
    with pytest.raises(NotFound):
        reach(site, other_box, work)
    with pytest.raises(InvalidInput):
        reach(site, box, work, wire.LimitReached(reason="tired", message="", at=0))

    assert tasks.get_task(site, admin, work.task_id).interrupted is False


WRONG = [
    ("silence_seconds", 0),
    ("memory_limit_bytes", 500),
    ("memory_limit_bytes", -1),
    ("process_limit", 0),
    ("output_limit_bytes", 2**60),
    ("disk_limit_bytes", 1),
    ("interrupt_seconds", -1),
    ("grace_seconds", 3601),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_limit_that_makes_no_sense_is_refused_by_its_name(site, admin, field, value):
    with pytest.raises(InvalidInput) as caught:
        automations.create(site, admin, wire.NewAutomation(label="odd", **{field: value}))

    assert caught.value.details["path"] == field
