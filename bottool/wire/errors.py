"""Error reports of bots, and groups of those that are alike."""

from datetime import datetime
from typing import Literal

from bottool.wire.base import Message

ErrorStatus = Literal["open", "resolved", "ignored"]


class ErrorFile(Message, kw_only=True, frozen=True):
    """What came with a report. ``media_type`` is what the bytes look like, not what the sender says."""

    id: int
    kind: Literal["screenshot", "attachment"]
    name: str
    sha256: str
    size_bytes: int
    media_type: str
    at: datetime


class ErrorReport(Message, kw_only=True, frozen=True):
    """An error that a bot met. ``place`` is where in the bot's own code it happened, empty where the trace does not
    tell; ``version`` is that of the bot which ran then. ``known``: its group was resolved, and stayed so, for this
    came from a version that was known to have the error. Lists leave ``stack_trace`` and ``files`` out.
    """

    id: int
    group_id: int
    task_id: int
    automation: str
    automation_name: str
    repository: str
    bot_id: str = ""
    version: str = ""
    type: str
    place: str
    message: str
    stack_trace: str = ""
    language: str = ""
    tags: dict[str, str] = {}
    created_by: str = ""
    attempt: int | None = None
    known: bool = False
    at: datetime
    files: list[ErrorFile] = []


class NewErrorReport(Message, kw_only=True, frozen=True):
    """``type`` is the exception's class; ``stack_trace`` as Python, Java, JavaScript or C# print it."""

    task_id: int
    type: str = ""
    message: str = ""
    stack_trace: str = ""
    language: str = ""
    tags: dict[str, str] = {}


class ErrorBot(Message, kw_only=True, frozen=True):
    """A bot with errors of a group: how many, the newest of its versions that had one, and at which version the group
    was resolved, empty while it is not. A revision is the number of a version's file; 0 is none.
    """

    bot_id: str
    count: int
    version: str = ""
    revision: int = 0
    resolved_version: str = ""
    resolved_revision: int = 0


class ErrorGroup(Message, kw_only=True, frozen=True):
    """Reports of one type from one place. ``message`` is the newest one's. ``trend`` counts them by day of UTC: the
    last one is today. A resolved group opens when such an error comes from a newer version than it was resolved at.
    """

    id: int
    type: str
    place: str
    message: str
    status: ErrorStatus
    count: int
    automations: list[str] = []
    bots: list[ErrorBot] = []
    trend: list[int] = []
    newest_id: int
    first_at: datetime
    last_at: datetime
    changed_by: str = ""
    changed_at: datetime | None = None


class ErrorGroupChange(Message, kw_only=True, frozen=True):
    status: ErrorStatus
