"""The start protocol keeps its promises under every order of events, and the plausible wrong ones are found out."""

import importlib.util
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

TWICE = "the bot was started twice"
CANCELLED = "the bot of a cancelled task ran"
VOID = "an attempt was void and ran"


def load_model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("protocol_model", Path(__file__).with_name("protocol_model.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["protocol_model"] = module
    spec.loader.exec_module(module)
    return module


model = load_model()


@dataclass(frozen=True, kw_only=True)
class Found:
    """``broken`` is the promise that fell, with the shortest ``path`` of events to it; ``stuck`` counts states from
    which no end of the task can be reached."""

    states: int
    broken: str = ""
    path: tuple[str, ...] = ()
    stuck: int = 0


def explore(rules: Any, *, attempts: int = 2, promise: str = "", look_for_stuck: bool = False) -> Found:
    """Visit every reachable state, nearest first; stop at the first broken promise, or the first time ``promise`` is."""
    protocol = model.Protocol(rules, attempts)
    first = protocol.first()
    came_from: dict[Any, tuple[Any | None, str]] = {first: (None, "")}
    before: dict[Any, list[Any]] = {}
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        for event, reached in protocol.moves(state):
            after = protocol.without_the_futile(reached)
            if look_for_stuck and after != state:
                before.setdefault(after, []).append(state)
            if after in came_from:
                continue
            came_from[after] = (state, event)
            broken = next((name for name in model.broken_promises(after, rules) if promise in {"", name}), "")
            if broken:
                return Found(states=len(came_from), broken=broken, path=path_to(after, came_from))
            waiting.append(after)
    stuck = count_stuck(came_from, before, attempts) if look_for_stuck else 0
    return Found(states=len(came_from), stuck=stuck)


def path_to(state: Any, came_from: dict[Any, tuple[Any | None, str]]) -> tuple[str, ...]:
    events: list[str] = []
    step: Any | None = state
    while step is not None:
        step, event = came_from[step]
        events.append(event)
    return tuple(event for event in reversed(events) if event)


def count_stuck(states: dict[Any, tuple[Any | None, str]], before: dict[Any, list[Any]], attempts: int) -> int:
    """States from which the task can never end. Queued again with no attempt left is the model's bound, not stuck."""
    ends = [s for s in states if s.task in model.FINAL or (s.task is model.Task.QUEUED and s.attempt == attempts)]
    alive = set(ends)
    while ends:
        for earlier in before.get(ends.pop(), ()):
            if earlier not in alive:
                alive.add(earlier)
                ends.append(earlier)
    return len(states) - len(alive)


def test_no_order_of_events_breaks_a_promise_or_leaves_a_task_without_an_end():
    found = explore(model.Rules(), attempts=2, look_for_stuck=True)

    assert found.broken == "", " → ".join(found.path)
    assert found.stuck == 0
    assert found.states > 50_000, "the model must not become so small that it says nothing"


def test_a_bot_that_is_tried_again_never_runs_beside_itself():
    found = explore(model.Rules(retries=True), attempts=2)

    assert found.broken == "", " → ".join(found.path)


def test_a_lost_bot_that_is_tried_again_never_runs_beside_itself_for_its_keeper_has_fenced_it():
    found = explore(model.Rules(retries=True, retry_on_lost=True), attempts=2)

    assert found.broken == "", " → ".join(found.path)


def test_a_lost_bot_that_is_tried_again_without_a_fence_runs_beside_itself():
    rules = model.Rules(retries=True, retry_on_lost=True, keeper_fences=False)

    found = explore(rules, attempts=2, promise="two bots of the task ran at the same time")

    assert found.broken, "retry without a fence must be found out"


@pytest.mark.parametrize(
    ("rule", "promise"),
    [
        ("finish_is_fenced", "the bot outlived its result"),
        ("lost_is_never_retried", "two bots of the task ran at the same time"),
    ],
)
def test_a_protocol_that_is_wrong_only_where_bots_are_tried_again_is_found_out(rule, promise):
    found = explore(model.Rules(retries=True, **{rule: False}), attempts=2, promise=promise)

    assert found.broken == promise, f"{rule}: {found}"


def test_a_runner_that_forgets_its_attempts_leaves_tasks_without_an_end():
    found = explore(model.Rules(journal_survives_restart=False), attempts=1, look_for_stuck=True)

    assert found.broken == ""
    assert found.stuck > 0


@pytest.mark.parametrize(
    ("rule", "promise"),
    [
        ("keeper_takes_ticket", TWICE),
        ("keeper_takes_ticket", CANCELLED),
        ("keeper_takes_ticket", VOID),
        ("runner_asks_permit", "the bot ran without a permit"),
        ("runner_asks_permit", CANCELLED),
        ("runner_asks_permit", TWICE),
        ("started_is_never_requeued", TWICE),
        ("started_is_never_requeued", CANCELLED),
        ("intent_before_hand_over", TWICE),
        ("intent_before_hand_over", VOID),
        ("permit_is_fenced", CANCELLED),
        ("void_needs_ticket", CANCELLED),
        ("void_survives_restart", VOID),
        ("dead_keeper_is_no_success", "success without a bot that ended well"),
        ("cancel_stops_at_permit", CANCELLED),
        ("leftovers_are_killed", "the bot outlived its result"),
        ("restart_never_starts_again", TWICE),
    ],
)
def test_a_wrong_protocol_is_found_out(rule, promise):
    found = explore(model.Rules(**{rule: False}), attempts=2, promise=promise)

    assert found.broken == promise, f"{rule}: {found}"
