"""Work with a data pool, an entry at a time: push, pull, report, cancel, delete; and entries whose time is over.

A pull by a bot binds the entry to its attempt: nobody else's bot may report on it, and when the attempt ends without a
word it comes back. Many entries at once are in ``pool_bulk``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, StaleAttempt
from bottool.states import AttemptState
from bottool_web.actions import checks, pool_moves
from bottool_web.actions.fencing import newest
from bottool_web.actions.masking import masked
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.pool_values import HIGHEST_PRIORITY, columns, schema_of
from bottool_web.actions.pools import tell
from bottool_web.actions.results import MESSAGE_LIMIT
from bottool_web.actions.site import Site
from bottool_web.store import pool_entries, pool_lists, pools, tasks
from bottool_web.store.moves import Row
from bottool_web.store.pool_entries import Holder
from bottool_web.store.pool_lists import Move, Wanted
from bottool_web.store.scope import Principal

MOST_ROWS = 1000
MOST_COUNTED = 100_000
AT_ONCE = 500
STATES = ("pending", "processing", "done", "error", "timeout", "cancelled")
# Source: the state machine of Maestro's Python SDK. What is pulled is ``pool_entries.pull``.
_ALLOWED = {
    "pending": {"cancelled"},
    "processing": {"done", "error", "timeout"},
    "timeout": {"done", "error"},
}
_ENDED = frozenset({"done", "error"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which entries of a pool. Empty and ``None`` do not narrow; ``before`` is the id after which a list goes on."""

    state: str = ""
    search: str = ""
    before: int | None = None
    first: int = 0
    limit: int = 50
    descending: bool = True


@action("pool.push")
def push(site: Site, who: Principal, label: str, new: wire.NewEntry, *, idempotency_key: str = "") -> wire.PoolEntry:
    """Put an entry into the pool, also into one that is switched off.

    :raises InvalidInput: for values that the pool's schema does not allow.
    :raises Conflict: when an entry with the same unique key waits or is in work.
    """
    request = Request(act="pool.push", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.PoolEntry:
        pool = pools.locked(tx, who.scope, label)
        values = columns(schema_of(pool), new.values, new.priority)
        _check_key(tx, who, pool.id, values["unique_key"])
        made = pool_entries.add_one(tx, who.scope, pool.id, values, request.now)
        pools.count_moves(tx, who.scope, pool.id, {"open": 1})
        pool_moves.start_task_if_wanted(tx, who, pool, request.now)
        return pool_lists.get(tx, who.scope, pool.id, made)

    def work(tx: sa.Connection) -> wire.PoolEntry:
        _my_attempt(tx, who)
        return once(tx, who.scope, request, lambda: make(tx), wire.PoolEntry)[0]

    made = site.store.write(work)
    tell(site, who)
    return made


@action("pool.pull")
def pull(site: Site, who: Principal, label: str, *, idempotency_key: str = "") -> wire.Pulled:
    """Take the pool's next entry; none when nothing waits or the pool is switched off.

    :raises StaleAttempt: to a bot whose attempt is over, or was replaced or lost: it would take work with it.
    """
    request = Request(act="pool.pull", key=idempotency_key, body=wire.EntryCancel(message=label), now=site.now())

    def make(tx: sa.Connection, mine: Row | None) -> wire.Pulled:
        pool = pools.row(tx, who.scope, label)
        holder = _holder(who, pool, mine, request.now)
        taken = pool_entries.pull(tx, who.scope, pool, holder)
        if taken is None:
            return wire.Pulled()
        move = Move(kind="pulled", at=request.now, task_id=holder.task_id, attempt_id=holder.attempt_id)
        pool_lists.note(tx, who.scope, [taken], move)
        return wire.Pulled(entry=pool_lists.get(tx, who.scope, pool.id, taken))

    def work(tx: sa.Connection) -> wire.Pulled:
        mine = _my_attempt(tx, who)
        return once(tx, who.scope, request, lambda: make(tx, mine), wire.Pulled)[0]

    found = site.store.write(work)
    if found.entry is not None:
        site.hints.send(f"workspace:{who.workspace_id}")
    return found


@action("pool.read")
def get_entry(site: Site, who: Principal, label: str, entry_id: int) -> wire.PoolEntry:
    """:raises NotFound: when the pool, or the entry in it, is not there."""
    return site.store.read(lambda tx: pool_lists.get(tx, who.scope, pools.row(tx, who.scope, label).id, entry_id))


@action("pool.read")
def moves_of(site: Site, who: Principal, label: str, entry_id: int) -> list[wire.PoolMove]:
    """What happened to an entry, oldest first."""

    def look(tx: sa.Connection) -> list[wire.PoolMove]:
        pool_lists.get(tx, who.scope, pools.row(tx, who.scope, label).id, entry_id)
        return pool_lists.moves(tx, who.scope, entry_id)

    return site.store.read(look)


@action("pool.read")
def list_entries(site: Site, who: Principal, label: str, asked: Asked) -> list[wire.PoolEntry]:
    """Newest first unless asked otherwise. A search looks into the newest entries only, see ``pool_lists.SEARCHED``."""
    wanted = _wanted(asked)
    return site.store.read(lambda tx: pool_lists.page(tx, who.scope, pools.row(tx, who.scope, label).id, wanted))


@action("pool.read")
def page_of_entries(site: Site, who: Principal, label: str, asked: Asked) -> tuple[list[wire.PoolEntry], int]:
    """A page and how many match in all, counted up to ``MOST_COUNTED``."""
    wanted = _wanted(asked)

    def look(tx: sa.Connection) -> tuple[list[wire.PoolEntry], int]:
        pool_id = pools.row(tx, who.scope, label).id
        rows = pool_lists.page(tx, who.scope, pool_id, wanted) if wanted.first < MOST_COUNTED else []
        return rows, pool_lists.count(tx, who.scope, pool_id, wanted, MOST_COUNTED)

    return site.store.read(look)


@action("pool.push")
def change_entry(site: Site, who: Principal, label: str, entry_id: int, wanted: wire.EntryChange) -> wire.PoolEntry:
    """Report on an entry: its end, what was found, whose it is. The same word again is harmless.

    :raises Conflict: for a state that does not follow the one that it has.
    :raises StaleAttempt: to a bot of another attempt than the one that has the entry.
    """
    said = _said(site, who, wanted)

    def work(tx: sa.Connection) -> wire.PoolEntry:
        named = _named(tx, who, wanted.task_id)
        pool = pools.locked(tx, who.scope, label)
        entry = pool_entries.locked(tx, who.scope, pool.id, entry_id)
        _check_mine(who, entry, named)
        _write(tx, site, who, pool, entry, said | _binding(entry, named, wanted.task_id))
        return pool_lists.get(tx, who.scope, pool.id, entry_id)

    done = site.store.write(work)
    tell(site, who)
    return done


@action("pool.edit")
def cancel_entry(site: Site, who: Principal, label: str, entry_id: int, said: wire.EntryCancel) -> wire.PoolEntry:
    """:raises Conflict: when the entry does not wait any more."""
    change = wire.EntryChange(state="cancelled", message=said.message)
    done: wire.PoolEntry = change_entry(site, who, label, entry_id, change)
    return done


@action("pool.edit")
def delete_entry(site: Site, who: Principal, label: str, entry_id: int) -> None:
    """:raises Conflict: when somebody has the entry."""

    def work(tx: sa.Connection) -> None:
        _my_attempt(tx, who)
        pool = pools.locked(tx, who.scope, label)
        entry = pool_entries.locked(tx, who.scope, pool.id, entry_id)
        if entry.state in pool_moves.HELD:
            raise Conflict(f"entry {entry_id} is {entry.state}", "wait for its end", state=entry.state)
        pool_entries.remove(tx, who.scope, [entry_id])
        pools.count_moves(tx, who.scope, pool.id, {pool_moves.COUNTER[entry.state]: -1})

    site.store.write(work)
    tell(site, who)


@action("site.keep")
def call_overdue(site: Site, who: Principal) -> int:
    """Entries in work for longer than their pool allows are ``timeout``; whoever has them may still report them."""
    now = site.now()
    late = site.store.read(lambda tx: pool_entries.overdue(tx, who.scope, now, limit=AT_ONCE))

    def work(tx: sa.Connection) -> int:
        found = pool_entries.call_overdue(tx, who.scope, late, now)
        for each in found:
            move = Move(kind="timed_out", at=now, task_id=each.task_id, attempt_id=each.attempt_id)
            pool_lists.note(tx, who.scope, [each.id], move)
        return len(found)

    if not late:
        return 0
    number = site.store.write(work)
    site.hints.send(f"workspace:{who.workspace_id}")
    return number


def _my_attempt(tx: sa.Connection, who: Principal) -> Row | None:
    """The bot's attempt, its task locked; ``None`` for everybody else.

    :raises StaleAttempt: when it is not at work any more: entries that it took now would never come back.
    """
    if who.kind != "attempt" or who.task_id is None:
        return None
    _, attempt = newest(tx, who, who.task_id)
    if attempt is None or attempt.number != who.attempt:
        raise StaleAttempt(f"attempt {who.attempt} of task {who.task_id} was replaced", "end the bot")
    if _is_over(attempt):
        raise StaleAttempt(f"attempt {who.attempt} of task {who.task_id} is over", "end the bot")
    return attempt


def _is_over(attempt: Row) -> bool:
    return bool(attempt.state == AttemptState.ENDED or attempt.reason == "lost")


def _named(tx: sa.Connection, who: Principal, task_id: int | None) -> Row | None:
    """Who is at work for the caller: its own attempt, or the living one of the task that a person or program names.

    :raises NotFound: when there is no such task.
    """
    mine = _my_attempt(tx, who)
    if task_id is None:
        return mine
    if mine is not None:
        tasks.row(tx, who.scope, task_id)
        return mine
    _, attempt = newest(tx, who, task_id)
    return None if attempt is None or _is_over(attempt) else attempt


def _holder(who: Principal, pool: Row, mine: Row | None, now: datetime) -> Holder:
    limited = pool.limits_time and pool.limit_minutes
    return Holder(
        at=now,
        due_at=now + timedelta(minutes=pool.limit_minutes) if limited else None,
        task_id=who.task_id if mine is not None else None,
        attempt_id=mine.id if mine is not None else None,
    )


def _said(site: Site, who: Principal, wanted: wire.EntryChange) -> dict[str, Any]:
    said = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET}
    said.pop("task_id", None)
    if "message" in said:
        said["message"] = masked(site, who, checks.text(said["message"], "message"))[:MESSAGE_LIMIT]
    if "priority" in said:
        checks.number(said["priority"], "priority", 0, HIGHEST_PRIORITY)
    if wanted.task_id is not None:
        checks.number(wanted.task_id, "task_id", 1, checks.LARGEST_ID)
    return said


def _check_mine(who: Principal, entry: Row, named: Row | None) -> None:
    if who.kind == "attempt" and named is not None and entry.attempt_id not in {None, named.id}:
        raise StaleAttempt(f"entry {entry.id} is not '{who.name}'s: another attempt has it", "pull the next one")


def _binding(entry: Row, named: Row | None, task_id: int | None) -> dict[str, Any]:
    """Whose the entry is from now on, where nobody has it yet. The task that is shown is the one that was said."""
    found: dict[str, Any] = {}
    if entry.state not in pool_moves.HELD:
        return found
    if entry.attempt_id is None and named is not None:
        found = {"task_id": named.task_id, "attempt_id": named.id}
    return found if task_id is None else {**found, "task_id": task_id}


def _write(tx: sa.Connection, site: Site, who: Principal, pool: Row, entry: Row, said: dict[str, Any]) -> None:
    state = said.get("state", entry.state)
    _check_step(entry, state)
    if "values" in said or "priority" in said:
        said |= _new_values(tx, who, pool, entry, said)
    if state == entry.state:
        if said:
            pool_entries.change(tx, who.scope, entry.id, said)
        return
    if state == "error":
        said["error_type"] = said.get("error_type") or "system"
    elif state == "done":
        said["error_type"] = ""
    if state == "timeout":
        pool_entries.change(tx, who.scope, entry.id, said)
        pool_moves.note(tx, who, {**entry._asdict(), **said}, "timed_out", site.now())
    else:
        pool_moves.end(tx, site, who, pool, entry, {"message": entry.message, **said})


def _check_step(entry: Row, state: str) -> None:
    if state == entry.state or state in _ALLOWED.get(entry.state, ()):
        return
    follows = " or ".join(sorted(_ALLOWED.get(entry.state, ()))) or "nothing"
    hint = "pull it" if (entry.state, state) == ("pending", "processing") else f"after {entry.state} comes {follows}"
    raise Conflict(f"entry {entry.id} is {entry.state} and cannot become {state}", hint, state=entry.state)


def _new_values(tx: sa.Connection, who: Principal, pool: Row, entry: Row, said: Mapping[str, Any]) -> dict[str, Any]:
    before = entry._asdict()
    wanted = {name: said.get(name, before[name]) for name in ("values", "priority")}
    found = columns(schema_of(pool), wanted["values"], wanted["priority"])
    if found["unique_key"] != entry.unique_key and entry.state in {"pending", "processing"}:
        _check_key(tx, who, pool.id, found["unique_key"])
    return found


def _check_key(tx: sa.Connection, who: Principal, pool_id: int, key: str) -> None:
    if key and (taken := pool_entries.taken_keys(tx, who.scope, pool_id, [key])):
        raise Conflict(
            f"entry {taken[key]} has the unique key '{checks.shortened(key)}' already",
            "it may come again once that entry has ended",
            entry=taken[key],
        )


def _wanted(asked: Asked) -> Wanted:
    return Wanted(
        state=asked.state if asked.state in STATES else "",
        search=checks.name(asked.search, "search"),
        before=asked.before,
        first=asked.first,
        limit=max(1, min(asked.limit, MOST_ROWS + 1)),
        descending=asked.descending,
    )
