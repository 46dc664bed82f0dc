"""What people and programs see: the nouns of /rest/v1."""

import re
from datetime import datetime
from typing import Any, Literal

import msgspec

from bottool.wire.base import Message
from bottool.wire.work import Fault

_ENDED_BY_OTHERS = re.compile(
    r"(the bot )?(was ended by|was stopped|ran out of time|ran longer than|out of memory:|printed nothing for"
    r"|printed [\d.]+ [kMGT]?B, more than|had \d+ processes, more than|filled its working folder with)(?!\w)"
)
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
    screen: str = ""
    """What bots can draw on there, for people; ``""`` when the runner does not say."""
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
