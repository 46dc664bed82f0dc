"""Which build of SQLite a server on this machine would use, and what is known against it. Opens no database.

From 3.7.0 on, several connections that share a write-ahead log can lose a part of it when one of them starts the log
anew just as another one writes: the database may then be corrupt. Fixed in 3.51.3, and in 3.50.7 and 3.44.6 of older
lines. Source: https://sqlite.org/wal.html, "The WAL-Reset Bug".
"""

from typing import Any

_FIRST, _MENDED = (3, 7, 0), (3, 51, 3)
_MENDED_LINES = ((3, 44, 6), (3, 50, 7))


def module() -> Any:
    """The database module with the newer SQLite: the one that the server brings where it can, else Python's own.

    :raises ImportError: when this Python was built without SQLite.
    """
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        import sqlite3 as dbapi2
    return dbapi2


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """True for a version whose write-ahead log must not be shared by several connections."""
    is_mended = any(version[:2] == line[:2] and version >= line for line in _MENDED_LINES)
    return _FIRST <= version < _MENDED and not is_mended
