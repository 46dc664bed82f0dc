"""The migrations and the tables say the same, on both databases."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bottool.errors import SettingsError
from bottool_web.store.database import Store
from bottool_web.store.schema import migrate, newest
from bottool_web.store.tables import metadata

SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name NOT IN ('alembic_version') ORDER BY 1, 2"
COLUMNS = """
    SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'
    ORDER BY 1, 3"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


def described(engine: sa.Engine) -> list[set[tuple[object, ...]]]:
    """What the database itself says of its tables, constraints and indexes."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            return [{tuple(row) for row in connection.execute(sa.text(q))} for q in (COLUMNS, CONSTRAINTS, INDEXES)]
    with engine.connect() as connection:
        rows = connection.execute(sa.text(SQLITE)).all()
        autoincrement = {(row.name,) for row in rows if "AUTOINCREMENT" in (row.sql or "")}
        columns = {
            (row.name, tuple(column))
            for row in rows
            if row.type == "table"
            for column in connection.execute(sa.text(f"PRAGMA table_info({row.name})"))
        }
    looking = sa.inspect(engine)
    constraints: set[tuple[object, ...]] = set()
    for table in looking.get_table_names():
        if table != "alembic_version":
            checks = looking.get_check_constraints(table) + looking.get_unique_constraints(table)
            keys = [*looking.get_foreign_keys(table), looking.get_pk_constraint(table)]
            constraints |= {(table, repr(sorted(one.items()))) for one in [*checks, *keys]}
    indexes = {(row.name, row.sql) for row in rows if row.type == "index" and row.sql}
    return [columns, constraints, indexes, autoincrement]


@pytest.fixture
def made_from_tables(empty_database_address: str) -> Iterator[sa.Engine]:
    store = Store(empty_database_address)
    metadata.create_all(store.engine)
    yield store.engine
    store.close()


def test_the_migrated_database_is_what_the_tables_say(store: Store, made_from_tables: sa.Engine) -> None:
    migrated, wanted = described(store.engine), described(made_from_tables)

    for have, want in zip(migrated, wanted, strict=True):
        assert sorted(have - want, key=str) == []
        assert sorted(want - have, key=str) == []
    assert all(migrated)


def test_migrating_a_current_database_changes_nothing(store: Store) -> None:
    before = described(store.engine)

    migrate(store)

    assert described(store.engine) == before


def test_a_database_of_a_newer_bottool_is_refused(store: Store) -> None:
    store.write(lambda tx: tx.execute(sa.text("UPDATE alembic_version SET version_num = '9999'")))

    with pytest.raises(SettingsError, match="another bottool"):
        migrate(store)

    found = store.read(lambda tx: tx.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one())
    assert found == "9999"
    assert newest() != "9999"


def test_a_folder_with_blanks_and_percent_signs_can_hold_the_database(sqlite_template: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a 100% bot"
    folder.mkdir()
    shutil.copy(sqlite_template, folder / "site.db")
    store = Store(f"sqlite:///{folder / 'site.db'}")

    migrate(store)

    assert store.read(lambda tx: tx.execute(sa.text("SELECT count(*) FROM task")).scalar_one()) == 0
    store.close()
