"""Tasks that no runner can take: whoever wants to know is told, once of each task, with the reason."""

from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import attempts, automations, bots, identity, messages, tasks
from bottool_web.actions.site import Site
from bottool_web.actions.waiting import tell_of_waiting
from bottool_web.clock import WAITING_EVERY_SECONDS, Clock
from bottool_web.store.scope import Principal

ANA = "ana@acme.example"
MINUTE = 60
Sync = Callable[..., Any]


@pytest.fixture
def daily(an_automation: Any, add_user: Any) -> wire.Automation:
    add_user(ANA)
    made: wire.Automation = an_automation(notify_users=[ANA], notify_types=["waiting"], waiting_minutes=10)
    return made


@pytest.fixture
def ask(site: Site, admin: Principal) -> Callable[..., wire.Task]:
    return lambda **more: tasks.create(site, admin, wire.NewTask(automation="daily", **more))


@pytest.fixture
def look(site: Site, admin: Principal) -> Callable[[], int]:
    return lambda: tell_of_waiting(site, identity.acting_site(admin.workspace_id))


@pytest.fixture
def sync(site: Site, a_runner: Any) -> Sync:
    """The runner ``box-1`` calls; with a key it asks for work."""
    box = a_runner()

    def call(key: str = "", **more: Any) -> wire.Synced:
        languages = wire.Capabilities(languages=["python"])
        said = {"session_id": "s", "installation_id": "of-box-1", "free_slots": 1, "capabilities": languages, **more}
        return attempts.sync(site, box, wire.Sync(claim_key=key, **said))

    return call


def mail(site: Site, who: Principal) -> list[tuple[str, str]]:
    """Subjects and texts, oldest first."""
    found = [messages.get_message(site, who, each.id) for each in messages.list_messages(site, who)]
    return [(each.subject, each.body) for each in reversed(found)]


def test_a_task_that_no_runner_can_take_is_told_of_once_with_the_reason(
    site: Site, admin: Principal, clock: Any, daily: Any, ask: Any, look: Any
) -> None:
    task = ask()
    clock.advance(10 * MINUTE - 1)
    assert look() == 0

    clock.advance(1)
    assert [look(), look()] == [1, 0]
    clock.advance(100 * MINUTE)
    assert look() == 0

    ((subject, body),) = mail(site, admin)
    assert subject == f"daily: task {task.id} waits"
    assert "runner 'box-1' was never started" in body
    assert tasks.get_task(site, admin, task.id).state == "queued"


def test_many_tasks_make_one_message_and_later_ones_another_when_its_time_has_come(
    site: Site, admin: Principal, clock: Any, daily: Any, ask: Any, look: Any
) -> None:
    for _ in range(3):
        ask()
    clock.advance(10 * MINUTE)
    assert look() == 3
    ask()
    clock.advance(9 * MINUTE)
    ask()
    assert look() == 0, "the newer ones do not wait for so long yet"

    clock.advance(MINUTE)
    assert look() == 1
    clock.advance(9 * MINUTE)
    assert look() == 0, "one message in ten minutes"
    clock.advance(MINUTE)
    assert look() == 1

    assert [subject for subject, _ in mail(site, admin)] == [
        "daily: 3 tasks wait",
        "daily: task 4 waits",
        "daily: task 5 waits",
    ]


def test_a_queue_behind_a_busy_runner_is_not_told_of_until_that_one_is_gone(
    site: Site, admin: Principal, clock: Any, daily: Any, ask: Any, look: Any, sync: Sync
) -> None:
    ask(), ask()
    (work,) = sync("k1").work
    alive = wire.AttemptAlive(task_id=work.task_id, attempt=work.attempt, state="preparing")
    for _ in range(20):
        clock.advance(MINUTE)
        sync(attempts=[alive])
    assert look() == 0

    clock.advance(site.settings.lease_seconds + 1)
    assert look() == 1

    ((_, body),) = mail(site, admin)
    assert "offline" in body


@pytest.mark.parametrize("missing", ["bot", "release", "runner", "language"])
def test_whatever_is_missing_is_named(
    missing: str, site: Site, admin: Principal, clock: Any, daily: Any, ask: Any, look: Any, sync: Sync
) -> None:
    bots.announce_version(site, admin, "fresh", wire.NewVersion(version="1", technology="JAVA"))
    changes, words = {
        "bot": ({"bot_id": ""}, "has no bot"),
        "release": ({"bot_id": "fresh"}, "no released version"),
        "runner": ({"runners": []}, "has no runner"),
        "language": ({}, "cannot run PYTHON"),
    }[missing]
    automations.change(site, admin, "daily", wire.AutomationChange(**changes))  # type: ignore[arg-type]
    ask()
    clock.advance(10 * MINUTE)
    sync(capabilities=wire.Capabilities(languages=["java"] if missing == "language" else ["python"]))

    assert look() == 1

    assert words in mail(site, admin)[0][1]


def test_nobody_is_told_who_does_not_want_it_and_a_restarted_task_is_told_of_again(
    site: Site, admin: Principal, clock: Any, daily: Any, ask: Any, look: Any
) -> None:
    quiet = wire.AutomationChange(notify_types=["failed"])
    automations.change(site, admin, "daily", quiet)
    task = ask(test=True)
    clock.advance(20 * MINUTE)
    assert look() == 0
    automations.change(site, admin, "daily", wire.AutomationChange(notify_types=["waiting"]))
    assert look() == 1

    tasks.cancel(site, admin, task.id)
    tasks.restart(site, admin, task.id)
    clock.advance(10 * MINUTE)

    assert look() == 1


def test_a_task_for_later_waits_from_its_time_on(
    site: Site, clock: Any, daily: Any, ask: Any, look: Any, admin: Principal
) -> None:
    from datetime import timedelta

    seconds = [0.0]
    ask(earliest_at=clock.now() + timedelta(minutes=30))
    watch = Clock(site, monotonic=lambda: seconds[0])

    def pass_(minutes: int) -> None:
        for _ in range(minutes * 15):
            clock.advance(4)
            seconds[0] += 4
            watch.tick()

    pass_(39)
    assert mail(site, admin) == []
    pass_(1 + int(WAITING_EVERY_SECONDS // 60) + 1)

    assert len(mail(site, admin)) == 1


@pytest.mark.parametrize("minutes", [0, -1, 43_201])
def test_a_wait_that_makes_no_sense_is_refused(minutes: int, site: Site, admin: Principal, daily: Any) -> None:
    with pytest.raises(InvalidInput):
        automations.change(site, admin, "daily", wire.AutomationChange(waiting_minutes=minutes))

    assert automations.get_automation(site, admin, "daily").waiting_minutes == 10
