"""How entries of data pools move: to their end, to another try, back when an attempt ends, and the tasks they start.

Called inside a write with the pool locked. Knows no HTTP and nobody's rights.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool_web.actions.site import Site
from bottool_web.store import audit, pool_entries, pools, tasks
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

HELD = frozenset({"processing", "timeout"})
COUNTER = {"pending": "open", "processing": "open", "timeout": "open", "done": "done"} | {
    "error": "failed",
    "cancelled": "cancelled",
}
"""Which of the pool's counters an entry in a state is in."""


def end(tx: sa.Connection, site: Site, who: Principal, pool: Row, entry: Row, said: Mapping[str, Any]) -> None:
    """The entry is done, failed or cancelled, as ``said["state"]`` says; ``said`` are columns of the entry."""
    now, state = site.now(), said["state"]
    pool_entries.change(tx, who.scope, entry.id, {**said, "ended_at": now, "due_at": None})
    by: dict[str, float] = {COUNTER[entry.state]: -1, COUNTER[state]: 1}
    if state == "done":
        by["done_seconds"] = max((now - (entry.taken_at or now)).total_seconds(), 0.0)
    pools.count_moves(tx, who.scope, pool.id, by)
    if state == "error" and said["error_type"] == "system":
        _after_system_error(tx, site, who, pool, {**entry._asdict(), **said})
    elif pool.errors_in_row and state != "cancelled":
        pools.change(tx, who.scope, pool.id, {"errors_in_row": 0}, now)


def _after_system_error(tx: sa.Connection, site: Site, who: Principal, pool: Row, entry: Mapping[str, Any]) -> None:
    now, in_row = site.now(), pool.errors_in_row + 1
    values: dict[str, Any] = {"errors_in_row": in_row}
    aborts = bool(pool.active and pool.abort_on_error and 0 < pool.max_errors <= in_row)
    if aborts:
        why = f"{in_row} errors of the system on end"
        values |= {"active": False, "note": why}
        audit.record(tx, who.scope, "pool.change", pool.label, now, active=False, why=why)
    pools.change(tx, who.scope, pool.id, values, now)
    if pool.auto_retry and entry["retry_index"] < pool.max_auto_retry:
        try_again(tx, who, pool, entry, now)
        if not aborts:
            start_task_if_wanted(tx, who, pool, now)


def try_again(tx: sa.Connection, who: Principal, pool: Row, entry: Mapping[str, Any], now: datetime) -> int:
    """A new pending entry with the same values, linked with the one that failed; returns its id."""
    same = ("priority", "values", "unique_key", "display_value")
    values = {name: entry[name] for name in same}
    values |= {"retry_index": entry["retry_index"] + 1, "parent_id": entry["id"]}
    made = pool_entries.add_one(tx, who.scope, pool.id, values, now)
    pool_entries.change(tx, who.scope, entry["id"], {"child_id": made})
    pools.count_moves(tx, who.scope, pool.id, {"open": 1})
    return made


def start_task_if_wanted(tx: sa.Connection, who: Principal, pool: Row, now: datetime) -> int | None:
    """The task that the pool's trigger wants now; ``None`` when it wants none."""
    if not pool.active or pool.automation_id is None or pool.trigger == "never":
        return None
    if pool.trigger == "no_task_active" and pools.has_unfinished_task(tx, who.scope, pool.automation_id):
        return None
    return start_task(tx, who, pool, now)


def start_task(tx: sa.Connection, who: Principal, pool: Row, now: datetime) -> int | None:
    if not pools.automation_lives(tx, who.scope, pool.automation_id):
        return None
    rules = tasks.rules_of(tx, who.scope, pool.automation_id)
    defaults = {item["label"]: item["default"] for item in rules.parameters if item.get("default") is not None}
    new = tasks.NewRow(
        automation_id=pool.automation_id,
        repository_id=rules.repository_id,
        priority=rules.priority,
        parameters=defaults,
        at=now,
    )
    return tasks.add(tx, who.scope, new)


def come_back(tx: sa.Connection, site: Site, who: Principal, attempt_id: int) -> None:
    """An attempt is over: what it pulled and did not report goes on by its pool's rule."""
    held = pool_entries.held_by(tx, who.scope, attempt_id)
    for pool_id in sorted({entry.pool_id for entry in held}):
        pools.locked_by_id(tx, who.scope, pool_id)
    # Looked at again with their pools locked: a report may have come between.
    for entry in pool_entries.held_by(tx, who.scope, attempt_id):
        pool = pools.locked_by_id(tx, who.scope, entry.pool_id)
        if pool.on_attempt_end == "error":
            why = "its task ended without a word about it"
            end(tx, site, who, pool, entry, {"state": "error", "error_type": "system", "message": why})
        else:
            pool_entries.change(tx, who.scope, entry.id, returned(entry))


def returned(entry: Row) -> dict[str, Any]:
    """The columns of an entry that waits again."""
    return {
        "state": "pending",
        "task_id": None,
        "attempt_id": None,
        "taken_at": None,
        "due_at": None,
        "returned": entry.returned + 1,
    }


def start_when_idle(tx: sa.Connection, site: Site, who: Principal, task: Row) -> None:
    """The task is over: where entries are left and no other task of its automation is there, one starts.

    Only for pools of which this task brought an entry to an end: one that dies at once would start without end.
    """
    for pool in pools.with_trigger(tx, who.scope, task.automation_id):
        if pools.has_unfinished_task(tx, who.scope, task.automation_id):
            return
        if not pool_entries.has_pending(tx, who.scope, pool.id):
            continue
        if pool_entries.task_ended_any(tx, who.scope, pool.id, task.id):
            start_task(tx, who, pool, site.now())
