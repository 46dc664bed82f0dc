"""What runners and the server say to each other: /runner/v1."""

from typing import Any, Literal

import msgspec

from bottool.wire.base import SYNC_HOLD_SECONDS, Message
from bottool.wire.displays import DisplayNeed, Screen


class Capabilities(Message, kw_only=True, frozen=True):
    languages: list[str] = []
    """Names of languages whose needs to run are met on this machine."""
    technologies: list[str] = []
    """The literals of Maestro's deploy calls that these languages serve; empty: the languages' names serve as such."""
    tools: list[dict[str, Any]] = []
    """``model.Tool`` as objects, plus ``language``."""
    display: bool = False
    """Bots can show windows on this machine; one bot at a time does."""
    screen: Screen | None = None
    """``None``: nobody looked, or a runner of the release before."""
    tags: list[str] = []
    unready: list[str] = []
    """Why the runner takes no task at this moment, for people, each to follow its name: ``takes no task: …``."""


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
    """``cpu_seconds``, ``memory_bytes``, ``processes``, ``open_files``, when known."""


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
    """Takes no new work; also while it is paused, for servers that know no pause."""
    paused: bool = False
    """Will take work again, when a person says so."""
    reason: str = ""
    """Why it drains or pauses, for people."""
    capabilities: Capabilities = msgspec.field(default_factory=Capabilities)
    hostname: str = ""
    system: str = ""
    version: str = ""
    attempts: list[AttemptAlive] = []
    fences: bool = False
    """Its keepers end a bot by themselves when contact is lost, where ``Work.fenced`` asks for it."""


class Verdict(Message, kw_only=True, frozen=True):
    """What the server says of one attempt.

    ``ok``: go on. ``interrupt``: a person asked it to end by itself (the bot reads that through its SDK; the runner
    does nothing). ``stop``: end it now. ``gone``: no longer this runner's; stop it if it lives, and drop it.
    """

    task_id: int
    attempt: int
    verdict: Literal["ok", "interrupt", "stop", "gone"]


class WorkLimits(Message, kw_only=True, frozen=True):
    """What the bot may use; ``None`` is no limit. Its time-out and its grace time are the work's own."""

    silence_seconds: int | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    output_bytes: int | None = None
    disk_bytes: int | None = None
    interrupt_seconds: float = 0.0


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
    limits: WorkLimits | None = None
    """``None``: the server is of a release that knows neither limits, nor their reasons, nor ``LimitReached``."""
    display: DisplayNeed = msgspec.field(default_factory=DisplayNeed)
    fenced: bool = False
    """The keeper must end the bot well before the lease does: the server may then give the task to another runner."""


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
    equipment: str = ""
    """The digest under which the runner told what the bot runs in; ``""`` when it did not."""


class LimitReached(Message, kw_only=True, frozen=True):
    """The bot reached a limit of its automation, and is to learn through its SDK that it should end."""

    reason: str
    message: str
    at: float
    """Seconds since the epoch, by the machine's clock; for people only."""


class Fault(Message, kw_only=True, frozen=True):
    """Why a bot could not be made ready. ``phase``: ``fetch`` (the package), ``unpack``, ``environment`` (what it
    depends on), or ``prepare`` where it is not known which. ``output``: the last lines of ``tool``, or of the keeper.
    """

    reason: str
    phase: str = "prepare"
    tool: str = ""
    exit_status: int | None = None
    hint: str = ""
    output: str = ""

    @property
    def when(self) -> str:
        """The phase, for people."""
        return _PHASES.get(self.phase, _PHASES["prepare"])


_PHASES = {
    "fetch": "while its package was fetched",
    "unpack": "while its package was unpacked",
    "environment": "while its environment was made",
    "prepare": "while it was made ready",
}


class HandBack(Fault, kw_only=True, frozen=True):
    """Before the permit only: another runner may try at once. ``permanent`` means no runner should."""

    permanent: bool = False


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
    steps: dict[str, float] = {}
    """When the bot was ``asked``, ``signalled`` and ``killed``: seconds since the epoch by the machine's clock."""


class Appended(Message, kw_only=True, frozen=True):
    """``next_offset`` is the first byte of the spool that the server does not have."""

    next_offset: int
