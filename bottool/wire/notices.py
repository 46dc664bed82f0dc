"""Alerts of bots; messages to people, and what became of them; channels of chat services."""

from datetime import datetime
from typing import Literal

from bottool.wire.base import Message

NoticeType = Literal["info", "warn", "error", "failed", "timed_out", "expired", "lost", "waiting"]
"""What an automation may tell people: types of alerts, then ends of tasks."""


class NewMessage(Message, kw_only=True, frozen=True):
    """To e-mail addresses (``emails``) and to users of the workspace by their sign-in address (``logins``).

    There are no ``groups`` here: each one counts as a recipient that cannot be reached.
    """

    emails: list[str] = []
    logins: list[str] = []
    groups: list[str] = []
    subject: str
    body: str
    type: Literal["text", "html"] = "text"
    task_id: int | None = None


class Delivery(Message, kw_only=True, frozen=True):
    """A message on its way to one address, or to one chat ``channel``. ``tries`` so far; ``next_at`` while it waits."""

    id: int
    channel: str = ""
    """``""`` is mail."""
    address: str = ""
    state: Literal["waiting", "sent", "failed"]
    tries: int = 0
    next_at: datetime | None = None
    sent_at: datetime | None = None
    last_error: str = ""


class SentMessage(Message, kw_only=True, frozen=True):
    """``kind``: what a bot or a person sent (``message``), or what an ``alert``, the end of a ``task`` or a ``test`` of
    a channel made. ``body`` is ``""`` in lists.
    """

    id: int
    kind: Literal["message", "alert", "task", "test"]
    task_id: int | None = None
    alert_id: int | None = None
    subject: str
    body: str = ""
    type: Literal["text", "html"]
    created_by: str
    at: datetime
    deliveries: list[Delivery] = []


class Channel(Message, kw_only=True, frozen=True):
    """A place in a chat service. Its address is a secret and is never shown; ``service`` is how it begins."""

    id: int
    label: str
    service: str
    created_by: str
    created_at: datetime


class NewChannel(Message, kw_only=True, frozen=True):
    """``address`` as the plugin that serves it wants it, such as ``slack://…``."""

    label: str
    address: str


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
