"""Automations as people and programs see them, in /rest/v1."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from bottool.wire.base import Message
from bottool.wire.displays import DisplayKind
from bottool.wire.notices import NoticeType


class Parameter(Message, kw_only=True, frozen=True):
    """One parameter of an automation. ``choices`` counts for type ``choice`` only."""

    label: str
    type: Literal["text", "integer", "decimal", "boolean", "choice", "date"] = "text"
    required: bool = False
    default: Any = None
    help: str = ""
    choices: list[str] = []


class Automation(Message, kw_only=True, frozen=True):
    """``bot_id`` is ``""`` while it has no bot; ``runners`` are machine ids, in the order of linking."""

    id: int
    label: str
    name: str
    description: str = ""
    repository: str = "DEFAULT"
    bot_id: str = ""
    technology: str = ""
    """The bot's."""
    runners: list[str] = []
    parameters: list[Parameter] = []
    priority: int = 0
    timeout_seconds: int | None = None
    silence_seconds: int | None = None
    """How long a bot may print nothing; ``None`` in this and the limits below is no limit."""
    memory_limit_bytes: int | None = None
    process_limit: int | None = None
    output_limit_bytes: int | None = None
    disk_limit_bytes: int | None = None
    interrupt_seconds: int = 5
    """How long a bot that reached a limit may take to end by itself once it was interrupted, before the signal."""
    grace_seconds: int = 10
    """How long a bot may take to end after the signal, before it is killed."""
    max_attempts: int = 1
    """1: started at most once. More: started again after a failure that was seen, at most so often in all; after a
    mere loss of contact, when the bot may still run, only with ``retry_on_lost``."""
    retry_on_lost: bool = False
    """Its bots are ended by their own machine when that loses contact, so that another may be started in their stead,
    within ``max_attempts``."""
    report_required: bool = False
    display: DisplayKind = "none"
    """What its bot draws on: ``virtual`` is a screen for each task alone, ``screen`` the machine's own, unlocked."""
    display_size: str = "1280x1024"
    display_depth: int = 24
    """Only runners on machines with a display take its tasks, and one such bot at a time runs on a machine."""
    notify_users: list[str] = []
    """E-mail addresses of users who are told by mail of ``notify_types``."""
    notify_channels: list[str] = []
    """Labels of chat channels that are told."""
    notify_types: list[NoticeType] = []
    waiting_minutes: int = 30
    """So long may a task wait before people are told that no runner can take it, where ``notify_types`` has it."""
    credentials: list[str] | None = None
    """Labels of the credentials that its bots may read and change, maybe none; ``None``: all of the workspace."""
    waiting: int = 0
    active: int = 0
    created_at: datetime


class NewAutomation(Message, kw_only=True, frozen=True):
    """``name`` defaults to the label. ``runners`` that are not known yet are made (offline until they register)."""

    label: str
    name: str = ""
    description: str = ""
    repository: str = "DEFAULT"
    bot_id: str = ""
    runners: list[str] = []
    parameters: list[Parameter] = []
    priority: int = 0
    timeout_seconds: int | None = None
    silence_seconds: int | None = None
    memory_limit_bytes: int | None = None
    process_limit: int | None = None
    output_limit_bytes: int | None = None
    disk_limit_bytes: int | None = None
    interrupt_seconds: int = 5
    grace_seconds: int = 10
    max_attempts: int = 1
    retry_on_lost: bool = False
    report_required: bool = False
    display: DisplayKind = "none"
    display_size: str = "1280x1024"
    display_depth: int = 24
    notify_users: list[str] = []
    notify_channels: list[str] = []
    notify_types: list[NoticeType] = []
    waiting_minutes: int = 30
    credentials: list[str] | None = None


class AutomationChange(Message, kw_only=True, frozen=True):
    """Absent (``UNSET``) leaves a field as it is; a list replaces the whole list."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    bot_id: str | msgspec.UnsetType = msgspec.UNSET
    runners: list[str] | msgspec.UnsetType = msgspec.UNSET
    parameters: list[Parameter] | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    timeout_seconds: int | msgspec.UnsetType | None = msgspec.UNSET
    silence_seconds: int | msgspec.UnsetType | None = msgspec.UNSET
    memory_limit_bytes: int | msgspec.UnsetType | None = msgspec.UNSET
    process_limit: int | msgspec.UnsetType | None = msgspec.UNSET
    output_limit_bytes: int | msgspec.UnsetType | None = msgspec.UNSET
    disk_limit_bytes: int | msgspec.UnsetType | None = msgspec.UNSET
    interrupt_seconds: int | msgspec.UnsetType = msgspec.UNSET
    grace_seconds: int | msgspec.UnsetType = msgspec.UNSET
    max_attempts: int | msgspec.UnsetType = msgspec.UNSET
    retry_on_lost: bool | msgspec.UnsetType = msgspec.UNSET
    report_required: bool | msgspec.UnsetType = msgspec.UNSET
    display: DisplayKind | msgspec.UnsetType = msgspec.UNSET
    display_size: str | msgspec.UnsetType = msgspec.UNSET
    display_depth: int | msgspec.UnsetType = msgspec.UNSET
    notify_users: list[str] | msgspec.UnsetType = msgspec.UNSET
    notify_channels: list[str] | msgspec.UnsetType = msgspec.UNSET
    notify_types: list[NoticeType] | msgspec.UnsetType = msgspec.UNSET
    waiting_minutes: int | msgspec.UnsetType = msgspec.UNSET
    credentials: list[str] | msgspec.UnsetType | None = msgspec.UNSET
