"""Whom each automation tells of what, and the messages that follow from alerts and from ends of tasks."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput, did_you_mean
from bottool_web.store import messages
from bottool_web.store.messages import New, Recipient
from bottool_web.store.notice_tables import (
    automation_notice,
    automation_notice_type,
    delivery,
    message,
    notice_channel,
)
from bottool_web.store.scope import Scope
from bottool_web.store.tables import account, automation, membership, task

ENDS = {"failed": "failed", "timed_out": "ran out of time", "expired": "never started", "lost": "lost contact"}
"""The ends of tasks that people may be told of, in words."""
Row = sa.Row[*tuple[Any, ...]]


@dataclass(slots=True, kw_only=True)
class Settings:
    """Of one automation: e-mail addresses of users, labels of channels, types."""

    users: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    types: list[wire.NoticeType] = field(default_factory=list)


def of_automations(tx: sa.Connection, scope: Scope, automation_row: int | None = None) -> dict[int, Settings]:
    """By automation; of one, or of all of the workspace."""
    found: dict[int, Settings] = defaultdict(Settings)
    told = (
        sa.select(automation_notice.c.automation_id, account.c.email, notice_channel.c.label)
        .outerjoin(account, account.c.id == automation_notice.c.account_id)
        .outerjoin(notice_channel, notice_channel.c.id == automation_notice.c.channel_id)
        .where(automation_notice.c.workspace_id == scope.workspace_id, notice_channel.c.deleted_at.is_(None))
        .order_by(automation_notice.c.id)
    )
    kinds = (
        sa.select(automation_notice_type.c.automation_id, automation_notice_type.c.type)
        .where(automation_notice_type.c.workspace_id == scope.workspace_id)
        .order_by(automation_notice_type.c.id)
    )
    if automation_row is not None:
        told = told.where(automation_notice.c.automation_id == automation_row)
        kinds = kinds.where(automation_notice_type.c.automation_id == automation_row)
    for row in tx.execute(told):
        if row.email is not None:
            found[row.automation_id].users.append(row.email)
        elif row.label is not None:
            found[row.automation_id].channels.append(row.label)
    for kind in tx.execute(kinds):
        found[kind.automation_id].types.append(kind.type)
    return found


def set_users(tx: sa.Connection, scope: Scope, automation_row: int, emails: Iterable[str]) -> None:
    """Exactly these are told.

    :raises InvalidInput: for an address that is no user of the workspace.
    """
    wanted = list(dict.fromkeys(each.strip().casefold() for each in emails))
    known = members(tx, scope, wanted)
    for email in wanted:
        if email not in known:
            raise InvalidInput(
                f"'{email}' is no user of this workspace", "only users can be told by mail", path="notify_users"
            )
    _replace(tx, scope, automation_row, "account_id", [known[email] for email in wanted])


def set_channels(tx: sa.Connection, scope: Scope, automation_row: int, labels: Iterable[str]) -> None:
    """:raises InvalidInput: for a label that is no channel."""
    living = sa.select(notice_channel.c.label, notice_channel.c.id).where(
        notice_channel.c.workspace_id == scope.workspace_id, notice_channel.c.deleted_at.is_(None)
    )
    known: dict[str, int] = {row.label: row.id for row in tx.execute(living)}
    wanted = list(dict.fromkeys(labels))
    for label in wanted:
        if label not in known:
            hint = did_you_mean(label, known) or "a manager sets channels up under 'Messages'"
            raise InvalidInput(f"there is no channel '{label}'", hint, path="notify_channels")
    _replace(tx, scope, automation_row, "channel_id", [known[label] for label in wanted])


def set_types(tx: sa.Connection, scope: Scope, automation_row: int, types: Iterable[str]) -> None:
    mine = (automation_notice_type.c.workspace_id == scope.workspace_id) & (
        automation_notice_type.c.automation_id == automation_row
    )
    tx.execute(sa.delete(automation_notice_type).where(mine))
    rows = [
        {"workspace_id": scope.workspace_id, "automation_id": automation_row, "type": each}
        for each in dict.fromkeys(types)
    ]
    if rows:
        tx.execute(sa.insert(automation_notice_type), rows)


def members(tx: sa.Connection, scope: Scope, emails: Iterable[str]) -> dict[str, int]:
    """The accounts of the workspace that have these addresses and may sign in, by address."""
    rows = tx.execute(
        sa.select(account.c.email, account.c.id)
        .join(membership, membership.c.account_id == account.c.id)
        .where(
            membership.c.workspace_id == scope.workspace_id,
            account.c.email.in_(list(emails)),
            account.c.disabled_at.is_(None),
        )
    )
    return {row.email: row.id for row in rows}


def all_members(tx: sa.Connection, scope: Scope) -> list[str]:
    """The addresses of all who may be told."""
    return list(
        tx.scalars(
            sa.select(account.c.email)
            .join(membership, membership.c.account_id == account.c.id)
            .where(membership.c.workspace_id == scope.workspace_id, account.c.disabled_at.is_(None))
            .order_by(account.c.email)
        )
    )


def tell_of_alert(tx: sa.Connection, scope: Scope, alert: wire.Alert) -> bool:
    """Put the alert into the outbox, if somebody is told of such; in the transaction of the alert."""
    row = tx.scalar(
        sa.select(task.c.automation_id).where(task.c.workspace_id == scope.workspace_id, task.c.id == alert.task_id)
    )
    told = _told_of(tx, scope, row, alert.type) if row is not None else []
    if not told:
        return False
    name = alert.automation_name or alert.automation
    new = New(
        kind="alert",
        subject=f"{alert.type.upper()} · {name}: {alert.title}"[:300],
        body=f"{alert.message}\n\nTask {alert.task_id} of {name}\n",
        severity=alert.type,
        task_id=alert.task_id,
        alert_id=alert.id,
        at=alert.at,
    )
    messages.add(tx, scope, new, ((each, secrets.token_hex(12)) for each in told))
    return True


def tell_of_end(tx: sa.Connection, scope: Scope, ended: Row, state: str, why: str, at: datetime) -> None:
    """As ``tell_of_alert``, for a task that moves to ``state``; ``ended`` is its row."""
    told = _told_of(tx, scope, ended.automation_id, state)
    if not told:
        return
    name = _name_of(tx, scope, ended.automation_id)
    new = New(
        kind="task",
        subject=f"{name}: task {ended.id} {ENDS[state]}"[:300],
        body=f"{why}\n\nTask {ended.id} of {name}\n",
        severity="warn" if state == "lost" else "error",
        task_id=ended.id,
        at=at,
    )
    messages.add(tx, scope, new, ((each, secrets.token_hex(12)) for each in told))


def tell_of_waiting(
    tx: sa.Connection, scope: Scope, automation_row: int, task_ids: Sequence[int], why: str, at: datetime
) -> None:
    """As ``tell_of_alert``, for tasks that no runner can take; ``task_ids`` oldest first."""
    told = _told_of(tx, scope, automation_row, "waiting")
    if not told:
        return
    name, first, more = _name_of(tx, scope, automation_row), task_ids[0], len(task_ids) - 1
    others = f", and {more} more," if more else ""
    new = New(
        kind="task",
        subject=f"{name}: {more + 1} tasks wait"[:300] if more else f"{name}: task {first} waits"[:300],
        body=f"No runner can take it: {why}\n\nTask {first} of {name}{others} waits too long\n",
        severity="warn",
        task_id=first,
        at=at,
    )
    messages.add(tx, scope, new, ((each, secrets.token_hex(12)) for each in told))


def withdraw_end(tx: sa.Connection, scope: Scope, task_id: int, at: datetime) -> None:
    """The task is tried again at the very moment of its end: nobody is told of it."""
    mine = sa.select(message.c.id).where(
        message.c.workspace_id == scope.workspace_id,
        message.c.task_id == task_id,
        message.c.kind == "task",
        message.c.at == at,
    )
    untried = (delivery.c.workspace_id == scope.workspace_id) & delivery.c.message_id.in_(mine)
    tx.execute(sa.delete(delivery).where(untried, delivery.c.tries == 0))
    left = sa.select(delivery.c.message_id).where(untried)
    tx.execute(sa.delete(message).where(message.c.id.in_(mine), message.c.id.not_in(left)))


def _name_of(tx: sa.Connection, scope: Scope, automation_row: int) -> str:
    found = tx.execute(
        sa.select(automation.c.label, automation.c.name).where(
            automation.c.workspace_id == scope.workspace_id, automation.c.id == automation_row
        )
    ).one()
    return str(found.name or found.label)


def _told_of(tx: sa.Connection, scope: Scope, automation_row: int, kind: str) -> list[Recipient]:
    rows = tx.execute(
        sa.select(account.c.email, automation_notice.c.channel_id)
        .join(automation_notice_type, automation_notice_type.c.automation_id == automation_notice.c.automation_id)
        .outerjoin(account, account.c.id == automation_notice.c.account_id)
        .outerjoin(
            membership,
            (membership.c.account_id == account.c.id) & (membership.c.workspace_id == scope.workspace_id),
        )
        .outerjoin(notice_channel, notice_channel.c.id == automation_notice.c.channel_id)
        .where(
            automation_notice.c.workspace_id == scope.workspace_id,
            automation_notice.c.automation_id == automation_row,
            automation_notice_type.c.type == kind,
            # Whoever left the workspace, or may not sign in any more, is told nothing.
            sa.or_(
                membership.c.id.is_not(None) & account.c.disabled_at.is_(None),
                notice_channel.c.id.is_not(None) & notice_channel.c.deleted_at.is_(None),
            ),
        )
        .order_by(automation_notice.c.id)
    )
    return [Recipient(address=row.email or "", channel_id=row.channel_id) for row in rows]


def _replace(tx: sa.Connection, scope: Scope, automation_row: int, column: str, rows: list[int]) -> None:
    mine = (automation_notice.c.workspace_id == scope.workspace_id) & (
        automation_notice.c.automation_id == automation_row
    )
    tx.execute(sa.delete(automation_notice).where(mine, automation_notice.c[column].is_not(None)))
    values = [{"workspace_id": scope.workspace_id, "automation_id": automation_row, column: row} for row in rows]
    if values:
        tx.execute(sa.insert(automation_notice), values)
