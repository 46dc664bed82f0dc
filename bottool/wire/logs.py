"""Logs: tables that bots write."""

from datetime import datetime
from typing import Any

from bottool.wire.base import Message


class LogColumn(Message, kw_only=True, frozen=True):
    """``label`` is what entries say; ``name`` is what people read (the label when it is empty); ``width`` in pixels."""

    label: str
    name: str = ""
    width: int = 100
    visible: bool = True


class Log(Message, kw_only=True, frozen=True):
    id: int
    label: str
    columns: list[LogColumn]
    repository: str
    created_by: str = ""
    created_at: datetime


class NewLog(Message, kw_only=True, frozen=True):
    label: str
    columns: list[LogColumn]
    repository: str = "DEFAULT"


class LogChange(Message, kw_only=True, frozen=True):
    """All columns, in their order. Entries keep what they say of columns that go."""

    columns: list[LogColumn]


class LogEntry(Message, kw_only=True, frozen=True):
    """``values`` by column label; a column that the entry does not say is not in it."""

    id: int
    values: dict[str, Any]
    task_id: int | None = None
    attempt: int | None = None
    created_by: str = ""
    at: datetime


class NewLogEntry(Message, kw_only=True, frozen=True):
    """``task_id``: for whom somebody else writes; a bot's own task is known."""

    values: dict[str, Any]
    task_id: int | None = None
