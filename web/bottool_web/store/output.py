"""Which pieces of an attempt's output are here. The bytes are files; a row is written after its file is on the disk."""

import sqlalchemy as sa

from bottool_web.store.moves import Row
from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, output_chunk


def add_chunk(tx: sa.Connection, scope: Scope, attempt_id: int, start: int, size_bytes: int) -> bool:
    """Count ``size_bytes`` at ``start`` as here; ``False`` when the output no longer ends at ``start``."""
    grown = tx.execute(
        sa.update(attempt)
        .where(
            attempt.c.workspace_id == scope.workspace_id,
            attempt.c.id == attempt_id,
            attempt.c.output_bytes == start,
        )
        .values(output_bytes=start + size_bytes)
    )
    if grown.rowcount != 1:
        return False
    tx.execute(
        sa.insert(output_chunk).values(
            workspace_id=scope.workspace_id, attempt_id=attempt_id, start=start, size_bytes=size_bytes
        )
    )
    return True


def chunks(tx: sa.Connection, scope: Scope, attempt_id: int, after: int, *, limit: int) -> list[Row]:
    """``start`` and ``size_bytes`` of the chunks that hold bytes from ``after`` on, in order."""
    first = tx.scalar(
        sa.select(sa.func.max(output_chunk.c.start)).where(
            output_chunk.c.workspace_id == scope.workspace_id,
            output_chunk.c.attempt_id == attempt_id,
            output_chunk.c.start <= after,
        )
    )
    return list(
        tx.execute(
            sa.select(output_chunk.c.start, output_chunk.c.size_bytes)
            .where(
                output_chunk.c.workspace_id == scope.workspace_id,
                output_chunk.c.attempt_id == attempt_id,
                output_chunk.c.start >= (first or 0),
            )
            .order_by(output_chunk.c.start)
            .limit(limit)
        )
    )


def last_chunks(tx: sa.Connection, scope: Scope, attempt_id: int, *, limit: int) -> list[Row]:
    """``start`` and ``size_bytes`` of the last chunks, in order."""
    rows = tx.execute(
        sa.select(output_chunk.c.start, output_chunk.c.size_bytes)
        .where(output_chunk.c.workspace_id == scope.workspace_id, output_chunk.c.attempt_id == attempt_id)
        .order_by(output_chunk.c.start.desc())
        .limit(limit)
    ).all()
    return list(reversed(rows))
