"""Connections and transactions, on SQLite and PostgreSQL. Knows no table.

Writes are closures that may be run again. On SQLite one thread runs them all, several in one commit when they queue up,
so nobody waits for a lock that others take unfairly. On PostgreSQL they run on a pool, and serialization failures are
tried again. Nobody holds a connection between calls.
"""

import os
import queue
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from bottool import sqlite_build
from bottool.errors import SettingsError, Unavailable

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]

BUSY_SECONDS = 10
GROUP_LIMIT = 32
"""So many waiting writes share one commit on SQLite."""
RETRIES = 8


def _sqlite_engine(module: Any, path: Path, *, begin: str) -> sa.Engine:
    # EXTRA: without a write-ahead log, a commit is on the disk only when its journal's removal is.
    is_risky = sqlite_build.has_wal_reset_bug(module.sqlite_version_info)
    journal, synchronous = ("delete", "EXTRA") if is_risky else ("wal", "FULL")
    engine = sa.create_engine(
        f"sqlite+pysqlite:///{path}",
        module=module,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        (now,) = connection.execute(f"PRAGMA journal_mode={journal}").fetchone()
        if is_risky and now == "wal":
            raise Unavailable(f"another program uses '{path}'", "end it, and start the server again")
        for pragma in (f"synchronous={synchronous}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _make_private(path: Path) -> None:
    """SQLite would let everybody on the machine read a new file; those beside it get the rights of this one."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


class Store:
    """A site's database. One per process; safe to use from any thread; ``close`` ends its thread and connections.

    ``sqlite`` is the database module for a SQLite file; the best one of this machine unless it is given. One whose
    write-ahead log cannot be trusted works without it: slower, and a write waits for the reads that go on.

    :raises SettingsError: when the address names no database that bottool knows.
    """

    def __init__(self, address: str, *, sqlite: Any = None) -> None:
        self.address = address
        url = sa.make_url(address)
        self._writes: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        if url.get_backend_name() == "sqlite":
            if not url.database:
                raise SettingsError("the store needs a file", "write sqlite:///PATH, or postgresql://…")
            _make_private(Path(url.database))
            module = sqlite or sqlite_build.module()
            self._reading = _sqlite_engine(module, Path(url.database), begin="BEGIN")
            self._writing = _sqlite_engine(module, Path(url.database), begin="BEGIN IMMEDIATE")
        elif url.get_backend_name() == "postgresql":
            engine = sa.create_engine(url.set(drivername="postgresql+psycopg"), pool_size=10, pool_pre_ping=True)
            self._writing = engine
            # One moment for the whole of a read, also when it asks several times; READ COMMITTED is one per statement.
            self._reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        else:
            raise SettingsError(
                f"the store cannot be '{url.get_backend_name()}'", "write sqlite:///PATH or postgresql://…"
            )

    @property
    def is_sqlite(self) -> bool:
        return self._writing.dialect.name == "sqlite"

    @property
    def engine(self) -> sa.Engine:
        """For migrations and ``leading`` only; everything else goes through ``read`` and ``write``."""
        return self._writing

    def read(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` returns; it sees one moment of the database and must not write."""
        try:
            with self._reading.begin() as connection:
                return work(connection)
        except sa.exc.OperationalError as error:
            raise _unavailable(error) from error

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What ``work`` returns, after its commit is on disk.

        ``work`` may be run again after a collision, so it must have no effect outside the transaction. What it raises
        undoes what it wrote, and nothing else.

        :raises Unavailable: when the database cannot take it now.
        """
        if not self.is_sqlite:
            return self._write_pooled(work)
        if self._writer is None:
            self._start_writer()
        if threading.current_thread() is self._writer:
            raise AssertionError("a write inside a write would wait for itself: hand the transaction on")
        future: Future[T] = Future()
        self._writes.put((work, future))
        return future.result()

    def close(self) -> None:
        """Let waiting writes finish, then drop every connection. May be repeated."""
        if self._writer is not None:
            self._writes.put(None)
            self._writer.join()
            self._writer = None
        self._reading.dispose()
        self._writing.dispose()

    _start_lock = threading.Lock()

    def _start_writer(self) -> None:
        with self._start_lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write_in_turn, name="store-writer", daemon=True)
                self._writer.start()

    def _write_in_turn(self) -> None:
        while (first := self._writes.get()) is not None:
            group, ending = [first], False
            while len(group) < GROUP_LIMIT and not self._writes.empty():
                item = self._writes.get()
                if item is None:
                    ending = True
                    break
                group.append(item)
            self._commit(group)
            if ending:
                return

    def _commit(self, group: list[tuple[Work, Future[Any]]]) -> None:
        """Run the writes of a group in one transaction, each in its own savepoint; answer only after the commit."""
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._writing.begin() as connection:
                for work, future in group:
                    answers.append((future, *_in_savepoint(connection, work)))
        except sa.exc.SQLAlchemyError as error:
            for _, future in group:
                future.set_exception(_unavailable(error))
            return
        for future, value, failure in answers:
            if failure is None:
                future.set_result(value)
            else:
                future.set_exception(failure)

    def _write_pooled(self, work: Callable[[sa.Connection], T]) -> T:
        for turn in range(RETRIES):
            try:
                with self._writing.begin() as connection:
                    return work(connection)
            except sa.exc.OperationalError as error:
                if not _collided(error) or turn == RETRIES - 1:
                    raise _unavailable(error) from error
            time.sleep(random.uniform(0, 0.01 * 2**turn))  # noqa: S311  # jitter, not a secret
        raise AssertionError("unreachable")


def _in_savepoint(connection: sa.Connection, work: Work) -> tuple[Any, BaseException | None]:
    savepoint = connection.begin_nested()
    try:
        value = work(connection)
    except sa.exc.OperationalError as error:
        try:
            savepoint.rollback()
        except sa.exc.OperationalError:
            # On a full disk SQLite undoes the whole transaction by itself: then none of the group is done.
            raise error from None
        return None, _unavailable(error)
    except Exception as error:  # noqa: BLE001  # handed to the caller who asked for this write
        savepoint.rollback()
        return None, error
    savepoint.commit()
    return value, None


def _collided(error: sa.exc.OperationalError) -> bool:
    """True for PostgreSQL's serialization failure and deadlock. Source: PostgreSQL manual, appendix A."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}


def _unavailable(error: sa.exc.SQLAlchemyError) -> Unavailable:
    first_line = str(getattr(error, "orig", error)).splitlines()[0]
    return Unavailable(f"the database does not answer: {first_line}", "look at the disk and at the database's own log")
