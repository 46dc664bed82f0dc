"""A bot that takes its keeper or machine down each time does not go on to the next machine for ever."""

import pytest

from bottool import wire
from bottool_web.actions import automations, tasks


@pytest.fixture
def tried(site, life, admin, ask, box):
    """``tried(reasons)``: a task that may be tried five times, with one attempt for each reason."""

    def try_(*reasons):
        automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=5))
        task = ask()
        for number, reason in enumerate(reasons):
            work, _ = life.start(box, f"k{number}")
            life.end(box, work, key=f"r{number}", reason=reason, exit_code=1 if reason == "exited" else None)
        return tasks.get_task(site, admin, task.id)

    return try_


def test_a_task_that_killed_two_keepers_is_not_given_to_a_third(tried, life, admin, box):
    task = tried("died", "died")

    assert task.state == "failed"
    assert "not tried again" in task.message
    assert life.kinds(admin, task.id).count("retried") == 1
    assert life.claim(box, "more") is None


def test_one_death_among_failures_is_bad_luck(tried):
    assert tried("died", "exited", "exited").state == "queued"


def test_whoever_restarts_a_test_task_gives_it_new_tries(site, life, admin, box):
    automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=5))
    task = tasks.create(site, admin, wire.NewTask(automation="daily", test=True))
    for number in range(2):
        work, _ = life.start(box, f"k{number}")
        life.end(box, work, key=f"r{number}", reason="died", exit_code=None)
    tasks.restart(site, admin, task.id)

    work, _ = life.start(box, "again")
    life.end(box, work, key="again", reason="died", exit_code=None)

    assert tasks.get_task(site, admin, task.id).state == "queued"
