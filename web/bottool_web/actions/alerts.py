"""Alerts: what a bot, or somebody in its stead, wants people to see."""

import sqlalchemy as sa

from bottool import wire
from bottool_web.actions import checks
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import alerts
from bottool_web.store.scope import Principal

PAGE_ROWS = 100
MOST_ROWS = 1000


@action("alert.create")
def create_alert(site: Site, who: Principal, new: wire.NewAlert, *, idempotency_key: str = "") -> wire.Alert:
    """:raises StaleAttempt: to a bot whose task another attempt works on by now."""
    checks.name(new.title, "title")
    checks.text(new.message, "message")
    checks.number(new.task_id, "task_id", 1, checks.LARGEST_ID)
    request = Request(act="alert.create", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Alert:
        check_bot(tx, who)
        return alerts.add(tx, who.scope, new, request.now)

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Alert))
    site.hints.send(f"workspace:{who.workspace_id}", f"task:{new.task_id}")
    return made


@action("alert.read")
def list_alerts(
    site: Site, who: Principal, task_id: int | None = None, *, before: int | None = None, limit: int = PAGE_ROWS
) -> list[wire.Alert]:
    """Newest first; of one task, or of all."""
    limit = max(1, min(limit, MOST_ROWS))
    return site.store.read(lambda tx: alerts.newest(tx, who.scope, task_id=task_id, before=before, limit=limit))
