"""Every check of a history is quiet about a good one, and complains of the one thing that is wrong in another."""

import copy

import pytest
from nemesis.checker import CHECKS, check
from nemesis.history import End, History, Said, Start

AT = "2030-01-01T00:00:0{}+00:00"
SECOND = 1893456000.0
"""The witness's time of ``AT.format(0)``."""


def event(number, attempt, kind, old="", new="", **detail):
    at = AT.format(min(number, 9))
    return {
        "id": number,
        "task_id": 1,
        "attempt": attempt,
        "kind": kind,
        "old": old,
        "new": new,
        "detail": detail,
        "at": at,
    }


def row(number, **more):
    given = {"task_id": 1, "number": number, "runner_id": 1, "state": "ended", "reason": "exited", "report_key": "r"}
    return given | more


@pytest.fixture
def good():
    """A task that failed once with 3 and was tried again, and then succeeded."""
    starts = [Start(task=1, attempt=1, nonce="aa", at=SECOND + 3), Start(task=1, attempt=2, nonce="bb", at=SECOND + 8)]
    return History(
        round={"max_attempts": {"5": 2}, "slots": 1, "clock_jumped": False, "survivors": [], "exits": {"server": -15}},
        tasks={1: {"id": 1, "automation_id": 5, "state": "succeeded", "attempt": 2, "bot_reported": False}},
        attempts={(1, 1): row(1, exit_code=3), (1, 2): row(2, exit_code=0)},
        events={
            1: [
                event(1, None, "created", "", "queued"),
                event(2, 1, "leased", "queued", "leased", attempt_state="leased"),
                event(3, 1, "permitted", "leased", "starting", attempt_state="starting"),
                event(4, 1, "started", "starting", "running", attempt_state="running"),
                event(5, 1, "ended", "running", "failed", attempt_state="ended"),
                event(6, 1, "retried", "failed", "queued"),
                event(7, 2, "leased", "queued", "leased", attempt_state="leased"),
                event(8, 2, "permitted", "leased", "starting", attempt_state="starting"),
                event(9, 2, "ended", "starting", "succeeded", attempt_state="ended"),
            ]
        },
        requests=[{"op": "create", "key": "k"}, {"op": "created", "key": "k", "task": 1}],
        outputs={(1, 1): "1 1 aa 0 x\n", (1, 2): "1 2 bb 0 x\n1 2 bb 1 y\n"},
        starts=starts,
        ends={
            (1, 1): End(task=1, attempt=1, nonce="aa", exit_code=3, lines=1, at=SECOND + 4),
            (1, 2): End(task=1, attempt=2, nonce="bb", exit_code=0, lines=2, at=SECOND + 9),
        },
    )


WRONGS = {
    "I1": lambda h: h.requests.append({"op": "created", "key": "k", "task": 2}),
    "I2": lambda h: h.starts.append(copy.copy(h.starts[0])),
    "I3": lambda h: h.round.update(max_attempts={}),
    "I4": lambda h: h.events[1].pop(7),
    "I5": lambda h: h.events[1].append(event(10, 2, "voided")),
    "I6": lambda h: h.starts.__setitem__(1, Start(task=1, attempt=2, nonce="bb", at=SECOND + 3.5)),
    "I7": lambda h: h.events[1].append(event(10, 2, "ended", "succeeded", "failed", attempt_state="ended")),
    "I8": lambda h: h.said.update({(1, 2): Said(task=1, attempt=2, status="failed", code=200)}),
    "I8 exits": lambda h: h.attempts[1, 1].update(exit_code=0),
    "I9": lambda h: h.events[1].append(event(10, 1, "reported")),
    "I10": lambda h: h.attempts.pop((1, 1)),
    "I11": lambda h: h.round.update(slots=0),
    "I12": lambda h: h.attempts[1, 2].update(state="lost"),
    "I13": lambda h: h.outputs.update({(1, 2): "1 2 bb 0 x\n1 2 bb 0 x\n"}),
    "I17": lambda h: h.events[1].pop(0),
    "I18": lambda h: h.texts.update({"server.log": f"btl_attempt_{'x' * 30}"}),
    "survivors": lambda h: h.round.update(survivors=["7 python work.py"]),
}


def test_a_good_history_has_no_complaint(good):
    assert [str(each) for each in check(good)] == []


def test_there_is_a_wrong_history_for_every_check():
    assert set(WRONGS) == set(CHECKS)


@pytest.mark.parametrize("name", sorted(WRONGS))
def test_what_is_wrong_is_complained_of(good, name):
    WRONGS[name](good)

    assert name in {each.check for each in check(good)}


def test_a_lost_result_may_be_corrected_once_by_its_own_attempt(good):
    good.events[1][8:] = [
        event(9, 2, "lost", "starting", "lost", attempt_state="lost"),
        event(10, 2, "given_up", "lost", "failed"),
        event(11, 2, "ended", "failed", "succeeded", attempt_state="ended", late=True),
    ]

    assert [str(each) for each in check(good)] == []


@pytest.mark.parametrize("state", ["leased", "starting", "running"])
def test_a_cancelled_task_may_not_have_run(good, state):
    good.events[1][8:] = [event(9, 2, "cancelled", state, "cancelled", attempt_state="ended")]

    assert "I5" in {each.check for each in check(good)}
