"""One leader: of several servers on one PostgreSQL, only one at a time does what must not be done twice.

Nothing stays taken between two beats of the clock, so whoever comes next may lead at once. A leader that was frozen or
cut off in the middle loses its session, and with it the lock, after ``lost_seconds``. SQLite has one server only.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bottool_web.store.database import Store

KEY = 0x626F7473
"""An arbitrary number that no other program is likely to take for its advisory lock."""
LOST_SECONDS = 10
# By way of the list of settings: older versions do not have them all.
_SET = sa.text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name")


@contextmanager
def leading(store: Store, *, lost_seconds: int = LOST_SECONDS) -> Iterator[bool]:
    """True inside while this server leads; False when another one does. Never waits."""
    if store.is_sqlite:
        yield True
        return
    connection = store.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    # Not back into the pool: its session has settings of its own, and its end gives the lock back whatever happens.
    connection.detach()
    try:
        for name, value in (
            ("idle_session_timeout", lost_seconds * 1000),
            ("tcp_keepalives_idle", max(1, lost_seconds // 2)),
            ("tcp_keepalives_interval", 1),
            ("tcp_keepalives_count", max(1, lost_seconds // 2)),
        ):
            connection.execute(_SET, {"name": name, "value": str(value)})
        yield bool(connection.scalar(sa.select(sa.func.pg_try_advisory_lock(KEY))))
    finally:
        connection.close()
