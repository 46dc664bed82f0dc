"""Credentials: secrets that bots read, by label and key."""

from datetime import datetime
from typing import Any

from bottool.wire.base import Message


class Credential(Message, kw_only=True, frozen=True):
    """A set of keys; their values are never in it."""

    id: int
    label: str
    keys: list[str]
    repository: str
    created_by: str = ""
    created_at: datetime
    changed_at: datetime


class Secret(Message, kw_only=True, frozen=True):
    key: str
    value: str

    def __repr__(self) -> str:
        return f"Secret(key={self.key!r})"


class NewCredential(Message, kw_only=True, frozen=True):
    label: str
    secrets: list[Secret] = []
    repository: str = "DEFAULT"


class SecretValue(Message, kw_only=True, frozen=True):
    value: str

    def __repr__(self) -> str:
        return "SecretValue(…)"


class AuditEntry(Message, kw_only=True, frozen=True):
    """Somebody did something; ``act`` is a permission."""

    id: int
    actor: str
    act: str
    subject: str
    detail: dict[str, Any]
    at: datetime
