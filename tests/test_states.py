"""The tables of states: what the promises about tasks and attempts rest on."""

import pytest

from bottool.states import (
    ACTIVE,
    ATTEMPT_ALIVE,
    ATTEMPT_MOVES,
    FINAL,
    STARTED,
    TASK_MOVES,
    WAITING,
    AttemptState,
    TaskState,
    attempt_may_move,
    task_may_move,
)


def test_every_state_has_its_row():
    assert set(TASK_MOVES) == set(TaskState)
    assert set(ATTEMPT_MOVES) == set(AttemptState)


def test_every_task_is_waiting_active_or_final_and_only_one_of_them():
    groups = [WAITING, ACTIVE, FINAL]

    assert frozenset.union(*groups) == set(TaskState)
    assert sum(len(group) for group in groups) == len(TaskState)


def test_a_task_that_started_is_active():
    assert STARTED < ACTIVE
    assert {TaskState.LEASED} == ACTIVE - STARTED


@pytest.mark.parametrize("state", [state for state in TaskState if state not in FINAL])
def test_every_task_can_come_to_an_end(state):
    assert task_may_move(state, TaskState.FAILED)
    assert task_may_move(state, TaskState.SUCCEEDED)


@pytest.mark.parametrize("state", AttemptState)
def test_every_attempt_can_come_to_an_end(state):
    assert state is AttemptState.ENDED or attempt_may_move(state, AttemptState.ENDED)


def test_no_bot_runs_without_a_permit():
    assert [state for state in TaskState if task_may_move(state, TaskState.RUNNING)] == [
        TaskState.STARTING,
        TaskState.LOST,
    ]
    assert [state for state in TaskState if task_may_move(state, TaskState.STARTING)] == [TaskState.LEASED]
    assert [state for state in TaskState if task_may_move(state, TaskState.LEASED)] == [TaskState.QUEUED]


def test_a_cancelled_task_starts_only_after_it_was_queued_again():
    assert TASK_MOVES[TaskState.CANCELLED] & ACTIVE == frozenset()


def test_contact_is_lost_only_after_the_permit():
    losing = {state for state in TaskState if task_may_move(state, TaskState.LOST)}

    assert losing == STARTED - {TaskState.LOST}


def test_an_attempt_that_ended_never_lives_again():
    assert ATTEMPT_MOVES[AttemptState.ENDED] == frozenset()
    assert set(AttemptState) - ATTEMPT_ALIVE == {AttemptState.ENDED}


def test_a_lost_attempt_may_come_back_or_end():
    assert attempt_may_move(AttemptState.LOST, AttemptState.RUNNING)
    assert attempt_may_move(AttemptState.LOST, AttemptState.ENDED)


@pytest.mark.parametrize("state", [state for state in TaskState if state not in FINAL])
def test_staying_is_no_move_of_a_task_that_goes_on(state):
    assert not task_may_move(state, state)


@pytest.mark.parametrize("state", AttemptState)
def test_staying_is_no_move_of_an_attempt(state):
    assert not attempt_may_move(state, state)


def test_every_state_can_be_reached_from_a_new_task():
    reached, waiting = set(), [TaskState.SCHEDULED]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += TASK_MOVES[state]

    assert reached == set(TaskState)
