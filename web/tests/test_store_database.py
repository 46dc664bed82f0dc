"""What the store promises of a read and of a write, on both databases."""

import pytest
import sqlalchemy as sa

from bottool_web.store.database import Store

COUNT = sa.text("SELECT count(*) FROM login_failure")
ADD = sa.text("INSERT INTO login_failure (subject, address, at) VALUES ('ada', '192.0.2.1', '2030-01-15 12:00:00')")


def test_a_read_sees_one_moment_however_often_it_asks(store: Store) -> None:
    def ask_twice(tx: sa.Connection) -> tuple[int, int]:
        before = tx.execute(COUNT).scalar_one()
        store.write(lambda other: other.execute(ADD))
        return before, tx.execute(COUNT).scalar_one()

    assert store.read(ask_twice) == (0, 0)
    assert store.read(lambda tx: tx.execute(COUNT).scalar_one()) == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_read_that_writes_is_refused_and_a_write_after_it_is_not(store: Store) -> None:
    with pytest.raises(sa.exc.InternalError, match="read-only"):
        store.read(lambda tx: tx.execute(ADD))

    store.write(lambda tx: tx.execute(ADD))

    assert store.read(lambda tx: tx.execute(COUNT).scalar_one()) == 1
