"""What the store promises of a read and of a write, on both databases."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

from bottool_web.store.database import Store

COUNT = sa.text("SELECT count(*) FROM login_failure")
ADD = sa.text("INSERT INTO login_failure (subject, address, at) VALUES ('ada', '192.0.2.1', '2030-01-15 12:00:00')")


def test_a_read_sees_one_moment_however_often_it_asks(store: Store) -> None:
    with ThreadPoolExecutor(1) as others:

        def ask_twice(tx: sa.Connection) -> tuple[int, int]:
            before = tx.execute(COUNT).scalar_one()
            # Where SQLite works without its log, the write waits for the end of this read.
            wait([others.submit(store.write, lambda other: other.execute(ADD))], timeout=1)
            return before, tx.execute(COUNT).scalar_one()

        assert store.read(ask_twice) == (0, 0)
    assert store.read(lambda tx: tx.execute(COUNT).scalar_one()) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_read_that_writes_is_refused_and_a_write_after_it_is_not(store: Store) -> None:
    with pytest.raises(sa.exc.InternalError, match="read-only"):
        store.read(lambda tx: tx.execute(ADD))

    store.write(lambda tx: tx.execute(ADD))

    assert store.read(lambda tx: tx.execute(COUNT).scalar_one()) == 1


def a_build(version: tuple[int, int, int]) -> ModuleType:
    """Python's own SQLite, which says that it is of that version."""
    build = ModuleType("sqlite3")
    vars(build).update(vars(sqlite3) | {"sqlite_version_info": version})
    return build


@pytest.fixture
def risky(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """A store on a build whose log cannot be trusted, with a file that was written by a better one."""
    path = tmp_path / "site.db"
    path.write_bytes(sqlite_template.read_bytes())
    made = Store(f"sqlite:///{path}", sqlite=a_build((3, 51, 2)))
    yield made
    made.close()


def journal(store: Store) -> list[str]:
    """How a reading and the writing connection keep their journals."""
    ask = sa.text("PRAGMA journal_mode")
    return [
        store.read(lambda tx: str(tx.execute(ask).scalar_one())),
        store.write(lambda tx: str(tx.execute(ask).scalar_one())),
    ]


def test_several_connections_share_a_log_only_where_it_can_be_trusted(risky: Store) -> None:
    assert journal(risky) == ["delete", "delete"]
    risky.close()

    better = Store(risky.address, sqlite=a_build((3, 51, 3)))
    assert journal(better) == ["wal", "wal"]
    better.close()


def test_without_a_log_many_readers_and_writers_go_on_and_nothing_is_lost(risky: Store) -> None:
    assert journal(risky) == ["delete", "delete"]
    over = threading.Event()

    def keep_reading() -> int:
        seen = 0
        while not over.is_set():
            found = risky.read(lambda tx: tx.execute(COUNT).scalar_one())
            assert found >= seen, "what was written is gone"
            seen = found
        return seen

    with ThreadPoolExecutor(8) as threads:
        reading = [threads.submit(keep_reading) for _ in range(4)]
        try:
            list(threads.map(lambda _: risky.write(lambda tx: tx.execute(ADD)), range(200)))
        finally:
            over.set()
        assert max(each.result() for each in reading) > 0

    assert risky.read(lambda tx: tx.execute(COUNT).scalar_one()) == 200
    assert risky.read(lambda tx: tx.execute(sa.text("PRAGMA integrity_check")).scalar_one()) == "ok"
