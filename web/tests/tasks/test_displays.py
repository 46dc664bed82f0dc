"""Screens: an automation asks for one, and only a runner that has it takes its tasks."""

import pytest

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import automations, runners, tasks

XVFB = wire.Screen(virtual=True, no_real="DISPLAY is not set where the runner was started")


def able(screen):
    return wire.Capabilities(languages=["python"], screen=screen)


@pytest.mark.parametrize(
    ("display", "screen", "why"),
    [
        ("virtual", None, "does not say what screen it has; update its runner"),
        (
            "virtual",
            wire.Screen(no_virtual="Xvfb is not installed"),
            "cannot make a virtual screen: Xvfb is not installed",
        ),
        ("screen", XVFB, "has no screen: DISPLAY is not set where the runner was started"),
        ("screen", wire.Screen(real=True, locked=True, width=1920, height=1080), "has a locked screen; unlock it"),
        ("screen", wire.Screen(real=True, width=1024, height=768), "has a screen of 1024x768, smaller than 1280x1024"),
    ],
)
def test_a_runner_without_the_screen_is_passed_over_and_the_reason_is_told(
    site, admin, life, a_runner, an_automation, ask, display, screen, why
):
    an_automation(display=display)
    runner = a_runner()
    task = ask()

    assert life.claim(runner, capabilities=able(screen)) is None

    found = tasks.explain(site, admin, task.id)
    assert found.runners == {"box-1": why}
    assert found.summary == f"its only runner 'box-1' {why}"


def test_a_runner_gets_the_task_as_soon_as_its_screen_is_unlocked(site, admin, life, a_runner, an_automation, ask):
    an_automation(display="screen", display_size="1024x768")
    runner = a_runner()
    ask()
    locked = wire.Screen(real=True, locked=True, width=1024, height=768)
    assert life.claim(runner, capabilities=able(locked)) is None
    assert "1024x768, locked" in runners.list_runners(site, admin)[0].screen

    work = life.claim(runner, capabilities=able(wire.Screen(real=True, width=1024, height=768)))

    assert work.display == wire.DisplayNeed(kind="screen", width=1024, height=768)


def test_a_bot_without_a_screen_runs_anywhere(life, a_runner, an_automation, ask):
    an_automation()
    ask()

    work = life.claim(a_runner())

    assert work.display.kind == "none"


def test_size_and_depth_of_a_virtual_screen_come_with_the_work(life, a_runner, an_automation, ask):
    an_automation(display="virtual", display_size="800X600", display_depth=16)
    ask()

    work = life.claim(a_runner(), capabilities=able(XVFB))

    assert (work.display.width, work.display.height, work.display.depth) == (800, 600, 16)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("display_size", "big", "'big' is no size such as 1280x1024"),
        ("display_size", "1x1", "a screen of 1x1 is not to be had"),
        ("display_size", "99999x99999", "a screen of 99999x99999 is not to be had"),
        ("display_depth", 77, "display_depth is 77"),
    ],
)
def test_a_screen_that_cannot_be_is_refused(site, admin, an_automation, field, value, said):
    an_automation()

    with pytest.raises(InvalidInput, match=said) as refused:
        automations.change(site, admin, "daily", wire.AutomationChange(**{field: value}))

    assert refused.value.details["path"] == field
    assert automations.get_automation(site, admin, "daily").display == "none"
