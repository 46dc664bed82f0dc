"""Who did what: one row for each change that a person or a program made. Rows are never changed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

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
