"""Answers to requests that carried an idempotency key, so that a repeated request makes nothing twice."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bottool.errors import InvalidInput
from bottool_web.store.scope import Scope
from bottool_web.store.tables import idempotency


def find_or_claim(tx: sa.Connection, scope: Scope, key: str, body_hash: str, now: datetime) -> dict[str, Any] | None:
    """The answer that the key got before; ``None`` when it is new: then do the work and ``keep`` its answer.

    A second request with the same key that comes meanwhile waits here for the first one's commit.

    :raises InvalidInput: when the key came with another body before.
    """
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    claimed = tx.execute(
        dialect.insert(idempotency)
        .values(workspace_id=scope.workspace_id, key=key, body_hash=body_hash, answer={}, created_at=now)
        .on_conflict_do_nothing()
        .returning(idempotency.c.id)
    ).one_or_none()
    if claimed is not None:
        return None
    row = tx.execute(
        sa.select(idempotency).where(idempotency.c.workspace_id == scope.workspace_id, idempotency.c.key == key)
    ).one()
    if row.body_hash != body_hash:
        raise InvalidInput(
            f"the idempotency key '{key}' was used for another request", "use a new key for each new request"
        )
    answer: dict[str, Any] = row.answer
    return answer


def keep(tx: sa.Connection, scope: Scope, key: str, answer: dict[str, Any]) -> None:
    tx.execute(
        sa.update(idempotency)
        .where(idempotency.c.workspace_id == scope.workspace_id, idempotency.c.key == key)
        .values(answer=answer)
    )


def purge(tx: sa.Connection, before: datetime) -> None:
    """For the clock: drop keys that are too old to be repeated, in every workspace."""
    tx.execute(sa.delete(idempotency).where(idempotency.c.created_at < before))
