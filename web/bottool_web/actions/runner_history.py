"""What a runner has done: a line for each step of its attempts, and how its tasks of the last days ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.actions import checks
from bottool_web.actions.permissions import action
from bottool_web.actions.runners import list_runners
from bottool_web.actions.site import Site
from bottool_web.store import runner_history
from bottool_web.store.scope import Principal

MOST_LINES = 1000
LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    at: datetime
    task_id: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How many tasks are in one state, and the sums of their items."""

    state: str
    count: int
    total_items: int
    processed_items: int
    failed_items: int


@action("runner.read")
def get_runner(site: Site, who: Principal, name: str) -> wire.Runner:
    """The runner of that machine id, or with that number.

    :raises NotFound: when there is none in this workspace.
    """
    known = list_runners(site, who)
    found = next((each for each in known if each.machine_id == name), None)
    found = found or next((each for each in known if str(each.id) == name), None)
    if found is None:
        raise NotFound(f"there is no runner '{checks.shortened(name)}'", "'bottool runner list' shows all")
    return found


@action("runner.read")
def history(site: Site, who: Principal, runner_id: int, *, limit: int = 100) -> list[Line]:
    """What the runner did, newest first."""
    limit = max(1, min(limit, MOST_LINES))
    rows = site.store.read(lambda tx: runner_history.newest(tx, who.scope, runner_id, limit))
    lines = [line for row in rows for line in _lines(row)]
    return sorted(lines, key=lambda line: (line.at, line.task_id), reverse=True)[:limit]


def _lines(row: Any) -> Iterator[Line]:
    what = f"task {row.task_id} ({row.automation}), attempt {row.number}"
    yield Line(at=row.leased_at, task_id=row.task_id, text=f"{what}: taken")
    if row.started_at is not None:
        yield Line(at=row.started_at, task_id=row.task_id, text=f"{what}: started")
    if row.ended_at is not None:
        how = f"{row.reason.replace('_', ' ')}" if row.reason else "over"
        code = f" with exit code {row.exit_code}" if row.exit_code is not None else ""
        first = next(iter(row.message.splitlines()), "")
        yield Line(at=row.ended_at, task_id=row.task_id, text=f"{what}: {how}{code}{': ' if first else ''}{first}")


@action("runner.read")
def summary(site: Site, who: Principal, runner_id: int, *, days: int) -> list[Ended]:
    """How the tasks ended that were made in the last ``days`` and whose newest attempt is this runner's.

    At most the newest ``runner_history.MOST_ATTEMPTS`` attempts are counted.
    """
    since = site.now() - timedelta(days=max(0, min(days, LONGEST_DAYS)))

    def work(tx: sa.Connection) -> list[Ended]:
        return [
            Ended(
                state=row.state,
                count=row.tasks,
                total_items=int(row.total_items),
                processed_items=int(row.processed_items),
                failed_items=int(row.failed_items),
            )
            for row in runner_history.by_state(tx, who.scope, runner_id, since)
        ]

    return site.store.read(work)
