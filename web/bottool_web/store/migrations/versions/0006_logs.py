"""Logs that bots write."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "log",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "repository")),
        _text("label"),
        sa.Column("columns", JSON, nullable=False),
        _text("created_by"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_log_label",
        "log",
        ["workspace_id", "label"],
        unique=True,
        sqlite_where=LIVING,
        postgresql_where=LIVING,
    )
    op.create_table(
        "log_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "log")),
        sa.Column("values", JSON, nullable=False),
        _reference("task", nullable=True),
        sa.Column("attempt", sa.Integer()),
        _text("created_by"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_log_entry_list", "log_entry", ["log_id", "at", "id"])


def _reference(table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _text(column: str) -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default="", nullable=False)
