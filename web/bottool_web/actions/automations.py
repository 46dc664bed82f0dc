"""Automations: which bot runs where, with which parameters."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, InvalidInput, NotFound
from bottool_web.actions import checks, displays
from bottool_web.actions.once import Request, once
from bottool_web.actions.parameters import check_declared, check_parameters
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import audit, automations, bots, credential_lists, notices, runners, workspaces
from bottool_web.store.scope import Principal

__all__ = ["change", "check_parameters", "create", "delete", "get_automation", "list_automations"]

LONGEST_TIMEOUT_SECONDS = 30 * 24 * 3600
LONGEST_END_SECONDS = 3600
MOST_ATTEMPTS = 100
LONGEST_WAIT_MINUTES = 30 * 24 * 60
RANGES = {
    "priority": (0, 10),
    "max_attempts": (1, MOST_ATTEMPTS),
    "waiting_minutes": (1, LONGEST_WAIT_MINUTES),
    "timeout_seconds": (1, LONGEST_TIMEOUT_SECONDS),
    "silence_seconds": (1, LONGEST_TIMEOUT_SECONDS),
    "memory_limit_bytes": (10**6, 2**50),
    "process_limit": (1, 10**6),
    "output_limit_bytes": (1, 2**50),
    "disk_limit_bytes": (10**6, 2**50),
    "interrupt_seconds": (0, LONGEST_END_SECONDS),
    "grace_seconds": (0, LONGEST_END_SECONDS),
}
"""From the least to the most. Less memory than a megabyte runs no bot: whoever says that means another unit."""


@action("automation.read")
def list_automations(site: Site, who: Principal) -> list[wire.Automation]:
    """By label."""
    return site.store.read(lambda tx: automations.all_living(tx, who.scope))


@action("automation.read")
def get_automation(site: Site, who: Principal, label: str) -> wire.Automation:
    return site.store.read(lambda tx: automations.get(tx, who.scope, label))


@action("automation.create")
def create(site: Site, who: Principal, new: wire.NewAutomation, *, idempotency_key: str = "") -> wire.Automation:
    """Make an automation; runners that are not known yet are made with it.

    :raises Conflict: when the label is taken.
    """
    checks.label(new.label, "label")
    said = {**msgspec.structs.asdict(new), "name": new.name or new.label}
    _check(said)
    request = Request(act="automation.create", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Automation:
        columns = _columns(tx, who, said)
        columns["label"] = new.label
        columns["repository_id"] = workspaces.repository_id(tx, who.scope, new.repository)
        made = automations.add(tx, who.scope, columns, request.now)
        _link(tx, site, who, made, new.runners)
        _tell(tx, who, made, said)
        credential_lists.put(tx, who.scope, made, said["credentials"])
        audit.record(tx, who.scope, request.act, new.label, request.now)
        return automations.get(tx, who.scope, new.label)

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Automation))
    return _changed(site, who, made)


@action("automation.change")
def change(site: Site, who: Principal, label: str, wanted: wire.AutomationChange) -> wire.Automation:
    """Change what is set in ``wanted`` and nothing else. Tasks that exist keep their parameters."""
    said = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET}
    if said.get("name") == "":
        said["name"] = label
    _check(said)
    now = site.now()

    def make(tx: sa.Connection) -> wire.Automation:
        row = automations.id_of(tx, who.scope, label)
        automations.change(tx, who.scope, row, _columns(tx, who, said))
        if "runners" in said:
            _link(tx, site, who, row, said["runners"])
        _tell(tx, who, row, said)
        if "credentials" in said:
            credential_lists.put(tx, who.scope, row, said["credentials"])
        audit.record(tx, who.scope, "automation.change", label, now, fields=sorted(said))
        return automations.get(tx, who.scope, label)

    return _changed(site, who, site.store.write(make))


@action("automation.delete")
def delete(site: Site, who: Principal, label: str) -> None:
    """Take it out of use; its tasks are kept, and its label may be used again.

    :raises Conflict: while tasks of it wait or run.
    """
    now = site.now()

    def make(tx: sa.Connection) -> None:
        row = automations.id_of(tx, who.scope, label)
        if count := automations.unfinished(tx, who.scope, row):
            raise Conflict(f"'{label}' has {count} tasks that wait or run", "cancel or stop them first")
        automations.delete(tx, who.scope, row, now)
        audit.record(tx, who.scope, "automation.delete", label, now)

    site.store.write(make)
    site.hints.send(f"workspace:{who.workspace_id}")


def _check(said: dict[str, Any]) -> None:
    """What holds for every field that was said, of a new automation and of a change."""
    if "name" in said:
        checks.name(said["name"], "name")
    if "description" in said:
        checks.text(said["description"], "description")
    for name, (low, high) in RANGES.items():
        if said.get(name) is not None:
            checks.number(said[name], name, low, high)
    if "parameters" in said:
        check_declared(said["parameters"])
    displays.check(said)
    _check_lists(said)


def _check_lists(said: dict[str, Any]) -> None:
    for index, machine_id in enumerate(said.get("runners", ())):
        checks.label(machine_id, f"runners[{index}]")
    for field in ("notify_users", "notify_channels", "credentials"):
        for index, each in enumerate(said.get(field) or ()):
            checks.name(each, f"{field}[{index}]")


def _columns(tx: sa.Connection, who: Principal, said: dict[str, Any]) -> dict[str, Any]:
    plain = (
        *("name", "description", "report_required", "retry_on_lost", "display", "display_size", "display_depth"),
        *RANGES,
    )
    columns = {name: said[name] for name in plain if name in said}
    if "parameters" in said:
        columns["parameters"] = msgspec.to_builtins(said["parameters"])
    if "bot_id" in said:
        columns["bot_id"] = _bot_row(tx, who, said["bot_id"])
    return columns


def _bot_row(tx: sa.Connection, who: Principal, bot_id: str) -> int | None:
    if not bot_id:
        return None
    try:
        return bots.id_of(tx, who.scope, checks.text(bot_id, "bot_id"))
    except NotFound as error:
        raise InvalidInput(error.message, error.hint, path="bot_id") from error


def _link(tx: sa.Connection, site: Site, who: Principal, automation_row: int, machine_ids: Sequence[str]) -> None:
    rows = [runners.find_or_add(tx, who.scope, machine_id, site.now()) for machine_id in machine_ids]
    automations.link_runners(tx, who.scope, automation_row, rows)


def _tell(tx: sa.Connection, who: Principal, automation_row: int, said: dict[str, Any]) -> None:
    """Whom the automation tells of what, as far as it was said."""
    setters = {
        "notify_users": notices.set_users,
        "notify_channels": notices.set_channels,
        "notify_types": notices.set_types,
    }
    for field, change_ in setters.items():
        if field in said:
            change_(tx, who.scope, automation_row, said[field])


def _changed(site: Site, who: Principal, automation: wire.Automation) -> wire.Automation:
    site.hints.send(f"workspace:{who.workspace_id}", f"queue:{who.workspace_id}")
    return automation
