"""What people were told, and how far it got: messages with their deliveries. Sends nothing: see ``deliveries``."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.notice_tables import delivery, message, notice_channel
from bottool_web.store.scope import Scope
from bottool_web.store.tables import task

Row = sa.Row[*tuple[Any, ...]]
SEARCHED = 10_000
"""A search looks into so many of the newest messages: no index finds a piece of a text."""

LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """An e-mail ``address``, or a channel. With ``trouble`` it is known already that nothing can be delivered."""

    address: str = ""
    channel_id: int | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    kind: str
    subject: str
    body: str
    at: datetime
    type: str = "text"
    severity: str = "info"
    task_id: int | None = None
    alert_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages a list shows. Empty and ``None`` do not narrow; ``state`` is of at least one delivery."""

    task_id: int | None = None
    kind: str = ""
    state: str = ""
    search: str = ""
    since: datetime | None = None
    before: int | None = None
    limit: int = 50


def add(tx: sa.Connection, scope: Scope, new: New, recipients: Iterable[tuple[Recipient, str]]) -> int:
    """Put a message and its deliveries into the outbox; each recipient comes with a random reference. Its id.

    :raises NotFound: when the workspace has no such task.
    """
    if new.task_id is not None:
        mine = (task.c.workspace_id == scope.workspace_id) & (task.c.id == new.task_id)
        if tx.scalar(sa.select(task.c.id).where(mine)) is None:
            raise NotFound(f"there is no task {new.task_id}")
    made: int = tx.execute(
        sa.insert(message)
        .values(
            workspace_id=scope.workspace_id,
            kind=new.kind,
            task_id=new.task_id,
            alert_id=new.alert_id,
            subject=new.subject,
            body=new.body,
            type=new.type,
            severity=new.severity,
            created_by=scope.principal.name,
            at=new.at,
        )
        .returning(message.c.id)
    ).scalar_one()
    rows = [
        {
            "workspace_id": scope.workspace_id,
            "message_id": made,
            "channel_id": each.channel_id,
            "address": each.address,
            "state": "failed" if each.trouble else "waiting",
            "last_error": each.trouble,
            "reference": reference,
            "next_at": new.at,
            "since": new.at,
        }
        for each, reference in recipients
    ]
    if rows:
        tx.execute(sa.insert(delivery), rows)
    return made


def get(tx: sa.Connection, scope: Scope, message_id: int) -> wire.SentMessage:
    """:raises NotFound: when the workspace has no such message."""
    row = tx.execute(
        sa.select(message).where(message.c.workspace_id == scope.workspace_id, message.c.id == message_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no message {message_id}")
    return _to_wire(row, _deliveries(tx, scope, [message_id])[message_id], body=row.body)


def page(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[wire.SentMessage]:
    """Newest first, without their bodies."""
    columns = [column for column in message.c if column.name != "body"]
    statement = sa.select(*columns).where(message.c.workspace_id == scope.workspace_id, *_fitting(tx, scope, wanted))
    rows = tx.execute(statement.order_by(message.c.id.desc()).limit(wanted.limit)).all()
    found = _deliveries(tx, scope, [row.id for row in rows])
    return [_to_wire(row, found[row.id], body="") for row in rows]


def _fitting(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.task_id is not None:
        found.append(message.c.task_id == wanted.task_id)
    if wanted.kind:
        found.append(message.c.kind == wanted.kind)
    if wanted.before is not None:
        found.append(message.c.id < wanted.before)
    if wanted.since is not None:
        found.append(message.c.id >= _first_since(tx, scope, wanted.since))
    if wanted.state:
        found.append(_one_is(scope, wanted.state))
    if wanted.search:
        found += _holding(tx, scope, wanted.search)
    return found


def _one_is(scope: Scope, state: str) -> sa.ColumnElement[bool]:
    """At least one delivery is so: asked of each message for what most are, else of the few that are."""
    of_state = (delivery.c.workspace_id == scope.workspace_id) & (delivery.c.state == state)
    if state == "sent":
        return sa.exists().where(of_state, delivery.c.message_id == message.c.id)
    return message.c.id.in_(sa.select(delivery.c.message_id).where(of_state))


def _first_since(tx: sa.Connection, scope: Scope, since: datetime) -> int:
    """Ids grow with the time: a bound that every index holds. No message: nothing is as young."""
    first = (
        sa.select(message.c.id)
        .where(message.c.workspace_id == scope.workspace_id, message.c.at >= since)
        .order_by(message.c.at, message.c.id)
        .limit(1)
    )
    return tx.scalar(first) or LARGEST_ID


def _holding(tx: sa.Connection, scope: Scope, search: str) -> list[sa.ColumnElement[bool]]:
    """The text is in the subject, the body or an address of one of the newest."""
    newest = tx.scalar(sa.select(sa.func.max(message.c.id)).where(message.c.workspace_id == scope.workspace_id)) or 0
    sent_to = sa.select(delivery.c.message_id).where(
        delivery.c.workspace_id == scope.workspace_id,
        delivery.c.message_id > newest - SEARCHED,
        delivery.c.address.icontains(search, autoescape=True),
    )
    texts = (message.c.subject, message.c.body, message.c.created_by)
    within = sa.or_(*(each.icontains(search, autoescape=True) for each in texts), message.c.id.in_(sent_to))
    return [message.c.id > newest - SEARCHED, within]


def _deliveries(tx: sa.Connection, scope: Scope, messages: Sequence[int]) -> dict[int, list[wire.Delivery]]:
    found: dict[int, list[wire.Delivery]] = defaultdict(list)
    if not messages:
        return found
    rows = tx.execute(
        sa.select(delivery, sa.func.coalesce(notice_channel.c.label, "").label("channel"))
        .outerjoin(notice_channel, notice_channel.c.id == delivery.c.channel_id)
        .where(delivery.c.workspace_id == scope.workspace_id, delivery.c.message_id.in_(messages))
        .order_by(delivery.c.id)
    )
    for row in rows:
        found[row.message_id].append(
            wire.Delivery(
                id=row.id,
                channel=row.channel,
                address=row.address,
                state=row.state,
                tries=row.tries,
                next_at=row.next_at if row.state == "waiting" else None,
                sent_at=row.sent_at,
                last_error=row.last_error,
            )
        )
    return found


def _to_wire(row: Row, deliveries: list[wire.Delivery], *, body: str) -> wire.SentMessage:
    return wire.SentMessage(
        id=row.id,
        kind=row.kind,
        task_id=row.task_id,
        alert_id=row.alert_id,
        subject=row.subject,
        body=body,
        type=row.type,
        created_by=row.created_by,
        at=row.at,
        deliveries=deliveries,
    )
