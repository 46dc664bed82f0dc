"""Automations, their runners and their parameters."""

from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool.errors import Conflict, InvalidInput, NotFound
from bottool_web.actions import automations, bots, runners, tasks
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

Make = Callable[..., wire.Automation]
P = wire.Parameter


def test_an_automation_may_exist_before_its_bot(site: Site, admin: Principal) -> None:
    made = automations.create(site, admin, wire.NewAutomation(label="daily"))

    assert (made.label, made.name, made.bot_id, made.runners) == ("daily", "daily", "", [])
    assert automations.list_automations(site, admin) == [made]


def test_runners_are_linked_in_the_order_given_and_made_when_new(site: Site, admin: Principal) -> None:
    made = automations.create(site, admin, wire.NewAutomation(label="daily", runners=["z-box", "a-box", "z-box"]))

    assert made.runners == ["z-box", "a-box"]
    assert [(runner.machine_id, runner.state) for runner in runners.list_runners(site, admin)] == [
        ("a-box", "new"),
        ("z-box", "new"),
    ]


def test_a_change_leaves_what_it_does_not_name(site: Site, admin: Principal, an_automation: Make) -> None:
    before = an_automation(description="as it was", timeout_seconds=60, parameters=[P(label="x")])

    after = automations.change(site, admin, "daily", wire.AutomationChange(priority=7))

    assert after.priority == 7
    assert (after.description, after.timeout_seconds, after.runners, after.parameters, after.bot_id) == (
        before.description,
        before.timeout_seconds,
        before.runners,
        before.parameters,
        before.bot_id,
    )


def test_everything_can_be_changed_and_taken_away(site: Site, admin: Principal, an_automation: Make) -> None:
    an_automation(timeout_seconds=60, parameters=[P(label="x")])

    after = automations.change(
        site,
        admin,
        "daily",
        wire.AutomationChange(
            name="Every day",
            description="d",
            bot_id="",
            runners=["box-2"],
            parameters=[],
            timeout_seconds=None,
            max_attempts=3,
            report_required=True,
        ),
    )

    assert (after.name, after.description, after.bot_id, after.runners) == ("Every day", "d", "", ["box-2"])
    assert (after.parameters, after.timeout_seconds, after.max_attempts, after.report_required) == ([], None, 3, True)


def test_a_label_that_is_taken_is_a_conflict(site: Site, admin: Principal, an_automation: Make) -> None:
    an_automation("daily")

    with pytest.raises(Conflict, match="'daily'"):
        automations.create(site, admin, wire.NewAutomation(label="daily"))


def test_a_deleted_automations_label_may_be_used_again_and_its_tasks_stay(
    site: Site, admin: Principal, an_automation: Make
) -> None:
    first = an_automation("daily")
    task = tasks.create(site, admin, wire.NewTask(automation="daily"))
    with pytest.raises(Conflict, match="wait or run"):
        automations.delete(site, admin, "daily")
    tasks.cancel(site, admin, task.id)

    automations.delete(site, admin, "daily")

    assert automations.list_automations(site, admin) == []
    assert an_automation("daily").id != first.id
    assert tasks.get_task(site, admin, task.id).automation == "daily"
    assert bots.get_bot(site, admin, "my-bot").automations == ["daily"]


def test_a_misspelt_automation_is_guessed(site: Site, admin: Principal, an_automation: Make) -> None:
    an_automation("invoices")

    with pytest.raises(NotFound) as refused:
        automations.get_automation(site, admin, "invoises")

    assert refused.value.hint == "did you mean 'invoices'?"


def test_waiting_and_active_tasks_are_counted(site: Site, admin: Principal, an_automation: Make, clock: Any) -> None:
    from datetime import timedelta

    an_automation("daily")
    tasks.create(site, admin, wire.NewTask(automation="daily"))
    tasks.create(site, admin, wire.NewTask(automation="daily", earliest_at=clock.now() + timedelta(hours=1)))
    done = tasks.create(site, admin, wire.NewTask(automation="daily"))
    tasks.cancel(site, admin, done.id)

    assert automations.get_automation(site, admin, "daily").waiting == 2
    assert automations.list_automations(site, admin)[0].active == 0


# Parameters: pure, no database.

DECLARED = wire.Automation(
    id=1,
    label="daily",
    name="daily",
    created_at="2030-01-01T00:00:00Z",
    parameters=[
        P(label="name", required=True),
        P(label="count", type="integer", default=3),
        P(label="rate", type="decimal"),
        P(label="dry", type="boolean"),
        P(label="colour", type="choice", choices=["red", "blue"]),
        P(label="day", type="date"),
    ],
)


def test_values_keep_their_types_and_defaults_fill_what_is_missing() -> None:
    given = {"name": "Zoë ✓", "rate": 1.5, "dry": False, "colour": "red", "day": "2030-01-31"}

    assert automations.check_parameters(DECLARED, given, loose=False) == {**given, "count": 3}


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({}, "parameters.name"),
        ({"name": None}, "parameters.name"),
        ({"name": 1}, "parameters.name"),
        ({"name": "a", "count": "3"}, "parameters.count"),
        ({"name": "a", "count": 3.0}, "parameters.count"),
        ({"name": "a", "count": True}, "parameters.count"),
        ({"name": "a", "rate": "1"}, "parameters.rate"),
        ({"name": "a", "rate": False}, "parameters.rate"),
        ({"name": "a", "dry": "yes"}, "parameters.dry"),
        ({"name": "a", "dry": 0}, "parameters.dry"),
        ({"name": "a", "colour": "green"}, "parameters.colour"),
        ({"name": "a", "day": "31.01.2030"}, "parameters.day"),
        ({"name": "a", "day": "2030-02-30"}, "parameters.day"),
        ({"name": "a", "nmae": 1}, "parameters.nmae"),
        ({"name": "nul\0"}, "parameters.name"),
    ],
)
def test_a_value_that_does_not_fit_is_named(values: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        automations.check_parameters(DECLARED, values, loose=False)

    assert refused.value.details["path"] == path


def test_a_misspelt_parameter_is_guessed() -> None:
    with pytest.raises(InvalidInput) as refused:
        automations.check_parameters(DECLARED, {"name": "a", "coutn": 1}, loose=False)

    assert refused.value.hint == "did you mean 'count'?"


def test_maestros_clients_may_send_anything_that_can_be_stored() -> None:
    sent = {"never_declared": [1, {"a": None}], "count": "many"}

    assert automations.check_parameters(DECLARED, sent, loose=True) == sent
    with pytest.raises(InvalidInput):
        automations.check_parameters(DECLARED, {"a": "\0"}, loose=True)
