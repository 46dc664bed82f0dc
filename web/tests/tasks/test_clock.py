"""What becomes due by itself: with the site's clock in the test's hand."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import StaleAttempt, Unauthorized
from bottool_web.actions import attempts, automations, identity, tasks, upkeep
from bottool_web.clock import Clock
from bottool_web.store import tables


class Watch:
    """The site's clock and a monotonic one that goes with it, and the thread's work done by hand."""

    def __init__(self, site, clock):
        self.site, self.clock, self.seconds = site, clock, 1000.0
        self.looks = Clock(site, monotonic=lambda: self.seconds)
        self.looks.tick()

    def pass_(self, seconds, *, step=4.0):
        """Let time pass as it does: with a look every few seconds."""
        left = seconds
        while left > 0:
            part = min(step, left)
            self.clock.advance(part)
            self.seconds += part
            self.looks.tick()
            left -= part

    def jump(self, seconds):
        """The wall clock alone is changed."""
        self.clock.advance(seconds)
        self.seconds += 1
        self.looks.tick()


@pytest.fixture
def watch(site, clock, box) -> Watch:
    return Watch(site, clock)


def test_a_task_for_later_waits_for_its_time(site, clock, life, watch, admin, ask, box):
    task = ask(earliest_at=clock.now() + timedelta(minutes=5))

    early = life.claim(box, "k1")
    watch.pass_(310)

    assert (task.state, early) == ("scheduled", None)
    assert life.take(box, "k2").task_id == task.id
    assert life.kinds(admin, task.id)[:2] == ["created", "due"]


def test_a_runner_that_dies_before_the_permit_gives_its_task_back(site, life, watch, admin, ask, box):
    task = ask()
    work = life.take(box)

    watch.pass_(site.settings.lease_seconds + 5)

    assert tasks.get_task(site, admin, task.id).state == "queued"
    assert life.alive(box, work, "preparing") == "gone"
    assert life.take(box, "k2").attempt == 2


def test_a_runner_that_goes_on_calling_keeps_its_lease(site, life, watch, admin, ask, box):
    task = ask()
    work = life.take(box)

    for _ in range(20):
        watch.pass_(10)
        assert life.alive(box, work, "preparing") == "ok"

    assert tasks.get_task(site, admin, task.id).state == "leased"


def test_a_running_task_without_contact_is_lost_but_not_started_again(site, life, watch, admin, ask, box):
    life_ends = site.settings.lease_seconds + site.settings.lost_margin_seconds
    ask()
    work, _ = life.start(box)

    watch.pass_(life_ends - 5)
    before = tasks.get_task(site, admin, work.task_id).state
    watch.pass_(10)
    after = tasks.get_task(site, admin, work.task_id).state

    assert (before, after) == ("running", "lost")
    assert "Start that runner again" in tasks.explain(site, admin, work.task_id).summary
    assert life.claim(box, "k2") is None


def test_a_lost_task_goes_on_when_its_runner_comes_back(site, life, watch, admin, ask, box):
    ask()
    work, _ = life.start(box)
    watch.pass_(100)

    verdict = life.alive(box, work)

    assert verdict == "ok"
    assert tasks.get_task(site, admin, work.task_id).state == "running"
    life.end(box, work)
    assert tasks.get_task(site, admin, work.task_id).state == "succeeded"


def test_a_lost_task_fails_in_the_end_and_its_late_report_corrects_it_once(site, life, watch, admin, ask, box):
    ask()
    work, _ = life.start(box)
    watch.pass_(100)
    watch.pass_(site.settings.lost_window_seconds)
    given_up = tasks.get_task(site, admin, work.task_id)

    life.end(box, work)
    corrected = tasks.get_task(site, admin, work.task_id)

    assert given_up.state == "failed"
    assert "contact" in given_up.message
    assert (corrected.state, corrected.message) == ("succeeded", "")
    assert tasks.list_events(site, admin, work.task_id)[-1].detail["late"] is True
    with pytest.raises(StaleAttempt):
        life.end(box, work, key="r2", exit_code=1)


def test_a_persons_word_on_a_lost_task_is_not_corrected(site, life, watch, admin, ask, box):
    ask()
    work, _ = life.start(box)
    watch.pass_(100)
    watch.pass_(site.settings.lost_window_seconds)
    tasks.finish(site, admin, work.task_id, wire.Finish(status="partial", message="looked myself"))

    life.end(box, work)

    assert tasks.get_task(site, admin, work.task_id).message == "looked myself"


def test_a_lost_task_is_never_tried_again_by_itself_for_its_bot_may_still_run(site, life, watch, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=2))
    ask()
    work, _ = life.start(box)
    watch.pass_(100)
    early = tasks.get_task(site, admin, work.task_id).state
    watch.pass_(site.settings.lost_window_seconds)

    assert (early, tasks.get_task(site, admin, work.task_id).state) == ("lost", "failed")
    assert life.claim(box, "k2") is None
    life.end(box, work)
    assert tasks.get_task(site, admin, work.task_id).state == "succeeded"


@pytest.fixture
def fenced(site, life, admin, ask, box):
    """``fenced(max_attempts=2)``: the started work of a task whose keeper ends its bot when contact is lost."""

    def start_(key="k1", *, fences=True, **changes):
        wanted = wire.AutomationChange(**{"max_attempts": 2, "retry_on_lost": True, **changes})
        automations.change(site, admin, "daily", wanted)
        ask()
        work = life.claim(box, key, fences=fences)
        permit = attempts.permit(site, box, work.task_id, work.attempt)
        attempts.started(site, box, work.task_id, work.attempt, wire.Started(pid=7, boot_id="b"))
        return work, permit

    return start_


def test_a_lost_task_is_tried_again_where_its_own_machine_has_ended_the_bot(site, life, watch, admin, box, fenced):
    work, permit = fenced()
    watch.pass_(site.settings.lease_seconds + site.settings.lost_margin_seconds - 8)
    early = tasks.get_task(site, admin, work.task_id).state
    watch.pass_(16)

    assert work.fenced
    assert (early, tasks.get_task(site, admin, work.task_id).state) == ("running", "queued")
    assert life.kinds(admin, work.task_id)[-3:] == ["lost", "closed", "retried"]
    again, _ = life.start(box, "k2")
    assert (again.task_id, again.attempt) == (work.task_id, 2)
    assert life.alive(box, work) == "gone"
    for write in (
        lambda: life.end(box, work, reason="fenced", exit_code=None),
        lambda: attempts.permit(site, box, work.task_id, 1),
        lambda: attempts.void(site, box, work.task_id, 1),
        lambda: attempts.append_output(site, box, work.task_id, 1, 0, b""),
        lambda: tasks.finish(
            site, identity.principal_of_token(site, permit.token), work.task_id, wire.Finish(status="succeeded")
        ),
    ):
        with pytest.raises((StaleAttempt, Unauthorized)):
            write()
    assert tasks.get_task(site, admin, work.task_id).state == "running"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"max_attempts": 1}, "no attempt is left"),
        ({"retry_on_lost": False}, "the owner did not choose so"),
        ({"fences": False}, "a runner of the release before fences nothing"),
    ],
)
def test_a_lost_task_is_not_tried_again_when(site, watch, admin, fenced, options, why):
    work, _ = fenced(**options)
    watch.pass_(100)

    assert tasks.get_task(site, admin, work.task_id).state == "lost", why


def test_what_the_owner_chooses_later_does_not_reach_a_bot_that_runs(site, life, watch, admin, fenced):
    work, _ = fenced(retry_on_lost=False)
    automations.change(site, admin, "daily", wire.AutomationChange(retry_on_lost=True))
    watch.pass_(100)

    assert tasks.get_task(site, admin, work.task_id).state == "lost"


def test_a_lost_task_that_a_person_stopped_is_not_tried_again(site, watch, admin, fenced):
    work, _ = fenced()
    tasks.stop(site, admin, work.task_id)
    watch.pass_(100)

    assert tasks.get_task(site, admin, work.task_id).state == "lost"


def test_a_bot_that_its_machine_ended_in_time_is_tried_again_at_once(site, life, admin, box, fenced):
    work, _ = fenced()

    life.end(box, work, reason="fenced", exit_code=None)

    assert tasks.get_task(site, admin, work.task_id).state == "queued"
    again, _ = life.start(box, "k2")
    life.end(box, again, key="r2", reason="fenced", exit_code=None)
    task = tasks.get_task(site, admin, work.task_id)
    assert (task.state, task.message, task.reason) == (
        "failed",
        "its machine lost contact with the server and ended the bot",
        "fenced",
    )


def test_a_lost_test_task_that_is_restarted_leaves_its_old_attempt_without_a_say(site, life, watch, admin, ask, box):
    ask(test=True)
    work, _ = life.start(box)
    watch.pass_(100)
    tasks.restart(site, admin, work.task_id)
    watch.pass_(site.settings.lost_window_seconds)

    again, _ = life.start(box, "k2")

    assert (again.task_id, again.attempt) == (work.task_id, 2)
    with pytest.raises(StaleAttempt):
        life.end(box, work)
    assert life.alive(box, work) == "gone"
    assert tasks.get_task(site, admin, work.task_id).state == "running"


def test_a_restart_of_a_lost_test_task_waits_for_the_window(site, life, watch, admin, ask, box):
    task = ask(test=True)
    life.start(box)
    watch.pass_(100)

    tasks.restart(site, admin, task.id)
    waiting = tasks.get_task(site, admin, task.id).state
    watch.pass_(site.settings.lost_window_seconds)

    assert waiting == "lost"
    assert tasks.get_task(site, admin, task.id).state == "queued"


def test_many_silent_runners_at_once_are_not_called_lost_at_once(
    site, life, watch, admin, ask, box, a_runner: Callable
):
    made = [ask() for _ in range(6)]
    for _ in range(6):
        life.sync(box, f"k{_}", free_slots=1, slots=6)
    for task in made:
        attempts.permit(site, box, task.id, 1)

    watch.pass_(95)
    braked = [tasks.get_task(site, admin, task.id).state for task in made]
    watch.pass_(site.settings.lease_seconds)
    later = [tasks.get_task(site, admin, task.id).state for task in made]

    assert braked == ["starting"] * 6
    assert later == ["lost"] * 6


def test_a_jump_of_the_servers_clock_loses_nothing(site, life, watch, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(timeout_seconds=600))
    ask()
    work, _ = life.start(box)

    watch.jump(7200)
    ahead = tasks.get_task(site, admin, work.task_id).state
    watch.jump(-7200)
    watch.pass_(30)

    assert ahead == "running"
    assert tasks.get_task(site, admin, work.task_id).state == "running"
    assert life.kinds(admin, work.task_id).count("clock_jump") == 2


def test_a_lease_given_between_a_jump_and_its_notice_does_not_last_for_hours(site, clock, life, watch, admin, ask, box):
    task = ask()

    clock.advance(7200)
    life.take(box)
    watch.jump(0)
    watch.pass_(site.settings.lease_seconds + site.settings.start_grace_seconds + 10)

    assert life.kinds(admin, task.id).count("clock_jump") == 1
    assert tasks.get_task(site, admin, task.id).state == "queued"


def test_after_a_pause_of_the_server_runners_get_time_to_come_back(site, life, watch, admin, ask, box):
    ask()
    work, _ = life.start(box)

    watch.pass_(300, step=300)
    watch.pass_(20)

    assert tasks.get_task(site, admin, work.task_id).state == "running"


def test_a_bot_far_beyond_its_time_is_stopped_although_its_keeper_sleeps(site, life, watch, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(timeout_seconds=60))
    ask()
    work, _ = life.start(box)
    for _ in range(14):  # the time-out, what its keeper may take to end it, and a minute more
        watch.pass_(10)
        verdict = life.alive(box, work)

    found = tasks.get_task(site, admin, work.task_id)

    assert (found.state, verdict) == ("timed_out", "stop")
    life.end(box, work, reason="stopped", exit_code=-9)
    assert tasks.get_task(site, admin, work.task_id).state == "timed_out"


def test_the_thread_promotes_what_is_due_and_ends_when_told(site, life, admin, ask, clock, box):
    task = ask(earliest_at=clock.now() + timedelta(seconds=1))
    looks = Clock(site)
    looks.start()
    try:
        clock.advance(2)
        deadline = time.monotonic() + 20
        while (state := tasks.get_task(site, admin, task.id).state) != "queued" and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        looks.stop()

    assert state == "queued"


def test_a_bots_token_is_kept_while_its_attempt_may_speak_and_purged_long_after(site, life, box, ask, clock):
    def kept():
        upkeep.purge(site)
        bots_own = sa.select(sa.func.count()).select_from(tables.token).where(tables.token.c.attempt_id.is_not(None))
        return site.store.read(lambda tx: tx.scalar(bots_own))

    ask()
    work, _ = life.start(box)
    clock.advance(2 * upkeep.KEPT.total_seconds())
    assert kept() == 1, "its bot still runs"

    life.end(box, work)
    clock.advance(upkeep.KEPT.total_seconds() - 1)
    assert kept() == 1
    clock.advance(1)

    assert kept() == 0


def test_a_clock_set_back_while_the_server_was_down_leaves_no_lease_of_hours(site, clock, life, admin, ask, box):
    task = ask()
    life.take(box)
    clock.advance(-7200)

    later = Watch(site, clock)  # another server process
    later.looks.grant_grace()
    later.pass_(site.settings.lease_seconds + site.settings.start_grace_seconds + 5)

    assert tasks.get_task(site, admin, task.id).state == "queued"
