"""The pieces that tables are made of: names of constraints, ids, references, texts and times. Knows no table."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool.states import AttemptState, TaskState
from bottool_web.store.column_types import UtcTime

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def one_of(column: str, values: type[TaskState] | type[AttemptState] | tuple[str, ...]) -> sa.CheckConstraint:
    words = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({words})", name=column)


def table(name: str, *items: Any) -> sa.Table:
    # AUTOINCREMENT keeps SQLite from giving the id of a deleted row to a new one.
    return sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), *items, sqlite_autoincrement=True)


def reference(column: str, target: str, *, nullable: bool = False, index: bool = False) -> sa.Column[int]:
    return sa.Column(column, sa.Integer, sa.ForeignKey(target), nullable=nullable, index=index)


def text(column: str, *, default: str = "") -> sa.Column[str]:
    return sa.Column(column, sa.Text, nullable=False, server_default=default)


def time(column: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(column, UtcTime, nullable=nullable)
