"""Data pools and their entries."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Response, request

from bottool import wire
from bottool.errors import InvalidInput, NotFound
from bottool_web.actions import pool_work, pools
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, body, call, paging
from bottool_web.store.scope import Principal

POOL_ROWS = 1000
"""Some clients say page and size where nobody looks and ask on until a page is the last one."""
TYPES = ("TEXT", "INTEGER", "DOUBLE")
POLICIES = ("FIFO", "LIFO")
TRIGGERS = ("ALWAYS", "NEVER", "NO_TASK_ACTIVE")
STATES = ("PENDING", "PROCESSING", "DONE", "ERROR", "TIMEOUT", "CANCELED")
ERRORS = ("SYSTEM", "BUSINESS")
NO_TASK = frozenset({"", "none", "null", "undefined", "0"})
"""What clients that run without a task make of its id."""


def _one_of(names: tuple[str, ...]) -> Callable[[Any, str], str]:
    return lambda value, field: words.literal(value, names, field).lower()


_SETTINGS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "name": ("name", words.text_in),
    "repositoryLabel": ("repository", words.text_in),
    # Written under one name and read under another; some write back what they have read.
    "defaultAutomation": ("automation", words.text_in),
    "defaultActivity": ("automation", words.text_in),
    "autoRetry": ("auto_retry", words.flag_in),
    "abortOnError": ("abort_on_error", words.flag_in),
    "enableProcessingTime": ("limits_time", words.flag_in),
    "active": ("active", words.flag_in),
    "maxAutoRetry": ("max_auto_retry", words.count_in),
    "maxErrorsBeforeInactive": ("max_errors", words.count_in),
    "itemMaxProcessingTime": ("limit_minutes", words.count_in),
    "consumptionPolicy": ("policy", _one_of(POLICIES)),
    "trigger": ("trigger", _one_of(TRIGGERS)),
}
"""What each of Maestro's names is here, and how it is read."""


@blueprint.post("/datapool")
@call("pool.change")
def create(site: Site, who: Principal) -> dict[str, Any]:
    sent = body()
    new = msgspec.convert({"label": words.text_in(sent.get("label"), "label"), **settings_in(sent, [])}, wire.NewPool)
    return pool_out(pools.create(site, who, new))


@blueprint.get("/datapool")
@call("pool.read")
def listed(site: Site, who: Principal) -> dict[str, Any]:
    page, search = paging(POOL_ROWS), asked("label")
    rows = pools.list_pools(site, who, search=search, offset=page.first, limit=page.size)
    total = pools.count_pools(site, who, search)
    return words.page_out(list(map(pool_out, rows)), number=page.number, size=page.size, total=total)


@blueprint.get("/datapool/<pool>")
@call("pool.read")
def get(site: Site, who: Principal, pool: str) -> dict[str, Any]:
    return pool_out(pools.get_pool(site, who, pool))


@blueprint.post("/datapool/<pool>")
@call("pool.change")
def change(site: Site, who: Principal, pool: str) -> dict[str, Any]:
    """The whole pool, or what shall change of it: what is missing or null stays."""
    known = pools.get_pool(site, who, pool).schema
    wanted = msgspec.convert(settings_in(body(), known), wire.PoolChange)
    return pool_out(pools.change(site, who, pool, wanted))


@blueprint.delete("/datapool/<pool>")
@call("pool.delete")
def delete(site: Site, who: Principal, pool: str) -> dict[str, Any]:
    pools.delete(site, who, pool)
    return {"message": f"the data pool '{pool}' is deleted", "type": "success"}


@blueprint.get("/datapool/<pool>/summary")
@call("pool.read")
def summary(site: Site, who: Principal, pool: str) -> dict[str, Any]:
    return counts_out(pools.get_pool(site, who, pool))


@blueprint.post("/datapool/<pool>/push")
@call("pool.push")
def push(site: Site, who: Principal, pool: str) -> dict[str, Any]:
    sent = body()
    new = wire.NewEntry(
        values=values_in(sent.get("values")) or {}, priority=words.count_in(sent.get("priority"), "priority") or 0
    )
    return entry_out(pool_work.push(site, who, pool, new))


@blueprint.get("/datapool/<pool>/pull")
@call("pool.pull")
def pull(site: Site, who: Principal, pool: str) -> Response | dict[str, Any]:
    """Takes an entry although it is a GET: nobody may keep the answer, and a HEAD takes nothing."""
    if request.method == "HEAD":
        pools.get_pool(site, who, pool)
        return _nothing()
    found: wire.Pulled = pool_work.pull(site, who, pool)
    return entry_out(found.entry) if found.entry is not None else _nothing()


@blueprint.get("/datapool/<pool>/view")
@call("pool.read")
def view(site: Site, who: Principal, pool: str) -> dict[str, Any]:
    page = paging()
    if page.sort not in {"", "id", "dateRegister"}:
        raise InvalidInput(f"'{page.sort}' is nothing to sort by", "there are: id, dateRegister", path="sort")
    state = asked("state")
    wanted = pool_work.Asked(
        state=state_in(state) if state else "",
        search=asked("search"),
        first=page.first,
        limit=page.size,
        descending=page.descending or not page.sort,
    )
    rows, total = pool_work.page_of_entries(site, who, pool, wanted)
    content = [entry_out(each) for each in rows]
    return words.page_out(content, number=page.number, size=page.size, total=total, ordered=bool(page.sort))


@blueprint.get("/datapool/<pool>/entry/<entry>")
@call("pool.read")
def get_entry(site: Site, who: Principal, pool: str, entry: str) -> dict[str, Any]:
    return entry_out(pool_work.get_entry(site, who, pool, id_in(entry)))


@blueprint.post("/datapool/<pool>/entry/<entry>")
@call("pool.push")
def save(site: Site, who: Principal, pool: str, entry: str) -> dict[str, Any]:
    """What is missing or null stays as it is."""
    sent = body()
    said: dict[str, Any] = {"task_id": task_in(sent.get("taskId"))}
    values = values_in(sent.get("values"))
    if values is not None:
        said["values"] = values
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "priority": ("priority", lambda value: words.count_in(value, "priority")),
        "state": ("state", state_in),
        "message": ("message", lambda value: words.text_in(value, "message")),
        "errorType": ("error_type", error_in),
    }
    for name, (field, read) in readers.items():
        if sent.get(name) is not None:
            said[field] = read(sent[name])
    return entry_out(pool_work.change_entry(site, who, pool, id_in(entry), wire.EntryChange(**said)))


@blueprint.put("/datapool/<pool>/entry/<entry>/cancel")
@call("pool.edit")
def cancel(site: Site, who: Principal, pool: str, entry: str) -> dict[str, Any]:
    said = wire.EntryCancel(message=words.text_in(body().get("message"), "message"))
    return entry_out(pool_work.cancel_entry(site, who, pool, id_in(entry), said))


@blueprint.delete("/datapool/<pool>/entry/<entry>")
@call("pool.edit")
def delete_entry(site: Site, who: Principal, pool: str, entry: str) -> dict[str, Any]:
    pool_work.delete_entry(site, who, pool, id_in(entry))
    return {"message": f"entry {entry} is deleted", "type": "success"}


def _nothing() -> Response:
    """204 with no body, which clients read as: there is nothing to do."""
    return Response(status=204, headers={"Cache-Control": "no-store"})


def settings_in(sent: dict[str, Any], known: list[wire.PoolField]) -> dict[str, Any]:
    """What a client says of a pool, in our words; what is missing or null is not in it.

    ``known`` is the schema so far: some clients send it back without saying which field is the key and which is shown.
    """
    found: dict[str, Any] = {}
    for name, (field, read) in _SETTINGS.items():
        if sent.get(name) is not None:
            found.setdefault(field, read(sent[name], name))
    if sent.get("schema") is not None:
        found["schema"] = schema_in(sent["schema"], known)
    return found


def schema_in(value: Any, known: list[wire.PoolField]) -> list[wire.PoolField]:
    """:raises InvalidInput: for what is no list of fields."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidInput("'schema' is no list of fields", "send objects with label and type", path="schema")
    before = {field.label: field for field in known}
    return [_field_in(each, before) for each in value]


def _field_in(sent: dict[str, Any], before: dict[str, wire.PoolField]) -> wire.PoolField:
    label = words.text_in(sent.get("label"), "schema.label")
    old = before.get(label, wire.PoolField(label=label))
    kind = sent.get("type")
    unique, shown = sent.get("uniqueId"), sent.get("displayValue")
    return msgspec.convert(
        {
            "label": label,
            "type": old.type if kind is None else words.literal(kind, TYPES, "schema.type").lower(),
            "unique": old.unique if unique is None else words.flag_in(unique, "schema.uniqueId"),
            "shown": old.shown if shown is None else words.flag_in(shown, "schema.displayValue"),
        },
        wire.PoolField,
    )


def values_in(value: Any) -> dict[str, Any] | None:
    """:raises InvalidInput: for what is no object."""
    if value is not None and not isinstance(value, dict):
        raise InvalidInput("'values' is no object", "send the fields and what they hold", path="values")
    return value


def state_in(value: Any) -> str:
    name = words.literal(value, STATES, "state")
    return "cancelled" if name == "CANCELED" else name.lower()


def error_in(value: Any) -> str:
    return words.literal(value, ERRORS, "errorType").lower() if value != "" else ""


def task_in(value: Any) -> int | None:
    """The task that an entry is said to be of: a number or a text; ``None`` for the many ways to say none."""
    if value is None or (isinstance(value, str) and value.strip().casefold() in NO_TASK):
        return None
    return words.count_in(value, "taskId") or None


def id_in(entry: str) -> int:
    """:raises NotFound: for what is no number: no entry has such an id."""
    if not (entry.isascii() and entry.isdigit()):
        raise NotFound(f"there is no entry '{words.shown(entry)}' in this data pool")
    return min(int(entry[:20]), 2**31)


def pool_out(pool: wire.Pool) -> dict[str, Any]:
    """Nothing in it is null but the automation and the date that nobody knows."""
    return {
        "id": pool.id,
        "label": pool.label,
        "name": pool.name,
        "defaultActivity": pool.automation or None,
        "defaultAutomation": pool.automation or None,
        "consumptionPolicy": pool.policy.upper(),
        "schema": [
            {
                "label": field.label,
                "type": field.type.upper(),
                "uniqueId": field.unique,
                "displayValue": field.shown,
            }
            for field in pool.schema
        ],
        "trigger": pool.trigger.upper(),
        "autoRetry": pool.auto_retry,
        "maxAutoRetry": pool.max_auto_retry,
        "abortOnError": pool.abort_on_error,
        "maxErrorsBeforeInactive": pool.max_errors,
        "enableProcessingTime": pool.limits_time,
        "itemMaxProcessingTime": pool.limit_minutes,
        "dateTimeout": None,
        "active": pool.active,
        "repositoryLabel": pool.repository,
        **counts_out(pool),
    }


def counts_out(pool: wire.Pool) -> dict[str, Any]:
    return {
        "countPending": pool.counts.pending,
        "countProcessing": pool.counts.processing,
        "countDone": pool.counts.done,
        "countError": pool.counts.error,
        "countTimeout": pool.counts.timeout,
        "countCanceled": pool.counts.cancelled,
        "avgDone": pool.counts.average_seconds,
        "active": pool.active,
    }


def entry_out(entry: wire.PoolEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "dataPoolLabel": entry.pool,
        "priority": entry.priority,
        "values": entry.values,
        "state": "CANCELED" if entry.state == "cancelled" else entry.state.upper(),
        "uniqueKey": entry.unique_key,
        "displayValue": entry.display_value,
        "message": entry.message,
        "errorType": entry.error_type.upper() or None,
        "retryIndex": entry.retry_index,
        "runner": entry.runner or None,
        "taskId": entry.task_id,
        "parent": entry.parent,
        "child": entry.child,
        "dateRegister": words.date_out(entry.created_at),
        "dateProcessing": words.date_out(entry.taken_at),
        "dateFinished": words.date_out(entry.ended_at),
    }
