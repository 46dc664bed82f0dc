"""What the tests of schedules share: schedules of the automation ``daily``, and the clock's beat."""

from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire
from bottool_web.actions import firing, identity, schedules, tasks
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal


@pytest.fixture
def daily(an_automation: Callable[..., wire.Automation]) -> wire.Automation:
    return an_automation(parameters=[wire.Parameter(label="month", type="integer", default=1)])


@pytest.fixture
def schedule(site: Site, admin: Principal, daily: wire.Automation) -> Callable[..., wire.Schedule]:
    """``schedule("0 30 8 * * ?")``: a schedule of ``daily``. The tests' clock stands at 2030-01-15 12:00, a Tuesday."""

    def make(expression: str = "0 0/10 * * * ?", *, who: Principal = admin, **more: Any) -> wire.Schedule:
        said = {"automation": "daily", **more}
        return schedules.create(site, who, wire.NewSchedule(expression=expression, **said))

    return make


@pytest.fixture
def beat(site: Site, admin: Principal) -> Callable[[], int]:
    """One beat of the clock, as far as it is about schedules: how many tasks were made."""
    return lambda: firing.fire_due(site, identity.acting_site(admin.workspace_id))


@pytest.fixture
def runs_of(site: Site, admin: Principal) -> Callable[..., list[tuple[str, str, int]]]:
    """What came of a schedule's due times, oldest first: time, outcome, and for how many times it stands."""

    def read(schedule: wire.Schedule) -> list[tuple[str, str, int]]:
        found = sorted(schedules.list_runs(site, admin, schedule.label, limit=1000), key=lambda run: run.at)
        return [(f"{run.at:%H:%M:%S}", run.outcome, run.times) for run in found]

    return read


@pytest.fixture
def all_tasks(site: Site, admin: Principal) -> Callable[[], list[wire.Task]]:
    """Oldest first."""
    return lambda: tasks.list_tasks(site, admin, limit=1000)[::-1]
