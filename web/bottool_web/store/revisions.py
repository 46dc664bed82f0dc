"""The files that lie and lay under a version: listed, and an older one put back as a new revision. None is changed."""

from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store import bots
from bottool_web.store.inspection_tables import dependency, inspection
from bottool_web.store.scope import Scope
from bottool_web.store.tables import bot_version, revision

Row = sa.Row[*tuple[Any, ...]]
MOST = 500
"""So many of a version's files are listed."""


def of_version(tx: sa.Connection, scope: Scope, bot_id: str, version: str) -> list[wire.Revision]:
    """Newest first.

    :raises NotFound: when there is no such version.
    """
    row = bots.version_of(tx, scope, bot_id, version)
    found = _rows(tx, scope, row.id)
    numbers = {each.id: number for number, each in enumerate(found, 1)}
    newest = list(reversed(found))[:MOST]
    return [_as_people_see_it(each, numbers, current=each.id == row.revision_id) for each in newest]


def numbered(tx: sa.Connection, scope: Scope, bot_id: str, version: str, number: int | None) -> tuple[Row, Row]:
    """The version (as ``bots.version_of``), and its file of that number; for ``None`` the one before the current.

    The file with ``inspection``, the state of its inspection, which is ``None`` before that.

    :raises NotFound: when there is no such version or file.
    """
    row = bots.version_of(tx, scope, bot_id, version)
    found = _rows(tx, scope, row.id)
    if number is None:
        before = [each for each in found if each.id < (row.revision_id or 0) and each.sha256 != row.sha256]
        usable = [each for each in before if each.inspection != "refused"]
        if not usable:
            raise NotFound(f"version '{version}' of '{bot_id}' had no other file before", "nothing is to be undone")
        return row, usable[-1]
    if not 1 <= number <= len(found):
        raise NotFound(f"version '{version}' of '{bot_id}' has no revision {number}", f"it has 1 to {len(found)}")
    return row, found[number - 1]


def put_back(tx: sa.Connection, scope: Scope, older: Row, now: Any) -> int:
    """Make the file of ``older`` the newest of its version, with all that is known of it; returns the new row's id."""
    new = bots.NewRevision(
        sha256=older.sha256,
        size_bytes=older.size_bytes,
        file_name=older.file_name,
        findings=tuple(older.findings),
        at=now,
        # One that was replaced before anybody looked at it is looked at now.
        state="ready" if older.inspection else "checking",
    )
    made = bots.add_revision(tx, scope, older.bot_version_id, new)
    mine = revision.c.workspace_id == scope.workspace_id
    tx.execute(sa.update(revision).where(mine, revision.c.id == made).values(restored_from=older.id))
    for table in (inspection, dependency):
        _copy(tx, scope, table, older.id, made)
    return made


def _copy(tx: sa.Connection, scope: Scope, table: sa.Table, old: int, new: int) -> None:
    """The same rows, told of the revision ``new``."""
    names = [column.name for column in table.columns if column.name not in {"id", "revision_id"}]
    rows = (
        sa.select(sa.literal(new).label("revision_id"), *(table.c[name] for name in names))
        .where(table.c.workspace_id == scope.workspace_id, table.c.revision_id == old)
        .order_by(table.c.id)
    )
    tx.execute(sa.insert(table).from_select(["revision_id", *names], rows))


def _rows(tx: sa.Connection, scope: Scope, version_row: int) -> list[Row]:
    """Oldest first, so that a file's place is its number."""
    return list(
        tx.execute(
            sa.select(revision, inspection.c.state.label("inspection"), inspection.c.findings.label("told"))
            .join(bot_version, bot_version.c.id == revision.c.bot_version_id)
            .outerjoin(inspection, inspection.c.revision_id == revision.c.id)
            .where(revision.c.workspace_id == scope.workspace_id, revision.c.bot_version_id == version_row)
            .order_by(revision.c.id)
        )
    )


def _as_people_see_it(row: Row, numbers: dict[int, int], *, current: bool) -> wire.Revision:
    return wire.Revision(
        number=numbers[row.id],
        file_name=row.file_name,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        current=current,
        state=row.inspection or "waiting",
        findings=[*row.findings, *(row.told or [])],
        restored_from=numbers.get(row.restored_from or 0),
        created_at=row.created_at,
        created_by=row.created_by,
    )
