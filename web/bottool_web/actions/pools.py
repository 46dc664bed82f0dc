"""Data pools: made, read, changed, switched on and off, deleted. Their entries are in ``pool_work``."""

from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool_web.actions import checks
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.pool_moves import start_task_if_wanted
from bottool_web.actions.pool_values import check_schema
from bottool_web.actions.site import Site
from bottool_web.store import audit, automations, pool_entries, pools, workspaces
from bottool_web.store.scope import Principal

MOST_ROWS = 1000
MOST_MINUTES = 60 * 24 * 366
MOST_RETRIES = 1000
MOST_ERRORS = 1_000_000
PURGED_AT_ONCE = 2000
MOST_PURGES = 100


@action("pool.read")
def list_pools(  # one for each way to narrow
    site: Site, who: Principal, *, search: str = "", before: int | None = None, offset: int = 0, limit: int = 50
) -> list[wire.Pool]:
    """Newest first. ``before`` is the last id of the page before."""
    wanted = checks.name(search, "search")
    rows = max(1, min(limit, MOST_ROWS + 1))
    return site.store.read(
        lambda tx: pools.page(tx, who.scope, search=wanted, before=before, offset=offset, limit=rows)
    )


@action("pool.read")
def count_pools(site: Site, who: Principal, search: str = "") -> int:
    wanted = checks.name(search, "search")
    return site.store.read(lambda tx: pools.count(tx, who.scope, wanted))


@action("pool.read")
def get_pool(site: Site, who: Principal, label: str) -> wire.Pool:
    """:raises NotFound: when there is none with this label."""
    return site.store.read(lambda tx: pools.get(tx, who.scope, label))


@action("pool.change")
def create(site: Site, who: Principal, new: wire.NewPool, *, idempotency_key: str = "") -> wire.Pool:
    """:raises Conflict: when a living pool has the label; that of a deleted one is free.

    :raises InvalidInput: for a schema or a number that may not be.
    """
    checks.spoken_label(new.label, "label")
    said = msgspec.structs.asdict(new)
    _check(said)
    request = Request(act="pool.change", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Pool:
        pools.add(tx, who.scope, {"label": new.label, **_columns(tx, who, said)}, request.now)
        audit.record(tx, who.scope, request.act, f"pool {new.label}", request.now, made=True)
        return pools.get(tx, who.scope, new.label)

    def work(tx: sa.Connection) -> wire.Pool:
        check_bot(tx, who)
        return once(tx, who.scope, request, lambda: make(tx), wire.Pool)[0]

    made = site.store.write(work)
    tell(site, who)
    return made


@action("pool.change")
def change(site: Site, who: Principal, label: str, wanted: wire.PoolChange) -> wire.Pool:
    """Change what ``wanted`` names. Who switches a pool on wipes its count of errors too, and what waits gets a task.

    :raises InvalidInput: for a schema or a number that may not be.
    """
    said = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET}
    _check(said)
    now = site.now()

    def work(tx: sa.Connection) -> wire.Pool:
        check_bot(tx, who)
        pool = pools.locked(tx, who.scope, label)
        values = _columns(tx, who, said)
        if said.get("active"):
            values |= {"note": "", "errors_in_row": 0}
        if values:
            pools.change(tx, who.scope, pool.id, values, now)
            changed = {name: said[name] for name in sorted(said) if name != "schema"}
            audit.record(tx, who.scope, "pool.change", f"pool {pool.label}", now, **changed)
        if said.get("active") and not pool.active and pool_entries.has_pending(tx, who.scope, pool.id):
            start_task_if_wanted(tx, who, pools.locked_by_id(tx, who.scope, pool.id), now)
        return pools.get(tx, who.scope, label)

    changed = site.store.write(work)
    tell(site, who)
    return changed


@action("pool.delete")
def delete(site: Site, who: Principal, label: str) -> None:
    """The pool and its entries; its label may be used again."""
    now = site.now()

    def work(tx: sa.Connection) -> None:
        check_bot(tx, who)
        pool = pools.locked(tx, who.scope, label)
        pools.change(tx, who.scope, pool.id, {"deleted_at": now, "active": False}, now)
        audit.record(tx, who.scope, "pool.delete", f"pool {label}", now, open=pool.open, done=pool.done)

    site.store.write(work)
    tell(site, who)


@action("site.keep")
def purge(site: Site, who: Principal) -> int:
    """Drop entries of deleted pools, so many at a time that no other write waits long; returns how many."""
    dropped = 0
    for _ in range(MOST_PURGES):
        gone = site.store.write(lambda tx: pool_entries.purge(tx, who.scope, PURGED_AT_ONCE))
        dropped += gone
        if gone < PURGED_AT_ONCE:
            break
    return dropped


def tell(site: Site, who: Principal) -> None:
    """Wake who looks at the workspace, and runners that wait: a trigger may have started a task."""
    site.hints.send(f"workspace:{who.workspace_id}", f"queue:{who.workspace_id}")


def _check(said: dict[str, Any]) -> None:
    if "name" in said:
        checks.name(said["name"], "name")
    if "schema" in said:
        check_schema(said["schema"])
    for path, most in (("max_auto_retry", MOST_RETRIES), ("max_errors", MOST_ERRORS), ("limit_minutes", MOST_MINUTES)):
        if path in said:
            checks.number(said[path], path, 0, most)


def _columns(tx: sa.Connection, who: Principal, said: dict[str, Any]) -> dict[str, Any]:
    """Of the table, for what a request says.

    :raises NotFound: for a repository or an automation that is not there.
    """
    values = {name: value for name, value in said.items() if name not in {"label", "repository", "automation"}}
    if "schema" in said:
        values["schema"] = [msgspec.to_builtins(field) for field in said["schema"]]
    if "repository" in said:
        values["repository_id"] = workspaces.repository_id(tx, who.scope, said["repository"])
    if "automation" in said:
        label = said["automation"]
        values["automation_id"] = automations.id_of(tx, who.scope, label) if label else None
    return values
