"""Data pools move with the entries that wait, each of them once. They come switched off: nothing may be done twice."""

import hashlib
from typing import Any
from urllib.parse import quote

from bottool import wire
from bottool.errors import BottoolError
from bottool.moving.origin import Item, Origin, flag, items, text, whole, why
from bottool.moving.target import Journal, Target
from bottool.moving.things import read, with_label

FIELDS = {"TEXT": "text", "INTEGER": "integer", "DOUBLE": "double"}
POLICIES = {"FIFO": "fifo", "LIFO": "lifo"}
TRIGGERS = {"ALWAYS": "always", "NEVER": "never", "NO_TASK_ACTIVE": "no_task_active"}
OFF = "switched off, so that nothing is done twice: 'bottool pool on' when Maestro's is off"


def pools(origin: Origin, target: Target, journal: Journal) -> None:
    known = target.known("pools", wire.Pool, lambda each: each.label)
    automations = target.known("automations", wire.Automation, lambda each: each.label)
    for label, short in with_label(target, "data pool", read(origin, target, "data pool", "datapool"), "label"):
        try:
            each = short | origin.one("datapool", label)
        except BottoolError as error:
            target.told.add("data pool", label, "failed", f"could not be read whole: {why(error)}")
            continue
        new = _pool(label, each, automations)
        there = label in known
        if there:
            target.compare("data pool", label, known[label], {"schema": new.schema, "policy": new.policy})
        else:
            there = target.make("data pool", label, "pools", new, OFF)
        if there or target.dry:
            _entries(origin, target, journal, label)


def _pool(label: str, each: Item, automations: dict[str, wire.Automation]) -> wire.NewPool:
    policy: Any = POLICIES.get(text(each.get("consumptionPolicy")).upper(), "fifo")
    trigger: Any = TRIGGERS.get(text(each.get("trigger")).upper(), "never")
    automation = text(each.get("defaultActivity") or each.get("defaultAutomation"))
    return wire.NewPool(
        label=label,
        name=text(each.get("name")),
        automation=automation if automation in automations else "",
        policy=policy,
        schema=[_field(item) for item in items(each.get("schema")) if text(item.get("label"))],
        trigger=trigger,
        auto_retry=flag(each.get("autoRetry"), default=True),
        max_auto_retry=min(whole(each.get("maxAutoRetry")), 1000),
        abort_on_error=flag(each.get("abortOnError"), default=True),
        max_errors=min(whole(each.get("maxErrorsBeforeInactive")), 1_000_000),
        limits_time=flag(each.get("enableProcessingTime"), default=True),
        limit_minutes=min(whole(each.get("itemMaxProcessingTime")), 60 * 24 * 366),
        active=False,
    )


def _field(item: Item) -> wire.PoolField:
    kind: Any = FIELDS.get(text(item.get("type")).upper(), "text")
    return wire.PoolField(
        label=text(item.get("label")),
        type=kind,
        unique=flag(item.get("uniqueId"), default=False),
        shown=flag(item.get("displayValue"), default=False),
    )


def _entries(origin: Origin, target: Target, journal: Journal, label: str) -> None:
    """Those that wait there. One of which it is not known whether it came over is sent under the same key again."""
    made = there = failed = held = 0
    first = ""
    waiting: list[tuple[int, Item]] = []
    for each in read(origin, target, "entries", f"datapool/{quote(label, safe='')}/view"):
        state, entry_id = text(each.get("state")).upper(), whole(each.get("id"))
        held += state == "PROCESSING"
        if state == "PENDING" and entry_id:
            waiting.append((entry_id, each))
    # The list there begins with the newest, and pools give entries out in the order in which they came.
    for entry_id, each in sorted(waiting, key=lambda one: one[0]):
        name = f"{label}/{entry_id}"
        if journal.has(name):
            there += 1
        elif target.dry:
            made += 1
        else:
            try:
                _push(origin, target, label, each)
                journal.add(name)
                made += 1
            except BottoolError as error:
                failed, first = failed + 1, first or f"{entry_id}: {why(error)}"
    _tell(target, label, {"made": made, "there": there, "failed": failed, "held": held}, first)


def _push(origin: Origin, target: Target, label: str, each: Item) -> None:
    values = each.get("values")
    new = wire.NewEntry(
        values=values if isinstance(values, dict) else {}, priority=min(whole(each.get("priority")), 10)
    )
    seed = f"{origin.server}|{origin.workspace}|{label}|{each.get('id')}"
    key = f"maestro-{hashlib.sha256(seed.encode()).hexdigest()[:32]}"
    target.client.post(f"/rest/v1/pools/{quote(label, safe='')}/entries", new, key=key)


def _tell(target: Target, label: str, counts: dict[str, int], first: str) -> None:
    told = target.told
    if counts["made"]:
        told.add("entries", label, "would make" if target.dry else "made", f"{counts['made']} that wait")
    if counts["there"]:
        told.add("entries", label, "there", f"{counts['there']} came over before")
    if counts["failed"]:
        told.add("entries", label, "failed", f"{counts['failed']}; the first one, {first}")
    if counts["held"]:
        told.add("entries", label, "by hand", f"{counts['held']} are in work there: import again when they are done")
