"""Channels of chat services. Their addresses come in and go out sealed."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound, did_you_mean
from bottool_web.store.notice_tables import notice_channel
from bottool_web.store.scope import Scope
from bottool_web.store.taken import conflict_when_taken

Row = sa.Row[*tuple[Any, ...]]


def what_of(scope: Scope, channel_id: int) -> str:
    """As what the address of a channel is sealed: its place, which no other row has."""
    return f"notice_channel {scope.workspace_id} {channel_id}"


def add(tx: sa.Connection, scope: Scope, label: str, service: str, now: datetime) -> wire.Channel:
    """A channel without an address yet: sealing needs its id.

    :raises Conflict: when a living channel has the label.
    """
    with conflict_when_taken(f"there is a channel '{label}' already", "choose another label, or delete that one"):
        row = tx.execute(
            sa.insert(notice_channel)
            .values(
                workspace_id=scope.workspace_id,
                label=label,
                service=service,
                created_by=scope.principal.name,
                created_at=now,
            )
            .returning(notice_channel)
        ).one()
    return _to_wire(row)


def set_sealed(tx: sa.Connection, scope: Scope, channel_id: int, sealed: str) -> None:
    tx.execute(sa.update(notice_channel).where(_living(scope), notice_channel.c.id == channel_id).values(sealed=sealed))


def all_living(tx: sa.Connection, scope: Scope) -> list[wire.Channel]:
    """By label."""
    rows = tx.execute(sa.select(notice_channel).where(_living(scope)).order_by(notice_channel.c.label))
    return [_to_wire(row) for row in rows]


def id_of(tx: sa.Connection, scope: Scope, label: str) -> int:
    """:raises NotFound: with a hint when a channel of a similar label exists."""
    found = tx.scalar(sa.select(notice_channel.c.id).where(_living(scope), notice_channel.c.label == label))
    if found is None:
        known = tx.scalars(sa.select(notice_channel.c.label).where(_living(scope))).all()
        raise NotFound(f"there is no channel '{label}'", did_you_mean(label, known))
    return int(found)


def delete(tx: sa.Connection, scope: Scope, label: str, now: datetime) -> None:
    """Its label may be used again; its address is forgotten at once.

    :raises NotFound: as ``id_of``.
    """
    row = id_of(tx, scope, label)
    tx.execute(
        sa.update(notice_channel).where(_living(scope), notice_channel.c.id == row).values(deleted_at=now, sealed="")
    )


def _living(scope: Scope) -> sa.ColumnElement[bool]:
    return (notice_channel.c.workspace_id == scope.workspace_id) & notice_channel.c.deleted_at.is_(None)


def _to_wire(row: Row) -> wire.Channel:
    return wire.Channel(
        id=row.id, label=row.label, service=row.service, created_by=row.created_by, created_at=row.created_at
    )
