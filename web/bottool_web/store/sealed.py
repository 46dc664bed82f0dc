"""Every row that holds something sealed, in whichever table: what a rotation of keys goes over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bottool_web.store import channels, credentials
from bottool_web.store.credential_tables import credential_read, credential_secret
from bottool_web.store.notice_tables import notice_channel
from bottool_web.store.scope import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedRow:
    id: int
    what: str
    """As what it is sealed."""

    wanted: str
    """As what it is to be sealed: with its version, which old rows lack."""

    sealed: str = field(repr=False)


_WHAT: dict[sa.Table, Callable[[Scope, sa.Row[Any]], str]] = {
    credential_secret: lambda scope, row: credentials.what_of(scope, row.credential_id, row.key, row.version),
    credential_read: lambda _scope, row: str(row.what),
    notice_channel: lambda scope, row: channels.what_of(scope, row.id),
}
TABLES = {table.name: table for table in _WHAT}
"""By name. A deleted channel has nothing sealed any more; neither has a credential."""


def some(tx: sa.Connection, scope: Scope, table: str, after: int, limit: int) -> list[SealedRow]:
    """In the order of their ids, those behind ``after``."""
    of = TABLES[table]
    mine = (of.c.workspace_id == scope.workspace_id) & (of.c.sealed != "") & (of.c.id > after)
    rows = tx.execute(sa.select(of).where(mine).order_by(of.c.id).limit(limit))
    return [_row(scope, of, row) for row in rows]


def has_old(tx: sa.Connection, scope: Scope) -> bool:
    """Whether a value was sealed before values had versions."""
    mine = (credential_secret.c.workspace_id == scope.workspace_id) & (credential_secret.c.version == 0)
    return tx.scalar(sa.select(credential_secret.c.id).where(mine).limit(1)) is not None


def put(tx: sa.Connection, scope: Scope, table: str, row: SealedRow, new: str) -> None:
    """``new`` in the place of what the row had; not where somebody changed it meanwhile."""
    of = TABLES[table]
    mine = (of.c.workspace_id == scope.workspace_id) & (of.c.id == row.id) & (of.c.sealed == row.sealed)
    version = {"version": 1} if row.what != row.wanted else {}
    tx.execute(sa.update(of).where(mine).values(sealed=new, **version))


def _row(scope: Scope, of: sa.Table, row: sa.Row[Any]) -> SealedRow:
    what = _WHAT[of](scope, row)
    is_old = of is credential_secret and row.version == 0
    wanted = credentials.what_of(scope, row.credential_id, row.key, 1) if is_old else what
    return SealedRow(id=row.id, what=what, wanted=wanted, sealed=row.sealed)
