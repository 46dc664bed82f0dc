"""Who did what: one row for each change that a person or a program made. Rows are never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool_web.store.scope import Scope
from bottool_web.store.tables import audit


def record(tx: sa.Connection, scope: Scope, act: str, subject: str, now: datetime, **detail: Any) -> None:
    """Write that the scope's principal did ``act`` (a permission's name) to ``subject``, in the change's transaction.

    ``detail`` holds JSON values and never a secret.
    """
    tx.execute(
        sa.insert(audit).values(
            workspace_id=scope.workspace_id, actor=scope.principal.name, act=act, subject=subject, detail=detail, at=now
        )
    )


def newest(tx: sa.Connection, scope: Scope, limit: int = 100) -> list[Mapping[str, Any]]:
    """Newest first: actor, act, subject, detail, at."""
    rows = tx.execute(
        sa.select(audit.c.actor, audit.c.act, audit.c.subject, audit.c.detail, audit.c.at)
        .where(audit.c.workspace_id == scope.workspace_id)
        .order_by(audit.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows a list shows: those whose texts begin so. ``before`` is the id after which it goes on."""

    actor: str = ""
    act: str = ""
    subject: str = ""
    before: int | None = None
    limit: int = 50


def page(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[wire.AuditEntry]:
    """Newest first."""
    asked = sa.select(audit.c.id, audit.c.actor, audit.c.act, audit.c.subject, audit.c.detail, audit.c.at).where(
        audit.c.workspace_id == scope.workspace_id
    )
    for column, text in ((audit.c.actor, wanted.actor), (audit.c.act, wanted.act), (audit.c.subject, wanted.subject)):
        if text:
            asked = asked.where(_begins(tx, scope, column, text))
    if wanted.before is not None:
        asked = asked.where(audit.c.id < wanted.before)
    rows = tx.execute(asked.order_by(audit.c.id.desc()).limit(wanted.limit)).mappings()
    return [wire.AuditEntry(**row) for row in rows]


def _begins(tx: sa.Connection, scope: Scope, column: sa.Column[str], text: str) -> sa.ColumnElement[bool]:
    """As each database can answer it by an index, and the same on both: letters count as they are written."""
    if tx.dialect.name != "sqlite":
        return column.startswith(text, autoescape=True)
    range_ = column.between(text, f"{text}\U0010ffff")
    found = sa.select(column).where(audit.c.workspace_id == scope.workspace_id, range_).limit(1)
    first, last = tx.scalar(found.order_by(column)), tx.scalar(found.order_by(column.desc()))
    # One value is in the order of ids in the index; of several all rows would be sorted.
    return column == first if first == last else range_
