"""The outbox: what is due is taken by one server at a time, and comes back when nobody says how it went."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool.errors import Conflict, NotFound
from bottool_web.store.notice_tables import delivery, message, notice_channel
from bottool_web.store.scope import Scope

Row = sa.Row[*tuple[Any, ...]]
MAIL = 0
"""Stands for mail where channels are named by their ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Who takes what: ``mail`` or else channels, without those of ``passed_over``, until ``until``."""

    key: str
    now: datetime
    until: datetime
    mail: bool
    passed_over: Collection[int] = field(default=())


def take(tx: sa.Connection, scope: Scope, claim: Claim) -> Row | None:
    """The delivery that is due longest, with its message and channel; ``None`` when nothing is due."""
    found = tx.scalar(
        sa.select(delivery.c.id)
        .where(_waiting(scope), delivery.c.next_at <= claim.now, *_kind(claim))
        .order_by(delivery.c.next_at, delivery.c.id)
        .limit(1)
        # Another server may be taking the first one: then it is not waited for.
        .with_for_update(skip_locked=True)
    )
    if found is None:
        return None
    tx.execute(
        sa.update(delivery)
        .where(_waiting(scope), delivery.c.id == found)
        .values(claim=claim.key, next_at=claim.until, tries=delivery.c.tries + 1)
    )
    return tx.execute(
        sa.select(
            *(delivery.c[name] for name in ("id", "address", "channel_id", "tries", "reference", "since", "claim")),
            *(message.c[name] for name in ("kind", "subject", "body", "type", "severity", "task_id", "at")),
            notice_channel.c.sealed,
            notice_channel.c.label.label("channel"),
            notice_channel.c.deleted_at.label("channel_deleted_at"),
        )
        .join(message, message.c.id == delivery.c.message_id)
        .outerjoin(notice_channel, notice_channel.c.id == delivery.c.channel_id)
        .where(delivery.c.workspace_id == scope.workspace_id, delivery.c.id == found)
    ).one()


def is_due(tx: sa.Connection, scope: Scope, claim: Claim) -> bool:
    """Whether ``take`` would find something; a read, so that looking costs no write."""
    due = sa.select(delivery.c.id).where(_waiting(scope), delivery.c.next_at <= claim.now, *_kind(claim)).limit(1)
    return tx.scalar(due) is not None


def settle(tx: sa.Connection, scope: Scope, taken: Row, **values: Any) -> bool:
    """Say how it went; false when somebody else took it since."""
    done = tx.execute(
        sa.update(delivery)
        .where(_waiting(scope), delivery.c.id == taken.id, delivery.c.claim == taken.claim)
        .values(**values, claim="")
    )
    return done.rowcount == 1


def give_up(tx: sa.Connection, scope: Scope, *, before: datetime, now: datetime, trouble: str) -> int:
    """What waits since earlier than ``before`` and nobody is sending has failed; how many."""
    said = sa.case((delivery.c.last_error == "", trouble), else_=delivery.c.last_error)
    done = tx.execute(
        sa.update(delivery)
        .where(_waiting(scope), delivery.c.since < before, delivery.c.next_at <= now)
        .values(state="failed", last_error=said)
    )
    return done.rowcount


def resend(tx: sa.Connection, scope: Scope, delivery_id: int, reference: str, now: datetime) -> int:
    """Let a delivery that is over go out once more, with a reference of its own; the id of its message.

    :raises NotFound: when the workspace has no such delivery.
    :raises Conflict: while it still waits.
    """
    mine = (delivery.c.workspace_id == scope.workspace_id) & (delivery.c.id == delivery_id)
    found = tx.execute(sa.select(delivery).where(mine).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    if found.state == "waiting":
        raise Conflict(f"delivery {delivery_id} still waits", "it is tried again by itself")
    if not found.address and found.channel_id is None:
        raise Conflict(f"delivery {delivery_id} has no address", "send a new message")
    tx.execute(
        sa.update(delivery)
        .where(mine)
        .values(state="waiting", next_at=now, since=now, tries=0, last_error="", sent_at=None, reference=reference)
    )
    return int(found.message_id)


def _waiting(scope: Scope) -> sa.ColumnElement[bool]:
    return (delivery.c.workspace_id == scope.workspace_id) & (delivery.c.state == "waiting")


def _kind(claim: Claim) -> list[sa.ColumnElement[bool]]:
    if claim.mail:
        return [delivery.c.channel_id.is_(None)]
    found: list[sa.ColumnElement[bool]] = [delivery.c.channel_id.is_not(None)]
    return [*found, delivery.c.channel_id.not_in(claim.passed_over)] if claim.passed_over else found
