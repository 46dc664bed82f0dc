"""What the server, its runners and the command line say to each other, as JSON, and the frames of a bot's output.

``PROTOCOL`` goes both ways in the header ``X-Bottool-Protocol``; the server speaks its own number and the one before,
because runners are upgraded later than servers. Unknown fields are ignored on both sides. Times are aware UTC.
Maestro's words are not here: they stay in ``bottool_web.maestro``.
"""

import struct
from collections.abc import Iterator
from datetime import datetime
from enum import IntEnum
from typing import Any, Literal, NamedTuple

import msgspec

PROTOCOL = 1
PROTOCOL_HEADER = "X-Bottool-Protocol"
IDEMPOTENCY_HEADER = "Idempotency-Key"
FILE_NAME_HEADER = "X-Bottool-File-Name"
"""What an uploaded package is called, percent-encoded."""
NEXT_OFFSET_HEADER = "X-Bottool-Next-Offset"
ENDED_HEADER = "X-Bottool-Ended"
"""``true`` when no more output will come. Both come with the frames of a task's output."""
SYNC_HOLD_SECONDS = 10
"""The longest that the server holds one ``sync`` call."""


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """Base of everything exchanged."""


# What people and programs see: the nouns of /rest/v1.


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


class Automation(Message, kw_only=True, frozen=True):
    """``bot_id`` is ``""`` while it has no bot; ``runners`` are machine ids, in the order of linking."""

    id: int
    label: str
    name: str
    description: str = ""
    repository: str = "DEFAULT"
    bot_id: str = ""
    runners: list[str] = []
    parameters: list[Parameter] = []
    priority: int = 0
    timeout_seconds: int | None = None
    max_attempts: int = 1
    """1: started at most once. More: started again after a failure or a loss, at most so often in all."""
    report_required: bool = False
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
    report_required: bool = False


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
    report_required: bool | msgspec.UnsetType = msgspec.UNSET


class Task(Message, kw_only=True, frozen=True):
    """``state`` is a ``states.TaskState``. ``parameters`` is an object, never null; types and Unicode are kept.

    ``exit_code``, ``reason`` and ``left_behind`` are what the keeper saw of the newest attempt; the other results are
    what the bot said, or what follows from its silence.
    """

    id: int
    automation: str
    automation_name: str
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
    left_behind: list[str] = []
    bot_reported: bool = False
    """True when the result is the bot's own word."""
    retry_of: int | None = None


class NewTask(Message, kw_only=True, frozen=True):
    automation: str
    parameters: dict[str, Any] = {}
    priority: int | None = None
    """0 to 10, 10 first; ``None`` takes the automation's."""
    earliest_at: datetime | None = None
    test: bool = False


class Finish(Message, kw_only=True, frozen=True):
    """What a bot, or a person in its stead, says of a task: total = processed + failed where all are given."""

    status: Literal["succeeded", "partial", "failed"]
    message: str = ""
    total_items: int | None = None
    processed_items: int | None = None
    failed_items: int | None = None


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


class Alert(Message, kw_only=True, frozen=True):
    id: int
    task_id: int
    automation: str
    automation_name: str
    bot_id: str
    repository: str
    title: str
    message: str
    type: Literal["info", "warn", "error"]
    at: datetime


class NewAlert(Message, kw_only=True, frozen=True):
    task_id: int
    title: str
    message: str
    type: Literal["info", "warn", "error"] = "info"


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


# What runners and the server say: /runner/v1.


class Capabilities(Message, kw_only=True, frozen=True):
    languages: list[str] = []
    """Names of languages whose needs to run are met on this machine."""
    technologies: list[str] = []
    """The literals of Maestro's deploy calls that these languages serve; empty: the languages' names serve as such."""
    tools: list[dict[str, Any]] = []
    """``model.Tool`` as objects, plus ``language``."""
    display: bool = False
    tags: list[str] = []


class Register(Message, kw_only=True, frozen=True):
    """Either ``code``, or ``login`` and ``key`` of the workspace. ``installation_id`` is the machine's own."""

    machine_id: str = ""
    """May be empty with a code that names one."""
    installation_id: str
    code: str = ""
    login: str = ""
    key: str = ""
    hostname: str = ""
    system: str = ""
    version: str = ""


class Registered(Message, kw_only=True, frozen=True):
    runner_id: int
    machine_id: str
    workspace: str
    token: str


class AttemptAlive(Message, kw_only=True, frozen=True):
    """An attempt that the runner still has in its hands, whatever it is doing with it."""

    task_id: int
    attempt: int
    state: Literal["preparing", "ready", "starting", "running", "reporting"]
    usage: dict[str, float] = {}
    """``cpu_seconds``, ``memory_bytes``, ``processes``, when known."""


class Sync(Message, kw_only=True, frozen=True):
    """The one held call. ``claim_key`` is journaled first: the same key gets the same work again, never other work.

    ``session_id`` is new at each start of the runner process; the same installation replaces its own session at once,
    another installation under the same machine id is refused until the session lapses.
    """

    session_id: str
    installation_id: str
    claim_key: str = ""
    """``""``: do not give work."""
    free_slots: int = 0
    slots: int = 1
    hold_seconds: float = SYNC_HOLD_SECONDS
    draining: bool = False
    capabilities: Capabilities = msgspec.field(default_factory=Capabilities)
    hostname: str = ""
    system: str = ""
    version: str = ""
    attempts: list[AttemptAlive] = []


class Verdict(Message, kw_only=True, frozen=True):
    """What the server says of one attempt.

    ``ok``: go on. ``interrupt``: a person asked it to end by itself (the bot reads that through its SDK; the runner
    does nothing). ``stop``: end it now. ``gone``: no longer this runner's; stop it if it lives, and drop it.
    """

    task_id: int
    attempt: int
    verdict: Literal["ok", "interrupt", "stop", "gone"]


class Work(Message, kw_only=True, frozen=True):
    """One attempt, leased. Nothing secret: secrets come with the permit."""

    task_id: int
    attempt: int
    claim_key: str
    automation: str
    bot_id: str
    version: str
    technology: str
    command: str = ""
    file_name: str
    sha256: str
    size_bytes: int
    timeout_seconds: int | None = None
    grace_seconds: float = 10.0


class Synced(Message, kw_only=True, frozen=True):
    """``lease_seconds`` counts from the moment that the request was sent: a duration, never a clock's time."""

    lease_seconds: float
    verdicts: list[Verdict] = []
    work: list[Work] = []
    claim_key_used: bool = False
    """The claim key had its work, and that was taken away again: take a new key, this one never gets anything more."""


class Permit(Message, kw_only=True, frozen=True):
    """You may start now. Repeating the call gives the same permit."""

    token: str
    workspace: str


class Started(Message, kw_only=True, frozen=True):
    pid: int
    boot_id: str
    prepared_seconds: float = 0.0


class HandBack(Message, kw_only=True, frozen=True):
    """Before the permit only: another runner may try at once. ``permanent`` means no runner should."""

    reason: str
    permanent: bool = False
    output: str = ""


class Ended(Message, kw_only=True, frozen=True):
    """How an attempt ended. ``report_key`` makes a repeated report harmless. ``output_bytes`` is the spool's length."""

    report_key: str
    reason: str
    exit_code: int | None = None
    duration_seconds: float = 0.0
    message: str = ""
    left_behind: list[str] = []
    output_bytes: int = 0
    peak: dict[str, float] = {}


class Appended(Message, kw_only=True, frozen=True):
    """``next_offset`` is the first byte of the spool that the server does not have."""

    next_offset: int


# A bot's output: a spool of frames. Offsets count bytes of the spool, headers included, so a chunk always starts at a
# frame's head and both sides can say exactly what is there.


class Stream(IntEnum):
    STDOUT = 1
    STDERR = 2
    NOTE = 3
    """A line that bottool itself adds: what was prepared, why it was stopped."""


class Frame(NamedTuple):
    stream: Stream
    at: float
    """Seconds since the epoch, by the machine's clock; for people only."""
    data: bytes


_HEAD = struct.Struct(">BxxxId")
FRAME_HEAD_BYTES = _HEAD.size
FRAME_MAX_BYTES = 64 * 1024


def pack_frame(frame: Frame) -> bytes:
    """The bytes of one frame: stream (1 byte), 3 zero bytes, length (4, big-endian), time (8, IEEE 754), data.

    :raises ValueError: when ``data`` is longer than ``FRAME_MAX_BYTES``.
    """
    if len(frame.data) > FRAME_MAX_BYTES:
        raise ValueError(f"a frame holds at most {FRAME_MAX_BYTES} bytes, got {len(frame.data)}")
    return _HEAD.pack(frame.stream, len(frame.data), frame.at) + frame.data


def whole_frames(data: bytes) -> int:
    """How many bytes at the start of ``data`` are whole frames; the rest is a frame that is still being written.

    :raises ValueError: when a head is no head: the data do not start at a frame.
    """
    position = 0
    while position + FRAME_HEAD_BYTES <= len(data):
        stream, length, _ = _HEAD.unpack_from(data, position)
        if stream not in {1, 2, 3} or length > FRAME_MAX_BYTES:
            raise ValueError(f"no frame starts at byte {position}")
        if position + FRAME_HEAD_BYTES + length > len(data):
            break
        position += FRAME_HEAD_BYTES + length
    return position


def frames(data: bytes) -> Iterator[Frame]:
    """The whole frames at the start of ``data``, in order; what follows them is ignored.

    :raises ValueError: as ``whole_frames``.
    """
    end = whole_frames(data)
    position = 0
    while position < end:
        stream, length, at = _HEAD.unpack_from(data, position)
        position += FRAME_HEAD_BYTES
        yield Frame(Stream(stream), at, data[position : position + length])
        position += length
