"""The outbox as the site works it off: what is due is taken, sent, and settled by how it went.

A server that dies while it sends lets the delivery come back, with the reference that it had: people may get it twice,
never not at all.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.mail import Undelivered
from bottool_web.store import deliveries
from bottool_web.store.deliveries import MAIL, Row
from bottool_web.store.scope import Principal

__all__ = ["MAIL", "TOPIC", "Parcel", "Sender", "Tried", "deliver_next", "give_up_old"]

FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 4 * 3600.0
LEASES = 3
"""Whoever takes a delivery has so many times as long as one try may take."""
TOPIC = "outbox"
"""The topic of hints that something new is due."""


class Sender(Protocol):
    """Something that can deliver: mail, or messages to channels."""

    mail: bool

    def send(self, parcel: "Parcel") -> None:
        """:raises Undelivered: when it could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message for one address. ``sealed`` is a channel's address."""

    to: str
    channel_id: int | None
    sealed: str
    workspace_id: int
    kind: str
    subject: str
    body: str
    html: bool
    severity: str
    task_id: int | None
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What one try told. ``key`` is the channel's id or ``MAIL``; ``stuck``: it takes nothing at all now."""

    key: int
    stuck: bool


@action("site.keep")
def deliver_next(site: Site, who: Principal, sender: Sender, passed_over: Collection[int] = ()) -> Tried | None:
    """Try the delivery that is due longest; ``None`` when none of this kind is due."""
    now = site.now()
    claim = deliveries.Claim(
        key=secrets.token_hex(8),
        now=now,
        until=now + timedelta(seconds=LEASES * site.settings.delivery_seconds),
        mail=sender.mail,
        passed_over=passed_over,
    )
    if not site.store.read(lambda tx: deliveries.is_due(tx, who.scope, claim)):
        return None
    taken = site.store.write(lambda tx: deliveries.take(tx, who.scope, claim))
    if taken is None:
        return None
    key = taken.channel_id if taken.channel_id is not None else MAIL
    try:
        sender.send(_parcel(who, taken))
    except Undelivered as trouble:
        _settle(site, who, taken, _after(site, taken, trouble))
        return Tried(key=key, stuck=trouble.everywhere)
    except Exception as error:
        # Nothing that goes wrong here may lose it or stop the others.
        unexpected = Undelivered(f"{type(error).__name__}: {error}"[:300])
        _settle(site, who, taken, _after(site, taken, unexpected))
        raise
    _settle(site, who, taken, {"state": "sent", "sent_at": site.now(), "last_error": ""})
    return Tried(key=key, stuck=False)


@action("site.keep")
def give_up_old(site: Site, who: Principal) -> int:
    """What waits for too many days, also because nothing is set up that could deliver it, has failed."""
    now = site.now()
    before = now - timedelta(days=site.settings.delivery_days)

    def work(tx: sa.Connection) -> int:
        return deliveries.give_up(tx, who.scope, before=before, now=now, trouble="nothing was set up to deliver it")

    return site.store.write(work)


def _parcel(who: Principal, taken: Row) -> Parcel:
    return Parcel(
        to=taken.address,
        channel_id=taken.channel_id,
        sealed=taken.sealed or "",
        workspace_id=who.workspace_id,
        kind=taken.kind,
        subject=taken.subject,
        body=taken.body,
        html=taken.type == "html",
        severity=taken.severity,
        task_id=taken.task_id,
        reference=taken.reference,
        at=taken.at,
    )


def _after(site: Site, taken: Row, trouble: Undelivered) -> dict[str, Any]:
    now, said = site.now(), {"last_error": trouble.message, "state": "waiting"}
    if trouble.final or now - taken.since > timedelta(days=site.settings.delivery_days):
        return said | {"state": "failed"}
    return said | {"next_at": now + pause(taken.tries)}


def pause(tries: int) -> timedelta:
    """Between a try and the next: longer after each."""
    return timedelta(seconds=min(FIRST_PAUSE_SECONDS * 2 ** min(tries - 1, 20), LONGEST_PAUSE_SECONDS))


def _settle(site: Site, who: Principal, taken: Row, values: dict[str, Any]) -> None:
    site.store.write(lambda tx: deliveries.settle(tx, who.scope, taken, **values))
    site.hints.send(f"workspace:{who.workspace_id}")
