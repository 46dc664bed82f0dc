"""The start protocol keeps its promises under every order of events, and the plausible wrong ones are found out."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

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


def test_no_order_of_events_breaks_a_promise_or_leaves_a_task_without_an_end():
    found = model.explore(model.Rules(), attempts=2, look_for_stuck=True)

    assert found.broken == "", " → ".join(found.path)
    assert found.stuck == 0
    assert found.states > 50_000, "the model must not become so small that it says nothing"


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
    ],
)
def test_a_wrong_protocol_is_found_out(rule, promise):
    found = model.explore(model.Rules(**{rule: False}), attempts=2, promise=promise)

    assert found.broken == promise, f"{rule}: {found}"
