"""Whatever runners, bots, people and the clock do in whatever order: the histories stay true.

A walk of random calls, most of them out of place, some by stale attempts; afterwards the events are replayed. The seed
is in the test's name, so that a walk that fails can be walked again.
"""

import random
from collections import Counter

import pytest
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Refused
from bottool.states import ATTEMPT_MOVES, FINAL, TASK_MOVES, AttemptState, TaskState
from bottool_web.actions import attempts, automations, tasks, upkeep
from bottool_web.actions.identity import principal_of_token
from bottool_web.store import tables

STEPS = 350
REASONS = ("exited", "exited", "timed_out", "stopped", "died", "not_launched")


class Walk:
    """The world as the walk knows it: every attempt that was ever given out, and every permit."""

    def __init__(self, site, clock, admin, life, runners, seed):
        self.site, self.clock, self.admin, self.life, self.runners = site, clock, admin, life, runners
        self.draw = random.Random(seed)
        self.works = []
        self.bots = []
        self.tasks = []
        self.permitted = Counter()
        self.cancelled = set()
        self.done = Counter()

    def step(self):
        name = self.draw.choices(
            ("create", "claim", "of_attempt", "of_bot", "of_person", "of_clock", "heartbeat"), (3, 6, 12, 3, 4, 2, 3)
        )[0]
        try:
            getattr(self, name)()
            self.done[name] += 1
        except Refused:
            self.done[f"{name} refused"] += 1

    def create(self):
        more = {"test": self.draw.random() < 0.3, "priority": self.draw.randint(0, 10)}
        label = self.draw.choice(("daily", "stubborn"))
        self.tasks.append(tasks.create(self.site, self.admin, wire.NewTask(automation=label, **more)).id)

    def claim(self):
        runner = self.draw.choice(self.runners)
        key = f"k{self.draw.randint(0, 10**6) if self.draw.random() < 0.9 else 1}"
        self.works += [(runner, work) for work in self.life.sync(runner, key, free_slots=2, slots=2).work]

    def of_attempt(self):
        runner, work = self.draw.choice(self.works[-5:])
        name = self.draw.choice(
            ("permit", "permit", "permit", "started", "started", "void", "hand_back", "finish", "finish")
        )
        place = (self.site, runner, work.task_id, work.attempt)
        if name == "permit":
            permit = attempts.permit(*place)
            self.permitted[work.task_id, work.attempt] += 1
            assert work.task_id not in self.cancelled
            self.bots.append((principal_of_token(self.site, permit.token), work.task_id))
        elif name == "started":
            attempts.started(*place, wire.Started(pid=1, boot_id="b"))
        elif name == "hand_back":
            attempts.hand_back(*place, wire.HandBack(reason="no", permanent=self.draw.random() < 0.2))
        elif name == "void":
            attempts.void(*place)
        else:
            ended = self.life.an_end(
                f"r{self.draw.randint(0, 1)}", self.draw.choice(REASONS), self.draw.choice((0, 1, -9))
            )
            attempts.finish(*place, ended)

    def of_bot(self):
        bot, task_id = self.draw.choice(self.bots[-5:] or [(self.admin, self.draw.choice(self.tasks))])
        tasks.finish(self.site, bot, task_id, self.word())

    def word(self):
        return wire.Finish(status=self.draw.choice(("succeeded", "partial", "failed")))

    def of_person(self):
        task_id = self.draw.choice(self.tasks[-6:])
        act = self.draw.choice((tasks.cancel, tasks.interrupt, tasks.stop, tasks.restart, tasks.finish))
        before = tasks.get_task(self.site, self.admin, task_id)
        if act is tasks.finish:
            if self.draw.random() < 0.3:
                tasks.finish(self.site, self.admin, task_id, self.word())
            return
        after = act(self.site, self.admin, task_id)
        if after.id != task_id:
            self.tasks.append(after.id)
        self.cancelled.discard(after.id)
        if act is tasks.cancel and before.state != "cancelled":
            self.cancelled.add(task_id)

    def of_clock(self):
        self.clock.advance(self.draw.choice((1, 2, 5, 20, 20, 70, 120, 800)))
        for who in upkeep.principals(self.site):
            upkeep.promote_due(self.site, who)
            upkeep.take_back_leases(self.site, who)
            upkeep.call_lost(self.site, who, upkeep.silent_attempts(self.site, who))
            upkeep.give_up_lost(self.site, who)

    def heartbeat(self):
        runner = self.draw.choice(self.runners)
        mine = [work for owner, work in self.works[-6:] if owner is runner]
        told = [wire.AttemptAlive(task_id=work.task_id, attempt=work.attempt, state="running") for work in mine]
        self.life.sync(runner, attempts=told)


def replayed(events: list[wire.Event]) -> str:
    state = ""
    for event in events:
        if not event.new:
            assert not event.old
            continue
        assert event.old == state, f"event {event.id} ({event.kind}) leaves {event.old}, the task was {state}"
        if state:
            assert TaskState(event.new) in TASK_MOVES[TaskState(state)], f"{state} → {event.new} by {event.kind}"
        state = event.new
    return state


def check_attempts(events: list[wire.Event]) -> None:
    """Numbers without gaps, moves by the table, and nothing of an old attempt after a newer one began."""
    newest, states = 0, {}
    for event in events:
        moved = event.detail.get("attempt_state")
        if moved is None:
            continue
        assert event.attempt is not None
        if moved == "leased":
            assert event.attempt == newest + 1
            assert newest == 0 or states[newest] == "ended"
            newest = event.attempt
        else:
            assert event.attempt == newest
            assert AttemptState(moved) in ATTEMPT_MOVES[AttemptState(states[newest])]
        states[event.attempt] = moved


@pytest.mark.parametrize("seed", range(4))
def test_after_any_walk_the_events_replay_to_the_rows(site, clock, admin, life, box, a_runner, an_automation, seed):
    an_automation("stubborn", runners=["box-1", "box-2"], max_attempts=3)
    automations.change(site, admin, "daily", wire.AutomationChange(runners=["box-1", "box-2"]))
    walk = Walk(site, clock, admin, life, [box, a_runner("box-2")], seed)
    walk.create(), walk.create(), walk.claim()

    for _ in range(STEPS):
        walk.step()

    for task_id in sorted(set(walk.tasks)):
        events = tasks.list_events(site, admin, task_id)
        found = tasks.get_task(site, admin, task_id)
        assert replayed(events) == found.state
        check_attempts(events)
        permits = Counter(event.attempt for event in events if event.kind == "permitted")
        assert all(count == 1 for count in permits.values())
        assert (found.ended_at is not None) == (TaskState(found.state) in FINAL)
        if task_id in walk.cancelled:
            assert found.state != "running"
    with site.store.engine.connect() as connection:
        alive = connection.execute(
            sa.select(tables.attempt.c.runner_id, tables.attempt.c.task_id).where(
                tables.attempt.c.state.in_(("leased", "starting", "running", "stopping"))
            )
        ).all()
    assert max(Counter(row.task_id for row in alive).values(), default=0) <= 1
    # Something of everything happened, or the walk proves nothing.
    assert walk.done["claim"] > 10
    assert walk.done["of_attempt"] > 15
    assert sum(walk.permitted.values()) > 5
