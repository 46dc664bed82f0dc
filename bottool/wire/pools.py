"""Data pools: work that bots share, an entry at a time."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from bottool.wire.base import Message

FieldType = Literal["text", "integer", "double"]
Policy = Literal["fifo", "lifo"]
Trigger = Literal["always", "never", "no_task_active"]
OnAttemptEnd = Literal["return", "error"]
EntryState = Literal["pending", "processing", "done", "error", "timeout", "cancelled"]
ErrorKind = Literal["", "system", "business"]


class PoolField(Message, kw_only=True, frozen=True):
    """A value that entries have. ``unique``: it is the entry's unique key; ``shown``: it is what lists show of it."""

    label: str
    type: FieldType = "text"
    unique: bool = False
    shown: bool = False


class PoolCounts(Message, kw_only=True, frozen=True):
    """How many entries are in each state, and how many seconds a done one took on average."""

    pending: int = 0
    processing: int = 0
    timeout: int = 0
    done: int = 0
    error: int = 0
    cancelled: int = 0
    average_seconds: float = 0.0

    @property
    def total(self) -> int:
        return self.pending + self.processing + self.timeout + self.done + self.error + self.cancelled


class Pool(Message, kw_only=True, frozen=True):
    """``automation`` is what the trigger starts. ``note`` says why the site itself switched the pool off."""

    id: int
    label: str
    name: str
    repository: str
    automation: str = ""
    policy: Policy = "fifo"
    schema: list[PoolField] = []
    trigger: Trigger = "never"
    auto_retry: bool = True
    max_auto_retry: int = 0
    abort_on_error: bool = True
    max_errors: int = 0
    limits_time: bool = True
    limit_minutes: int = 0
    on_attempt_end: OnAttemptEnd = "return"
    active: bool = True
    note: str = ""
    errors_in_row: int = 0
    counts: PoolCounts = PoolCounts()
    created_at: datetime
    created_by: str = ""


class NewPool(Message, kw_only=True, frozen=True):
    """Entries go out by priority, then first in first out (``fifo``) or the other way (``lifo``).

    ``limit_minutes`` and ``max_errors`` of 0 are no limit.
    """

    label: str
    name: str = ""
    repository: str = "DEFAULT"
    automation: str = ""
    policy: Policy = "fifo"
    schema: list[PoolField] = []
    trigger: Trigger = "never"
    auto_retry: bool = True
    max_auto_retry: int = 0
    abort_on_error: bool = True
    max_errors: int = 0
    limits_time: bool = True
    limit_minutes: int = 0
    on_attempt_end: OnAttemptEnd = "return"
    active: bool = True


class PoolChange(Message, kw_only=True, frozen=True):
    """What is absent stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    repository: str | msgspec.UnsetType = msgspec.UNSET
    automation: str | msgspec.UnsetType = msgspec.UNSET
    policy: Policy | msgspec.UnsetType = msgspec.UNSET
    schema: list[PoolField] | msgspec.UnsetType = msgspec.UNSET
    trigger: Trigger | msgspec.UnsetType = msgspec.UNSET
    auto_retry: bool | msgspec.UnsetType = msgspec.UNSET
    max_auto_retry: int | msgspec.UnsetType = msgspec.UNSET
    abort_on_error: bool | msgspec.UnsetType = msgspec.UNSET
    max_errors: int | msgspec.UnsetType = msgspec.UNSET
    limits_time: bool | msgspec.UnsetType = msgspec.UNSET
    limit_minutes: int | msgspec.UnsetType = msgspec.UNSET
    on_attempt_end: OnAttemptEnd | msgspec.UnsetType = msgspec.UNSET
    active: bool | msgspec.UnsetType = msgspec.UNSET


class PoolEntry(Message, kw_only=True, frozen=True):
    """``parent`` and ``child`` link the tries of one piece of work; ``retry_index`` counts them from 0.

    ``attempt`` is the attempt of ``task_id`` that holds the entry. ``returned``: how often one ended without a word.
    """

    id: int
    pool: str
    state: EntryState
    priority: int
    values: dict[str, Any]
    unique_key: str = ""
    display_value: str = ""
    message: str = ""
    error_type: ErrorKind = ""
    retry_index: int = 0
    parent: int | None = None
    child: int | None = None
    task_id: int | None = None
    attempt: int | None = None
    runner: str = ""
    returned: int = 0
    created_by: str = ""
    created_at: datetime
    taken_at: datetime | None = None
    due_at: datetime | None = None
    ended_at: datetime | None = None


class NewEntry(Message, kw_only=True, frozen=True):
    """``priority`` is 0 to 10; higher ones go first."""

    values: dict[str, Any] = {}
    priority: int = 0


class EntryChange(Message, kw_only=True, frozen=True):
    """What is said about an entry; what is absent stays. ``state`` may only move as the pool's rules allow."""

    state: EntryState | msgspec.UnsetType = msgspec.UNSET
    values: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    priority: int | msgspec.UnsetType = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.UNSET
    error_type: ErrorKind | msgspec.UnsetType = msgspec.UNSET
    task_id: int | None = None


class EntryCancel(Message, kw_only=True, frozen=True):
    message: str = ""


class EntriesChange(Message, kw_only=True, frozen=True):
    """Do one thing with all entries that match: of a state, with a text somewhere in them, of these ids.

    ``retry`` puts failed and cancelled ones back as new entries, and those that nobody has any more as they are.
    ``all`` must be true where nothing else narrows. ``priority`` is for the act of that name.
    """

    act: Literal["cancel", "retry", "delete", "priority"]
    state: EntryState | Literal[""] = ""
    search: str = ""
    ids: list[int] = []
    all: bool = False
    priority: int = 0
    message: str = ""


class EntriesChanged(Message, kw_only=True, frozen=True):
    """``count`` were changed; ``left``: there may be more that match, ask again."""

    count: int
    left: bool = False


class Pulled(Message, kw_only=True, frozen=True):
    """The pool's next entry, which nobody else gets; ``None`` when no entry waits, or the pool is switched off."""

    entry: PoolEntry | None = None


class Imported(Message, kw_only=True, frozen=True):
    """How many entries a file brought."""

    count: int


MoveKind = Literal["pulled", "returned", "timed_out", "done", "failed", "cancelled", "requeued", "changed"]


class PoolMove(Message, kw_only=True, frozen=True):
    """What happened to an entry, and by whom; ``attempt`` is the number of the attempt that had it."""

    kind: MoveKind
    actor: str
    at: datetime
    task_id: int | None = None
    attempt: int | None = None
    message: str = ""
