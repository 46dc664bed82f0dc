"""How entries of data pools move: to their end, to another try, back to those that wait; and the tasks that they start.

Called inside a write with the pool locked. Knows no HTTP and nobody's rights. Locks are taken in one order everywhere:
tasks, then pools, each by id, then entries.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool_web.actions.site import Site
from bottool_web.store import alerts, audit, notices, pool_entries, pool_lists, pools, tasks
from bottool_web.store.moves import Row
from bottool_web.store.pool_lists import Move
from bottool_web.store.scope import Principal

HELD = frozenset({"processing", "timeout"})
COUNTER = {
    "pending": "open",
    "processing": "open",
    "timeout": "open",
    "done": "done",
    "error": "failed",
    "cancelled": "cancelled",
}
"""Which of the pool's counters an entry in a state is in."""
MOST_RETURNS = 3
"""So often an attempt may end without a word about an entry; then the entry itself is to blame."""
_TOLD = {"done": "done", "error": "failed", "cancelled": "cancelled"}


def end(tx: sa.Connection, site: Site, who: Principal, pool: Row, entry: Row, said: Mapping[str, Any]) -> None:
    """The entry is done, failed or cancelled, as ``said["state"]`` says; ``said`` are columns of the entry."""
    now, state = site.now(), said["state"]
    pool_entries.change(tx, who.scope, entry.id, {**said, "ended_at": now, "due_at": None})
    by: dict[str, float] = {COUNTER[entry.state]: -1, COUNTER[state]: 1}
    if state == "done":
        by["done_seconds"] = max((now - (entry.taken_at or now)).total_seconds(), 0.0)
    pools.count_moves(tx, who.scope, pool.id, by)
    told = {**entry._asdict(), **said}
    note(tx, who, told, _TOLD[state], now, message=told["message"])
    if state == "error" and told["error_type"] == "system":
        _after_system_error(tx, site, who, pool, told)
    elif state != "cancelled":
        pools.change(tx, who.scope, pool.id, {"errors_in_row": 0}, now)


def note(  # what happened to what, by whom, when and why
    tx: sa.Connection, who: Principal, entry: Mapping[str, Any], kind: str, now: datetime, *, message: str = ""
) -> None:
    """Write a line of the entry's history."""
    move = Move(kind=kind, at=now, task_id=entry["task_id"], attempt_id=entry["attempt_id"], message=message)
    pool_lists.note(tx, who.scope, [entry["id"]], move)


def _after_system_error(tx: sa.Connection, site: Site, who: Principal, pool: Row, entry: Mapping[str, Any]) -> None:
    # Read again: several entries may end in one write.
    pool, now = pools.locked_by_id(tx, who.scope, pool.id), site.now()
    in_row = pool.errors_in_row + 1
    values: dict[str, Any] = {"errors_in_row": in_row}
    aborts = bool(pool.active and pool.abort_on_error and 0 < pool.max_errors <= in_row)
    if aborts:
        why = f"{in_row} errors of the system on end, the last one: {entry['message'] or 'without a message'}"
        values |= {"active": False, "note": why}
        _tell_of_abort(tx, who, pool, entry, why, now)
    pools.change(tx, who.scope, pool.id, values, now)
    if pool.auto_retry and entry["retry_index"] < pool.max_auto_retry:
        made = try_again(tx, who, pool, entry, now)
        if made is not None and not aborts:
            start_task_if_wanted(tx, who, pool, now)


def _tell_of_abort(  # of which pool, over which entry, why and when
    tx: sa.Connection, who: Principal, pool: Row, entry: Mapping[str, Any], why: str, now: datetime
) -> None:
    audit.record(tx, who.scope, "pool.change", f"pool {pool.label}", now, active=False, why=why)
    if entry["task_id"] is None:
        return
    # An alert is of a task: the one that brought the last error.
    said = f"Nothing is pulled from '{pool.label}' until somebody switches it on again: {why}"
    title = f"Data pool '{pool.label}' was switched off"
    new = wire.NewAlert(task_id=entry["task_id"], title=title, message=said, type="error")
    notices.tell_of_alert(tx, who.scope, alerts.add(tx, who.scope, new, now))


def try_again(
    tx: sa.Connection, who: Principal, pool: Row, entry: Mapping[str, Any], now: datetime, *, counted: bool = True
) -> int | None:
    """A new pending entry with the same values, linked with the one that failed; returns its id.

    ``None`` when another entry has its unique key by now: that one is the next try already. Tries that are not
    ``counted`` leave the new entry all of its automatic ones.
    """
    key = entry["unique_key"]
    if key and pool_entries.taken_keys(tx, who.scope, pool.id, [key]):
        return None
    values = {name: entry[name] for name in ("priority", "values", "unique_key", "display_value")}
    values |= {"retry_index": entry["retry_index"] + 1 if counted else 0, "parent_id": entry["id"]}
    made = pool_entries.add_one(tx, who.scope, pool.id, values, now)
    pool_entries.change(tx, who.scope, entry["id"], {"child_id": made})
    pools.count_moves(tx, who.scope, pool.id, {"open": 1})
    note(tx, who, entry, "requeued", now)
    return made


def put_back(tx: sa.Connection, site: Site, who: Principal, pool: Row, entry: Row, *, silent: bool) -> bool:
    """Somebody had the entry and has it no more; returns whether it waits again.

    ``silent``: an attempt ended without a word about it. Too many of those, and the entry has failed.
    """
    now = site.now()
    other = entry.state == "timeout" and entry.unique_key
    taken = pool_entries.taken_keys(tx, who.scope, pool.id, [entry.unique_key]) if other else {}
    if taken:
        why = f"entry {taken[entry.unique_key]} has the same unique key and goes in its stead"
        end(tx, site, who, pool, entry, {"state": "cancelled", "message": why})
        return False
    if silent and (pool.on_attempt_end == "error" or entry.returned >= MOST_RETURNS):
        times = "" if pool.on_attempt_end == "error" else f" {entry.returned + 1} times"
        why = f"its task ended{times} without a word about it"
        end(tx, site, who, pool, entry, {"state": "error", "error_type": "system", "message": why})
        return False
    note(tx, who, entry._asdict(), "returned", now)
    free = {"state": "pending", "task_id": None, "attempt_id": None, "taken_at": None, "due_at": None}
    pool_entries.change(tx, who.scope, entry.id, {**free, "returned": entry.returned + 1 if silent else 0})
    return True


def start_task_if_wanted(tx: sa.Connection, who: Principal, pool: Row, now: datetime) -> int | None:
    """The task that the pool's trigger wants for one more entry; ``None`` when it wants none."""
    if not pool.active or pool.automation_id is None or pool.trigger == "never":
        return None
    if pool.trigger == "no_task_active" and pools.has_unfinished_task(tx, who.scope, pool.automation_id):
        return None
    return start_task(tx, who, pool, now)


def start_task(tx: sa.Connection, who: Principal, pool: Row, now: datetime) -> int | None:
    """A task of the pool's automation with its default parameters; ``None`` when that was deleted."""
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
    return tasks.add(tx, replace(who, name=f"data pool '{pool.label}'").scope, new)
