"""Credentials, sealed, and which attempt has read which."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "credential",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "repository")),
        *(_text(name) for name in ("label", "created_by")),
        *(_time(name) for name in ("created_at", "changed_at")),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_credential_label",
        "credential",
        ["workspace_id", "label"],
        unique=True,
        sqlite_where=LIVING,
        postgresql_where=LIVING,
    )
    op.create_table(
        "credential_secret",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "credential")),
        *(_text(name) for name in ("key", "sealed")),
        _time("changed_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_secret")),
        sa.UniqueConstraint("credential_id", "key", name=op.f("uq_credential_secret_credential_id_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "credential_read",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "attempt")),
        *(_text(name) for name in ("what", "sealed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credential_read")),
        sa.UniqueConstraint("attempt_id", "what", "sealed", name=op.f("uq_credential_read_attempt_id_what_sealed")),
        sqlite_autoincrement=True,
    )


def _reference(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def _text(column: str) -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default="", nullable=False)


def _time(column: str) -> sa.Column[object]:
    return sa.Column(column, sa.DateTime(timezone=True), nullable=False)
