"""What is known of an attempt beside its outcome: what it ran in, what it used, which processes there were; and what
has changed since the task before it that worked.
"""

from typing import Literal

from bottool.wire.base import Message
from bottool.wire.inspections import Dependency

MOST_POINTS = 240
"""A usage series has at most so many points: a longer one becomes coarser."""


class Equipment(Message, kw_only=True, frozen=True):
    """What a bot ran in. ``interpreter`` is for people and comparable: ``Python 3.11.7``. ``dependencies`` are those
    that were really installed, where the language can tell.
    """

    language: str = ""
    interpreter: str = ""
    system: str = ""
    dependencies: list[Dependency] = []


class NewEquipment(Message, kw_only=True, frozen=True):
    """``digest`` is what the runner calls them in ``Started.equipment``."""

    digest: str
    equipment: Equipment


class UsagePoint(Message, kw_only=True, frozen=True):
    """``at`` counts seconds from the bot's start; ``cpu_percent`` is of one core since the point before."""

    at: float
    cpu_percent: float
    memory_bytes: int
    processes: int
    open_files: int = 0


class SeenProcess(Message, kw_only=True, frozen=True):
    """One process of the bot's tree; ``parent`` is its parent's number. ``command`` has its secrets masked."""

    pid: int
    parent: int = 0
    name: str = ""
    command: str = ""
    status: str = ""
    memory_bytes: int = 0
    cpu_seconds: float = 0.0


class AttemptEvidence(Message, kw_only=True, frozen=True):
    """What a runner tells of an attempt, whole each time. ``notes`` say what could not be seen, and why."""

    usage: list[UsagePoint] = []
    processes: list[SeenProcess] = []
    processes_at: float = 0.0
    """Seconds from the bot's start."""
    notes: list[str] = []


class Finished(Message, kw_only=True, frozen=True):
    """The answer to the report of an end; ``evidence_wanted``: the task did not succeed."""

    evidence_wanted: bool = False


class Change(Message, kw_only=True, frozen=True):
    """One difference to the task that worked. ``name`` says which dependency, parameter or setting it is."""

    what: Literal["package", "dependency", "interpreter", "system", "runner", "parameter", "schedule", "automation"]
    name: str = ""
    before: str = ""
    now: str = ""

    @property
    def line(self) -> str:
        """``dependency requests: 2.31.0 → 2.32.0``."""
        named = f"{self.what} {self.name}" if self.name else self.what
        if not self.before and not self.now:
            return named
        return f"{named}: {self.before or 'none'} → {self.now or 'none'}"


class Explanation(Message, kw_only=True, frozen=True):
    """Why a task waits: one sentence in all, and one per linked runner. Of one that did not succeed: what has changed
    since ``last_worked``, the task of its automation before it that did; ``None`` without one.
    """

    task_id: int
    waits: bool
    summary: str
    runners: dict[str, str] = {}
    last_worked: int | None = None
    changes: list[Change] = []
    unknown: list[str] = []
    """What could not be compared."""
