"""Many at once: no task is given to two, and no slot twice, whatever the database does under it."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bottool import wire
from bottool.errors import BottoolError
from bottool_web.actions import attempts, automations, tasks

RUNNERS = 6
TASKS = 60


def test_no_task_is_claimed_twice_by_runners_that_claim_at_once(site, admin, life, box, a_runner, ask):
    names = [f"box-{number}" for number in range(1, RUNNERS + 1)]
    automations.change(site, admin, "daily", wire.AutomationChange(runners=names))
    runners = [box, *(a_runner(name) for name in names[1:])]
    wanted = {ask(priority=number % 3).id for number in range(TASKS)}
    gate = threading.Barrier(RUNNERS)

    def claim_all(runner) -> list[wire.Work]:
        gate.wait()
        got, misses, turn = [], 0, 0
        while misses < 5:
            turn += 1
            work = life.sync(runner, f"{runner.id}-{turn}", free_slots=2, slots=1000).work
            got += work
            misses = 0 if work else misses + 1
        return got

    with ThreadPoolExecutor(RUNNERS) as pool:
        found = [work for some in pool.map(claim_all, runners) for work in some]

    times = Counter(work.task_id for work in found)
    assert set(times) == wanted
    assert max(times.values()) == 1
    assert {work.attempt for work in found} == {1}


def test_one_claim_key_used_by_many_calls_at_once_gets_one_work(site, life, box, ask):
    ask(), ask(), ask()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: life.sync(box, "k1", free_slots=1, slots=9).work, range(5)))

    assert len({work.task_id for works in answers for work in works}) == 1


def test_calls_at_once_never_fill_more_slots_than_there_are(site, life, box, ask):
    for _ in range(10):
        ask()

    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda n: life.sync(box, f"k{n}", free_slots=3, slots=3).work, range(5)))

    assert sum(len(work) for work in answers) == 3


def test_a_cancel_and_a_permit_at_once_are_never_both_granted(site, admin, life, box, ask):
    both = 0
    for turn in range(20):
        task = ask()
        life.take(box, f"k{turn}")
        gate = threading.Barrier(2)

        def attempt(call, gate=gate) -> bool:
            gate.wait()
            try:
                call()
            except BottoolError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            permit = pool.submit(attempt, partial(attempts.permit, site, box, task.id, 1))
            cancel = pool.submit(attempt, partial(tasks.cancel, site, admin, task.id))
            both += permit.result() and cancel.result()
            if permit.result():
                attempts.void(site, box, task.id, 1)
                tasks.cancel(site, admin, task.id)

    assert both == 0


def test_a_key_that_comes_many_times_at_once_makes_one_task(site, admin, box):
    new = wire.NewTask(automation="daily")

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda _: tasks.create(site, admin, new, idempotency_key="once").id, range(6)))

    assert len(set(made)) == 1
    assert len(tasks.list_tasks(site, admin)) == 1


def test_another_installation_under_the_same_name_is_refused_until_the_first_falls_silent(site, clock, life, box):
    life.sync(box, session_id="old")

    same = life.sync(box, session_id="new")
    try:
        life.sync(box, session_id="thief", installation_id="elsewhere")
        refused = None
    except BottoolError as error:
        refused = error
    clock.advance(site.settings.lease_seconds + 1)
    later = life.sync(box, session_id="thief", installation_id="elsewhere")

    assert same.lease_seconds == later.lease_seconds == site.settings.lease_seconds
    assert refused is not None
    assert refused.http_status == 409
    assert "box-1" in refused.message
