"""Reports of errors, and groups of reports that are alike."""

from datetime import date, datetime
from typing import Literal

from bottool.wire.base import Message

GroupState = Literal["open", "resolved", "ignored"]


class Attachment(Message, kw_only=True, frozen=True):
    """A file beside a report. ``media_type`` is what its bytes look like, not what the sender says."""

    id: int
    name: str
    sha256: str
    size_bytes: int
    media_type: str
    at: datetime


class ErrorReport(Message, kw_only=True, frozen=True):
    """``version`` is the bot's at the time. ``place`` is the innermost frame of its own code, ``""`` when not known.

    ``screenshot_type`` is empty without a screenshot. ``attachments`` are listed where one report is asked for.
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
    message: str
    place: str = ""
    stack_trace: str = ""
    language: str = ""
    tags: dict[str, str] = {}
    screenshot_type: str = ""
    screenshot_bytes: int = 0
    screenshot_sha256: str = ""
    attachments: list[Attachment] = []
    created_by: str = ""
    attempt: int | None = None
    at: datetime


class NewErrorReport(Message, kw_only=True, frozen=True):
    """``type`` is the class of the exception; ``language`` a word such as ``python``."""

    task_id: int
    type: str = ""
    message: str = ""
    stack_trace: str = ""
    language: str = ""
    tags: dict[str, str] = {}


class ErrorDay(Message, kw_only=True, frozen=True):
    day: date
    count: int


class ErrorGroup(Message, kw_only=True, frozen=True):
    """Reports of one bot with the same type and place. ``message`` and ``version`` are the newest report's.

    ``days`` are the last fourteen, oldest first. ``returned``: how often it came back in a newer package after
    somebody had resolved it. ``last_report_id`` is the cursor of lists.
    """

    id: int
    state: GroupState
    bot_id: str
    type: str
    place: str
    message: str
    language: str = ""
    version: str = ""
    count: int
    returned: int = 0
    automations: list[str] = []
    days: list[ErrorDay] = []
    first_at: datetime
    last_at: datetime
    last_report_id: int
    changed_by: str = ""
    changed_at: datetime | None = None


class ErrorGroupChange(Message, kw_only=True, frozen=True):
    state: GroupState
