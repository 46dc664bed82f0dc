"""Tasks: asked for, looked at, explained, and moved by people and programs. What runners do is in ``attempts``."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool_web.actions import checks, fencing, news
from bottool_web.actions.explain import explain
from bottool_web.actions.finishing import finish, report
from bottool_web.actions.once import Request, once
from bottool_web.actions.parameters import check_parameters
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.actions.stopping import cancel, interrupt, restart, stop
from bottool_web.store import automations, events, task_lists, tasks
from bottool_web.store.scope import Principal

__all__ = [
    "cancel",
    "count_by_state",
    "create",
    "explain",
    "finish",
    "get_task",
    "interrupt",
    "list_events",
    "list_tasks",
    "page_of_tasks",
    "report",
    "restart",
    "stop",
]

MOST_ROWS = 10_000
MOST_COUNTED = 100_000
LONGEST_DAYS = 36_500


@action("task.create")
def create(
    site: Site, who: Principal, new: wire.NewTask, *, idempotency_key: str = "", loose: bool = False
) -> wire.Task:
    """Ask for a run of an automation. Once this returns, the task is never lost.

    ``loose`` lets parameters pass that the automation does not know. A repeated ``idempotency_key`` gets the same task.

    :raises NotFound: for an automation that is not there.
    :raises InvalidInput: for parameters or a priority that may not be, or a key that came with another request.
    :raises StaleAttempt: for a bot whose attempt was replaced.
    """
    if new.priority is not None:
        checks.number(new.priority, "priority", 0, 10)
    request = Request(act="task.create", key=idempotency_key, body=new, now=site.now())

    def work(tx: sa.Connection) -> wire.Task:
        fencing.check_bot(tx, who)
        made, _ = once(tx, who.scope, request, lambda: _add(tx, site, who, new, loose=loose), wire.Task)
        return made

    made = site.store.write(work)
    news.tell(site, who, made.id, news.queue_of(who))
    return made


def _add(tx: sa.Connection, site: Site, who: Principal, new: wire.NewTask, *, loose: bool) -> wire.Task:
    automation_id = automations.id_of(tx, who.scope, new.automation)
    rules = tasks.rules_of(tx, who.scope, automation_id)
    declared = wire.Automation(
        id=automation_id,
        label=rules.label,
        name=rules.label,
        parameters=msgspec.convert(rules.parameters, list[wire.Parameter]),
        created_at=rules.created_at,
    )
    now = site.now()
    ahead = new.earliest_at is not None and new.earliest_at > now
    task_id = tasks.add(
        tx,
        who.scope,
        tasks.NewRow(
            automation_id=automation_id,
            repository_id=rules.repository_id,
            priority=rules.priority if new.priority is None else new.priority,
            parameters=check_parameters(declared, new.parameters, loose=loose),
            at=now,
            earliest_at=new.earliest_at if ahead else None,
            test=new.test,
        ),
    )
    return tasks.get(tx, who.scope, task_id)


@action("task.read")
def get_task(site: Site, who: Principal, task_id: int) -> wire.Task:
    """:raises NotFound: when there is none in this workspace."""
    return site.store.read(lambda tx: tasks.get(tx, who.scope, task_id))


@action("task.read")
def list_tasks(  # noqa: PLR0913  # each is a filter of the list
    site: Site,
    who: Principal,
    *,
    states: tuple[str, ...] = (),
    automation: str = "",
    machine: str = "",
    before: int | None = None,
    limit: int = 50,
    days: int | None = None,
) -> list[wire.Task]:
    """Newest first. ``before`` is the last id of the page before; ``days`` counts back from now."""
    wanted = task_lists.Wanted(
        states=states,
        automation=automation,
        machine=machine,
        before=before,
        since=_since(site, days),
        limit=max(1, min(limit, MOST_ROWS)),
    )
    return site.store.read(lambda tx: task_lists.page(tx, who.scope, wanted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which page of which tasks. Empty and ``None`` do not narrow; ``sort`` is one of ``SORTS``."""

    states: tuple[str, ...] = ()
    automation: str = ""
    machine: str = ""
    days: int | None = None
    first: int = 0
    limit: int = 50
    sort: str = "id"
    descending: bool = True


SORTS = frozenset(task_lists.SORTS)


@action("task.read")
def page_of_tasks(site: Site, who: Principal, asked: Asked) -> tuple[list[wire.Task], int]:
    """A page, and how many tasks match in all, counted up to ``MOST_COUNTED``; behind that there is no page.

    Of one machine's tasks ``task_lists.NEWEST`` are counted. A list that is not sorted by id shows so many of the
    newest that match.
    """
    wanted = task_lists.Wanted(
        states=asked.states,
        automation=asked.automation,
        machine=asked.machine,
        since=_since(site, asked.days),
        first=asked.first,
        limit=asked.limit,
        sort=asked.sort,
        descending=asked.descending,
    )
    most = MOST_COUNTED if asked.sort == "id" and not asked.machine else task_lists.NEWEST

    def work(tx: sa.Connection) -> tuple[list[wire.Task], int]:
        rows = task_lists.page(tx, who.scope, wanted) if asked.first < most else []
        return rows, task_lists.count(tx, who.scope, wanted, most)

    return site.store.read(work)


def _since(site: Site, days: int | None) -> datetime | None:
    return None if days is None else site.now() - timedelta(days=max(0, min(days, LONGEST_DAYS)))


@action("task.read")
def count_by_state(site: Site, who: Principal) -> dict[str, int]:
    """How many tasks are in each state; a state that does not occur is left out."""
    return site.store.read(lambda tx: tasks.count_by_state(tx, who.scope))


@action("task.read")
def list_events(site: Site, who: Principal, task_id: int) -> list[wire.Event]:
    """The task's history, oldest first.

    :raises NotFound: when there is no such task in this workspace.
    """

    def work(tx: sa.Connection) -> list[wire.Event]:
        tasks.row(tx, who.scope, task_id)
        return events.of_task(tx, who.scope, task_id)

    return site.store.read(work)
