"""Schedules: when automations run by themselves."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from bottool.wire.base import Message

Dialect = Literal["quartz", "unix", "once"]
Missed = Literal["skip", "once", "all"]


class Calendar(Message, kw_only=True, frozen=True):
    """A plain calendar form instead of an expression; it is kept as one.

    ``time`` is ``08:30``, ``date`` (for ``once``) ``2026-12-24``. ``on`` are weekdays such as ``mon`` or ``weekdays``,
    or for ``monthly`` days such as ``1``, ``15`` and ``last``.
    """

    repeat: Literal["once", "daily", "weekly", "monthly"]
    time: str
    date: str = ""
    on: list[str] = []


class ScheduleRun(Message, kw_only=True, frozen=True):
    """What came of one due time. ``skipped`` says why in ``reason``, and may stand for several: ``times``."""

    id: int
    at: datetime
    outcome: Literal["fired", "skipped"]
    reason: str = ""
    times: int = 1
    task_id: int | None = None
    task_state: str = ""


class Schedule(Message, kw_only=True, frozen=True):
    """``words`` say ``expression`` in English; times are local in ``zone``, an IANA name; ``next_at`` is UTC.

    ``missed``: what happens with times that passed while no server ran: nothing, one run, or the newest
    ``missed_most``. Without ``overlap`` it does not start while a task of it waits or runs. ``note`` says why the site
    itself paused it. ``state``: ``active``, ``paused``, or ``over`` when no time lies ahead.
    """

    id: int
    label: str
    state: Literal["active", "paused", "over"] = "active"
    automation: str
    automation_name: str = ""
    repository: str = "DEFAULT"
    description: str = ""
    dialect: Dialect
    expression: str
    zone: str
    words: str = ""
    parameters: dict[str, Any] = {}
    priority: int | None = None
    test: bool = False
    missed: Missed = "once"
    missed_most: int = 10
    overlap: bool = True
    enabled: bool = True
    note: str = ""
    ends_at: datetime | None = None
    next_at: datetime | None = None
    last_run: ScheduleRun | None = None
    created_at: datetime
    created_by: str = ""
    changed_at: datetime


class NewSchedule(Message, kw_only=True, frozen=True):
    """Either ``expression`` or ``calendar``. ``label`` is made from the automation's when it is not given.

    ``priority`` 0 to 10, 10 first; ``None`` takes the automation's.
    """

    automation: str
    label: str = ""
    description: str = ""
    dialect: Dialect = "quartz"
    expression: str = ""
    calendar: Calendar | None = None
    zone: str = "UTC"
    parameters: dict[str, Any] = {}
    undeclared_parameters: bool = False
    """Parameters that the automation does not declare are taken too, as schedules of Maestro have them."""
    priority: int | None = None
    test: bool = False
    missed: Missed = "once"
    missed_most: int = 10
    overlap: bool = True
    enabled: bool = True
    ends_at: datetime | None = None


class ScheduleChange(Message, kw_only=True, frozen=True):
    """Absent (``UNSET``) leaves a field as it is; ``parameters`` are replaced as a whole."""

    label: str | msgspec.UnsetType = msgspec.UNSET
    automation: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    dialect: Dialect | msgspec.UnsetType = msgspec.UNSET
    expression: str | msgspec.UnsetType = msgspec.UNSET
    calendar: Calendar | msgspec.UnsetType = msgspec.UNSET
    zone: str | msgspec.UnsetType = msgspec.UNSET
    parameters: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType | None = msgspec.UNSET
    test: bool | msgspec.UnsetType = msgspec.UNSET
    missed: Missed | msgspec.UnsetType = msgspec.UNSET
    missed_most: int | msgspec.UnsetType = msgspec.UNSET
    overlap: bool | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET
    ends_at: datetime | msgspec.UnsetType | None = msgspec.UNSET


class Wish(Message, kw_only=True, frozen=True):
    """When something would be due: what a preview is asked for. ``after`` is now unless it is given."""

    dialect: Dialect = "quartz"
    expression: str = ""
    calendar: Calendar | None = None
    zone: str = "UTC"
    count: int = 5
    after: datetime | None = None


class Preview(Message, kw_only=True, frozen=True):
    """``fires`` are UTC and fewer than asked for when it ends; ``notes`` tell when the zone's clocks change."""

    dialect: Dialect
    expression: str
    zone: str
    words: str
    fires: list[datetime]
    local: list[str] = []
    """The same moments as clocks in the zone show them, with the offset."""
    notes: list[str] = []
