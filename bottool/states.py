"""The states of tasks and attempts, and every move that is allowed.

Two machines. A **task** is what was asked for; an **attempt** is one try at it on one runner. While an attempt is
alive the task shows how far it is; once a result is stored the task is final even if the process still runs, and slots,
limits and locks go on counting the attempt. ``(task id, attempt number)`` is the fencing token of every write.
"""

from enum import StrEnum


class TaskState(StrEnum):
    SCHEDULED = "scheduled"
    """Accepted; its earliest time lies ahead."""
    QUEUED = "queued"
    LEASED = "leased"
    """A runner holds it and prepares; the bot provably has not started."""
    STARTING = "starting"
    """The permit was granted; the start is not confirmed yet."""
    RUNNING = "running"
    STOPPING = "stopping"
    """A person asked it to end, or it reached a limit."""
    LOST = "lost"
    """Contact was lost after the permit; the bot may still run."""
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    """Never started, or stopped on request."""
    EXPIRED = "expired"
    """Never started, and no longer wanted or never possible to prepare."""


class AttemptState(StrEnum):
    LEASED = "leased"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"
    LOST = "lost"


FINAL = frozenset(
    {
        TaskState.SUCCEEDED,
        TaskState.PARTIAL,
        TaskState.FAILED,
        TaskState.TIMED_OUT,
        TaskState.CANCELLED,
        TaskState.EXPIRED,
    }
)
WAITING = frozenset({TaskState.SCHEDULED, TaskState.QUEUED})
ACTIVE = frozenset({TaskState.LEASED, TaskState.STARTING, TaskState.RUNNING, TaskState.STOPPING, TaskState.LOST})
STARTED = frozenset({TaskState.STARTING, TaskState.RUNNING, TaskState.STOPPING, TaskState.LOST})
"""The bot may have had side effects."""

ATTEMPT_ALIVE = frozenset(
    {AttemptState.LEASED, AttemptState.STARTING, AttemptState.RUNNING, AttemptState.STOPPING, AttemptState.LOST}
)
"""States that hold a slot. A lost attempt holds none, but may still report."""

TASK_MOVES: dict[TaskState, frozenset[TaskState]] = {
    TaskState.SCHEDULED: frozenset({TaskState.QUEUED, TaskState.CANCELLED, TaskState.EXPIRED}) | FINAL,
    TaskState.QUEUED: frozenset({TaskState.LEASED}) | FINAL,
    TaskState.LEASED: frozenset({TaskState.QUEUED, TaskState.STARTING}) | FINAL,
    TaskState.STARTING: frozenset({TaskState.RUNNING, TaskState.STOPPING, TaskState.QUEUED, TaskState.LOST}) | FINAL,
    TaskState.RUNNING: frozenset({TaskState.STOPPING, TaskState.LOST}) | FINAL,
    TaskState.STOPPING: frozenset({TaskState.LOST, TaskState.QUEUED}) | FINAL,
    TaskState.LOST: frozenset({TaskState.RUNNING, TaskState.STOPPING, TaskState.QUEUED}) | FINAL,
    # A person or a workspace token may finish a finished task again (an audited override), and a test task, or one
    # that never had a permit, may be put back under its own id.
    **{state: frozenset({TaskState.QUEUED, TaskState.SCHEDULED}) | FINAL for state in FINAL},
}

ATTEMPT_MOVES: dict[AttemptState, frozenset[AttemptState]] = {
    AttemptState.LEASED: frozenset({AttemptState.STARTING, AttemptState.ENDED}),
    AttemptState.STARTING: frozenset(
        {AttemptState.RUNNING, AttemptState.STOPPING, AttemptState.LOST, AttemptState.ENDED}
    ),
    AttemptState.RUNNING: frozenset({AttemptState.STOPPING, AttemptState.LOST, AttemptState.ENDED}),
    AttemptState.STOPPING: frozenset({AttemptState.LOST, AttemptState.ENDED}),
    AttemptState.LOST: frozenset({AttemptState.RUNNING, AttemptState.STOPPING, AttemptState.ENDED}),
    AttemptState.ENDED: frozenset(),
}


def task_may_move(old: TaskState, new: TaskState) -> bool:
    """True when the table allows the move; staying is no move."""
    return new in TASK_MOVES[old]


def attempt_may_move(old: AttemptState, new: AttemptState) -> bool:
    """True when the table allows the move; staying is no move."""
    return new in ATTEMPT_MOVES[old]
