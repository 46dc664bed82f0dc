"""What happens to data pools when an attempt or a task is over: entries come back, and the next task starts.

Called inside the write that ends the attempt, after everything else that it does: a task that runs again by itself is
active, and no other one starts beside it.
"""

import sqlalchemy as sa

from bottool.states import FINAL, AttemptState, TaskState
from bottool_web.actions.fencing import newest
from bottool_web.actions.pool_moves import put_back, start_task_if_wanted
from bottool_web.actions.site import Site
from bottool_web.store import attempts, pool_entries, pools, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

OVER = frozenset({AttemptState.ENDED, AttemptState.LOST})


def after_attempt(tx: sa.Connection, site: Site, who: Principal, task_id: int, number: int) -> None:
    """The attempt is over: what it pulled and did not report goes on by its pool's rule."""
    attempt = attempts.find(tx, who.scope, task_id, number)
    if attempt is None:
        return
    back = _come_back(tx, site, who, attempt.id)
    task = tasks.row(tx, who.scope, task_id)
    asked = (task.killed or task.interrupted) and task.state != TaskState.TIMED_OUT
    stopped = asked or task.state == TaskState.CANCELLED
    if TaskState(task.state) in FINAL and not stopped:
        _start_the_next(tx, site, who, (task, attempt), back)


def after_override(tx: sa.Connection, site: Site, who: Principal, task_id: int) -> None:
    """Somebody gave the task its result. An attempt that lives has its entries until it ends; a lost one no more."""
    _, attempt = newest(tx, who, task_id)
    if attempt is not None and AttemptState(attempt.state) in OVER:
        after_attempt(tx, site, who, task_id, attempt.number)


def _come_back(tx: sa.Connection, site: Site, who: Principal, attempt_id: int) -> dict[int, int]:
    """How many entries wait again, by pool."""
    held = pool_entries.held_by(tx, who.scope, attempt_id)
    if not held:
        return {}
    by_id = {each: pools.locked_by_id(tx, who.scope, each) for each in sorted({entry.pool_id for entry in held})}
    back: dict[int, int] = {}
    # Looked at again with their pools locked: a report may have come between.
    for entry in pool_entries.held_by(tx, who.scope, attempt_id):
        pool = by_id.get(entry.pool_id)
        if pool is not None and put_back(tx, site, who, pool, entry, silent=True):
            back[pool.id] = back.get(pool.id, 0) + 1
    return back


def _start_the_next(tx: sa.Connection, site: Site, who: Principal, over: tuple[Row, Row], back: dict[int, int]) -> None:
    """Tasks for what waits now that this one and its attempt are over; never for what ends every task at once.

    Entries that came back count: each of them can do so only a few times.
    """
    task, attempt = over
    for pool_id in pools.with_trigger(tx, who.scope, task.automation_id):
        pool = pools.locked_by_id(tx, who.scope, pool_id)
        if pool.trigger == "always":
            for _ in range(back.get(pool_id, 0)):
                start_task_if_wanted(tx, who, pool, site.now())
        elif back.get(pool_id) or pool_entries.has_work_after(tx, who.scope, pool_id, attempt):
            start_task_if_wanted(tx, who, pool, site.now())
