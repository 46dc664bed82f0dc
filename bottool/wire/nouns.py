"""What people and programs see: the nouns of /rest/v1."""

import re
from datetime import datetime
from typing import Any, Literal

import msgspec

from bottool.wire.base import Message
from bottool.wire.notices import NoticeType
from bottool.wire.work import Fault

_ENDED_BY_OTHERS = re.compile(r"(the bot )?(was ended by|was stopped|ran out of time|ran longer than)\b")
_NAMES_AN_ERROR = re.compile(r"[\w.$]*(Error|Exception)\b.*:")


class Login(Message, kw_only=True, frozen=True):
    """Either ``login`` and ``key`` of a workspace, or ``email`` and ``password`` of a user."""

    login: str = ""
    key: str = ""
    email: str = ""
    password: str = ""
    workspace: str = ""
    """Label of the workspace to work in, for a user who belongs to several; ``""`` takes the first."""


class LoggedIn(Message, kw_only=True, frozen=True):
    token: str
    workspace: str
    expires_at: datetime


class Status(Message, kw_only=True, frozen=True):
    version: str
    protocol: int
    ready: bool


class Workspace(Message, kw_only=True, frozen=True):
    """``maestro`` and ``maestro_old``: whether clients of Maestro, and of its old form interface, are answered."""

    label: str
    name: str
    login: str
    maestro: bool
    maestro_old: bool
    created_at: datetime


class WorkspaceChange(Message, kw_only=True, frozen=True):
    """Absent (``UNSET``) leaves a switch as it is."""

    maestro: bool | msgspec.UnsetType = msgspec.UNSET
    maestro_old: bool | msgspec.UnsetType = msgspec.UNSET


class Parameter(Message, kw_only=True, frozen=True):
    """One parameter of an automation. ``choices`` counts for type ``choice`` only."""

    label: str
    type: Literal["text", "integer", "decimal", "boolean", "choice", "date"] = "text"
    required: bool = False
    default: Any = None
    help: str = ""
    choices: list[str] = []


class BotVersion(Message, kw_only=True, frozen=True):
    version: str
    state: Literal["empty", "checking", "ready", "refused"]
    """``empty``: announced, no file yet."""
    technology: str
    command: str = ""
    file_name: str = ""
    size_bytes: int = 0
    sha256: str = ""
    released: bool = False
    findings: list[str] = []
    inspection: str = ""
    """``Inspection.state``; ``""`` before an upload."""
    entry: str = ""
    requires: str = ""
    dependencies: int = 0
    """How many are known."""
    created_at: datetime
    created_by: str = ""


class Bot(Message, kw_only=True, frozen=True):
    """``versions`` newest first; ``release`` is the released version or ``""``; ``automations`` are labels."""

    id: int
    bot_id: str
    repository: str
    technology: str
    release: str = ""
    versions: list[BotVersion] = []
    automations: list[str] = []
    created_at: datetime


class NewVersion(Message, kw_only=True, frozen=True):
    version: str
    technology: str
    command: str = ""
    repository: str = "DEFAULT"


class Release(Message, kw_only=True, frozen=True):
    version: str


class Revision(Message, kw_only=True, frozen=True):
    """A file under a version at a time. ``number`` counts a version's files from 1; ``restored_from`` is the number of
    the older one that was put back with it, or ``None``.
    """

    number: int
    file_name: str
    size_bytes: int
    sha256: str
    current: bool = False
    state: str = ""
    """``Inspection.state``; ``waiting`` before it was inspected."""
    findings: list[str] = []
    restored_from: int | None = None
    created_at: datetime
    created_by: str = ""


class RestoreRevision(Message, kw_only=True, frozen=True):
    """``None`` puts back the file that was there before the current one."""

    revision: int | None = None


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
    max_attempts: int = 1
    """1: started at most once. More: started again after a failure that was seen, at most so often in all; after a
    mere loss of contact, when the bot may still run, only with ``retry_on_lost``."""
    retry_on_lost: bool = False
    """Its bots are ended by their own machine when that loses contact, so that another may be started in their stead,
    within ``max_attempts``."""
    report_required: bool = False
    needs_display: bool = False
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
    max_attempts: int = 1
    retry_on_lost: bool = False
    report_required: bool = False
    needs_display: bool = False
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
    max_attempts: int | msgspec.UnsetType = msgspec.UNSET
    retry_on_lost: bool | msgspec.UnsetType = msgspec.UNSET
    report_required: bool | msgspec.UnsetType = msgspec.UNSET
    needs_display: bool | msgspec.UnsetType = msgspec.UNSET
    notify_users: list[str] | msgspec.UnsetType = msgspec.UNSET
    notify_channels: list[str] | msgspec.UnsetType = msgspec.UNSET
    notify_types: list[NoticeType] | msgspec.UnsetType = msgspec.UNSET
    waiting_minutes: int | msgspec.UnsetType = msgspec.UNSET
    credentials: list[str] | msgspec.UnsetType | None = msgspec.UNSET


class Task(Message, kw_only=True, frozen=True):
    """``state`` is a ``states.TaskState``. ``parameters`` is an object, never null; types and Unicode are kept.

    ``exit_code``, ``reason``, ``duration_seconds`` and ``left_behind`` are what the keeper saw of the newest attempt;
    the other results are what the bot said, or what follows from its silence.
    """

    id: int
    automation: str
    automation_name: str
    automation_id: int = 0
    repository: str
    bot_id: str = ""
    version: str = ""
    state: str
    priority: int
    test: bool = False
    parameters: dict[str, Any] = {}
    created_at: datetime
    created_by: str = ""
    changed_at: datetime
    earliest_at: datetime | None = None
    prepared_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    """When the result was stored."""
    message: str = ""
    total_items: int | None = None
    processed_items: int | None = None
    failed_items: int | None = None
    interrupted: bool = False
    killed: bool = False
    attempt: int = 0
    """Number of the newest attempt; 0 before the first."""
    machine_id: str = ""
    exit_code: int | None = None
    reason: str = ""
    duration_seconds: float | None = None
    """How long the bot's process ran, as the keeper measured it; ``None`` until the attempt has ended."""
    left_behind: list[str] = []
    bot_reported: bool = False
    """True when the result is the bot's own word."""
    retry_of: int | None = None
    fault: Fault | None = None
    """Why the newest attempt could not be made ready; ``None`` when it could, or nobody tried."""

    @property
    def cause(self) -> str:
        """The one line of ``message`` that tells most; ``""`` for none.

        The first where it says that the bot did not end by itself, else the last that names an error, else the last.
        """
        lines = [line.strip() for line in self.message.splitlines() if line.strip()]
        if lines and _ENDED_BY_OTHERS.match(lines[0]):
            return lines[0]
        return next((line for line in reversed(lines) if _NAMES_AN_ERROR.match(line)), lines[-1] if lines else "")


class NewTask(Message, kw_only=True, frozen=True):
    automation: str
    parameters: dict[str, Any] = {}
    priority: int | None = None
    """0 to 10, 10 first; ``None`` takes the automation's."""
    earliest_at: datetime | None = None
    test: bool = False


class Progress(Message, kw_only=True, frozen=True):
    """How far a task is, before or after its end. Absent (``UNSET``) leaves a field as it is; null clears a count."""

    message: str | msgspec.UnsetType = msgspec.UNSET
    total_items: int | msgspec.UnsetType | None = msgspec.UNSET
    processed_items: int | msgspec.UnsetType | None = msgspec.UNSET
    failed_items: int | msgspec.UnsetType | None = msgspec.UNSET


class Finish(Message, kw_only=True, frozen=True):
    """What a bot, or a person in its stead, says of a task: total = processed + failed where all are given.

    Absent (``UNSET``) leaves what an earlier word said; null clears a count.
    """

    status: Literal["succeeded", "partial", "failed"]
    message: str | msgspec.UnsetType = msgspec.UNSET
    total_items: int | msgspec.UnsetType | None = msgspec.UNSET
    processed_items: int | msgspec.UnsetType | None = msgspec.UNSET
    failed_items: int | msgspec.UnsetType | None = msgspec.UNSET


class Event(Message, kw_only=True, frozen=True):
    """A task moved. ``kind`` is a stable word such as ``created``, ``leased``, ``permitted``, ``started``."""

    id: int
    task_id: int
    attempt: int | None
    kind: str
    old: str = ""
    new: str = ""
    actor: str = ""
    detail: dict[str, Any] = {}
    at: datetime


class Runner(Message, kw_only=True, frozen=True):
    """``state``: ``new`` (never seen), ``online``, ``late`` or ``offline``; ``running`` are task ids."""

    id: int
    machine_id: str
    state: str
    last_seen_at: datetime | None = None
    hostname: str = ""
    system: str = ""
    version: str = ""
    slots: int = 1
    draining: bool = False
    """It takes no new work: it will end, or it is ``paused``; ``reason`` says why."""
    paused: bool = False
    reason: str = ""
    unready: list[str] = []
    """Why it takes no task at this moment."""
    languages: list[str] = []
    tools: list[dict[str, Any]] = []
    running: list[int] = []
    automations: list[str] = []
    created_at: datetime


class NewRunner(Message, kw_only=True, frozen=True):
    machine_id: str


class EnrolmentCode(Message, kw_only=True, frozen=True):
    """Usable once, until ``expires_at``; shown once."""

    code: str
    machine_id: str
    expires_at: datetime


class Explanation(Message, kw_only=True, frozen=True):
    """Why a task waits: one sentence in all, and one per linked runner."""

    task_id: int
    waits: bool
    summary: str
    runners: dict[str, str] = {}


class Page(Message, kw_only=True, frozen=True):
    """``next`` is the cursor for the following page, ``""`` at the end. ``items`` are Tasks, Bots, …"""

    items: list[Any]
    next: str = ""


class Problem(Message, kw_only=True, frozen=True):
    """An error, as ``application/problem+json`` (RFC 9457); ``message`` is the same sentence as ``detail``."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    message: str
    code: str
    hint: str = ""
    details: dict[str, Any] = {}
