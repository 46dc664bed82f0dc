"""What has changed since an automation last worked: its package, what it ran with, where, with which words.

Compares two tasks by what was written down of each at its time. Called inside a read; masks nothing but what is named
like a secret.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool_web.store import evidence
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

MOST = 200
LONGEST_VALUE = 200
HIDDEN = "***"
_SECRET = re.compile(r"passw|pwd|secret|token|api.?key|credential|senha", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """``task_id`` is the one that worked; ``None`` when none did."""

    task_id: int | None = None
    changes: tuple[wire.Change, ...] = ()
    unknown: tuple[str, ...] = ()


def since_it_worked(tx: sa.Connection, who: Principal, task: Row) -> Since:
    """What is different from the newest task of the automation before ``task`` that succeeded."""
    before = evidence.last_worked(tx, who.scope, task)
    if before is None:
        return Since()
    then, now = evidence.ran(tx, who.scope, before), evidence.ran(tx, who.scope, task)
    found: list[wire.Change] = []
    unknown: list[str] = []
    if then is None or now is None:
        unknown += ["package", "runner", "interpreter", "dependencies"]
    else:
        found += _packages(then, now)
        if then.told is None or now.told is None:
            unknown += ["interpreter", "dependencies"]
        else:
            found += _equipment(_equipment_of(then), _equipment_of(now))
        found += _differs("runner", "", then.machine_id, now.machine_id)
    found += _parameters(before.parameters, task.parameters)
    found += _asked_for(tx, who, before, task)
    return Since(task_id=before.id, changes=tuple(found[:MOST]), unknown=tuple(unknown))


def shown(label: str, value: Any) -> str:
    """A parameter's value for people; what is named like a secret is hidden."""
    if _SECRET.search(label) and value not in (None, ""):
        return HIDDEN
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _differs(what: Any, name: str, before: str, now: str) -> Iterator[wire.Change]:
    if before != now:
        yield wire.Change(what=what, name=name, before=before, now=now)


def _packages(then: Row, now: Row) -> Iterator[wire.Change]:
    if then.sha256 != now.sha256 or then.version != now.version:
        before, after = (f"{each.version} ({each.sha256[:12]})" for each in (then, now))
        yield wire.Change(what="package", before=before, now=after)


def _equipment_of(row: Row) -> wire.Equipment:
    return msgspec.convert(row.told, wire.Equipment, strict=False)


def _equipment(then: wire.Equipment, now: wire.Equipment) -> Iterator[wire.Change]:
    yield from _differs("interpreter", "", then.interpreter, now.interpreter)
    yield from _differs("system", "", then.system, now.system)
    before, after = ({each.name: each.version or "any version" for each in one.dependencies} for one in (then, now))
    for name in sorted(before.keys() | after.keys()):
        yield from _differs("dependency", name, before.get(name, ""), after.get(name, ""))


def _parameters(then: dict[str, Any], now: dict[str, Any]) -> Iterator[wire.Change]:
    for label in sorted(then.keys() | now.keys()):
        before, after = (shown(label, one[label]) if label in one else "" for one in (then, now))
        if then.get(label) != now.get(label) or (label in then) != (label in now):
            yield wire.Change(what="parameter", name=label, before=before, now=after)


def _asked_for(tx: sa.Connection, who: Principal, before: Row, task: Row) -> Iterator[wire.Change]:
    """Who or what asked for either task, and what people did to the schedule and the automation in between."""
    then, now = evidence.schedule_of(tx, who.scope, before.id), evidence.schedule_of(tx, who.scope, task.id)
    yield from _differs("schedule", "", then or before.created_by, now or task.created_by)
    times = (before.created_at, task.created_at)
    label = evidence.automation_label(tx, who.scope, task.automation_id)
    for what, act, subject in (("schedule", "schedule.change", now), ("automation", "automation.change", label)):
        for row in evidence.changed_between(tx, who.scope, act, subject, times) if subject else ():
            fields = ", ".join(map(str, row.detail.get("fields", [])))
            when = row.at.isoformat(timespec="seconds")
            said = wire.Change(what="schedule") if what == "schedule" else wire.Change(what="automation")
            told = f"{fields}: changed by {row.actor}, {when}"
            yield msgspec.structs.replace(said, name=subject, before="as it was", now=told)
