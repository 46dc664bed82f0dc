"""Alerts: what a bot, or somebody in its stead, wants people to see."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool_web.actions import checks
from bottool_web.actions.deliveries import TOPIC
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.masking import masked
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import alerts, notices
from bottool_web.store.scope import Principal

PAGE_ROWS = 100
MOST_ROWS = 1000
MOST_COUNTED = 100_000
LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which alerts are wanted. Empty and ``None`` do not narrow; ``days`` counts back from now."""

    task_id: int | None = None
    type: str = ""
    automation: str = ""
    search: str = ""
    days: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@action("alert.create")
def create_alert(site: Site, who: Principal, new: wire.NewAlert, *, idempotency_key: str = "") -> wire.Alert:
    """Whoever the automation tells of such alerts gets it from the outbox.

    :raises StaleAttempt: to a bot whose task another attempt works on by now.
    """
    checks.name(new.title, "title")
    checks.text(new.message, "message")
    checks.number(new.task_id, "task_id", 1, checks.LARGEST_ID)
    request = Request(act="alert.create", key=idempotency_key, body=new, now=site.now())
    kept = msgspec.structs.replace(new, title=masked(site, who, new.title), message=masked(site, who, new.message))

    def make(tx: sa.Connection) -> wire.Alert:
        check_bot(tx, who)
        made = alerts.add(tx, who.scope, kept, request.now)
        notices.tell_of_alert(tx, who.scope, made)
        return made

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Alert))
    site.hints.send(f"workspace:{who.workspace_id}", f"task:{new.task_id}", TOPIC)
    return made


@action("alert.read")
def list_alerts(  # noqa: PLR0913  # one for each filter of the list
    site: Site,
    who: Principal,
    task_id: int | None = None,
    *,
    type: str = "",  # noqa: A002  # its name on the wire
    automation: str = "",
    search: str = "",
    days: int | None = None,
    before: int | None = None,
    limit: int = PAGE_ROWS,
) -> list[wire.Alert]:
    """Newest first; of one task, or of all."""
    said = Filter(task_id=task_id, type=type, automation=automation, search=search, days=days)
    wanted = _wanted(site, said, before=before, limit=max(1, min(limit, MOST_ROWS)))
    return site.store.read(lambda tx: alerts.page(tx, who.scope, wanted))


@action("alert.read")
def page_of_alerts(
    site: Site, who: Principal, said: Filter, *, first: int, limit: int, descending: bool = True
) -> tuple[list[wire.Alert], int]:
    """A page and how many there are in all, counted up to ``MOST_COUNTED``."""
    wanted = _wanted(site, said, first=first, limit=max(1, min(limit, MOST_ROWS)), descending=descending)
    return site.store.read(
        lambda tx: (alerts.page(tx, who.scope, wanted), alerts.count(tx, who.scope, wanted, MOST_COUNTED))
    )


def _wanted(
    site: Site, said: Filter, *, before: int | None = None, first: int = 0, limit: int, descending: bool = True
) -> alerts.Wanted:
    since = said.since
    if said.days is not None:
        since = site.now() - timedelta(days=max(1, min(said.days, LONGEST_DAYS)))
    return alerts.Wanted(
        task_id=min(said.task_id, checks.LARGEST_ID) if said.task_id is not None else None,
        type=said.type,
        automation=checks.name(said.automation, "automation"),
        search=checks.name(said.search, "search"),
        since=since,
        until=said.until,
        before=before,
        first=first,
        limit=limit,
        descending=descending,
    )
