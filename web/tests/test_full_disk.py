"""A full disk is told as what it is, leaves nothing half-made, and is over once there is room."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from bottool.errors import Unavailable
from bottool_web.files import Files
from bottool_web.store.database import Store

resource = pytest.importorskip("resource")


@contextmanager
def little_room() -> Iterator[None]:
    """No file may grow beyond 10 kB: to a writer it is as if the disk were full.

    No fixture, because pytest itself writes between a test and its clean-up, perhaps into a long file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_output_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    files = Files(tmp_path)

    for _ in range(3):
        with little_room(), pytest.raises(OSError, match="large"):
            files.write_chunk(1, 0, b"x" * 20_000)

    assert list((tmp_path / "incoming").iterdir()) == []
    assert files.read_chunk(1, 0) == b""
    files.write_chunk(1, 0, b"small")
    assert files.read_chunk(1, 0) == b"small"


def test_what_a_killed_server_had_half_received_is_gone_at_the_next_start(tmp_path: Path) -> None:
    Files(tmp_path)
    (tmp_path / "incoming" / "half").write_bytes(b"x")

    Files(tmp_path)

    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_database_without_room_is_unavailable_and_takes_the_next_write(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'site.db'}")

    def fill(tx: sa.Connection) -> None:
        tx.exec_driver_sql(f"PRAGMA max_page_count = {tx.exec_driver_sql('PRAGMA page_count').scalar_one()}")
        tx.exec_driver_sql("INSERT INTO kept VALUES (zeroblob(1000000))")

    def count(tx: sa.Connection) -> int:
        return int(tx.exec_driver_sql("SELECT count(*) FROM kept").scalar_one())

    try:
        store.write(lambda tx: tx.exec_driver_sql("CREATE TABLE kept (what BLOB)"))
        with pytest.raises(Unavailable, match="full"):
            store.write(fill)
        store.write(lambda tx: tx.exec_driver_sql("INSERT INTO kept VALUES ('small')"))
        assert store.read(count) == 1
    finally:
        store.close()
