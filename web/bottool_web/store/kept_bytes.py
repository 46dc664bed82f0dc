"""Which bytes somebody still needs: every table with a checksum is asked, whatever part of the site it belongs to."""

from collections.abc import Collection

import sqlalchemy as sa

from bottool_web.store import tables


def needed(tx: sa.Connection, checksums: Collection[str]) -> set[str]:
    """Those of ``checksums`` that a row of any table names, in a column that ends in ``sha256``.

    Needs no scope: equal bytes are kept once for all workspaces.
    """
    found: set[str] = set()
    for column in _columns():
        found |= set(tx.scalars(sa.select(column).where(column.in_(checksums)).distinct()))
    return found


def _columns() -> list[sa.Column[str]]:
    return [
        column for table in tables.metadata.sorted_tables for column in table.columns if column.name.endswith("sha256")
    ]
