"""Tasks that wait too long because no runner can take them: people are told, once of each task.

A queue behind busy runners moves, and is nobody's fault: it is not told of. Knows nobody's rights.
"""

from datetime import timedelta

import sqlalchemy as sa

from bottool_web.actions import explain
from bottool_web.actions.deliveries import TOPIC
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import notices, waiting
from bottool_web.store.scope import Principal

AT_ONCE = 10_000


@action("site.keep")
def tell_of_waiting(site: Site, who: Principal) -> int:
    """Messages for the automations that tell of it; returns of how many tasks.

    An automation tells at most once in the time that its tasks may wait, however many of them there are.
    """
    now = site.now()
    due = site.store.read(lambda tx: waiting.automations(tx, who.scope))
    told = 0
    for row in due:
        patience = timedelta(minutes=row.waiting_minutes)
        if row.waiting_told_at is None or row.waiting_told_at + patience <= now:
            told += _look(site, who, row.id, patience)
    if told:
        site.hints.send(TOPIC)
    return told


def _look(site: Site, who: Principal, automation_id: int, patience: timedelta) -> int:
    before = site.now() - patience
    if not site.store.read(lambda tx: waiting.overdue(tx, who.scope, automation_id, before, 1)):
        return 0

    def work(tx: sa.Connection) -> int:
        blocked = explain.blocked(tx, site, who, automation_id)
        if not blocked:
            return 0
        late = waiting.overdue(tx, who.scope, automation_id, before, AT_ONCE)
        told = waiting.mark(tx, who.scope, automation_id, late, site.now())
        if told:
            notices.tell_of_waiting(tx, who.scope, automation_id, told, blocked, site.now())
        return len(told)

    return site.store.write(work)
