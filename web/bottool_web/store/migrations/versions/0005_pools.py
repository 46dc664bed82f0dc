"""Data pools and their entries."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from bottool_web.store.column_types import Json

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    _pools()
    _entries()
    _indexes()
    _moves()


def _pools() -> None:
    op.create_table(
        "data_pool",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace"),
        _reference("repository"),
        _reference("automation", nullable=True),
        _text("label"),
        _text("name"),
        _text("policy", "fifo"),
        sa.Column("schema", Json, nullable=False),
        _text("trigger", "never"),
        _flag("auto_retry"),
        _whole("max_auto_retry"),
        _flag("abort_on_error"),
        _whole("max_errors"),
        _flag("limits_time"),
        _whole("limit_minutes"),
        _text("on_attempt_end", "return"),
        _flag("active"),
        _text("note"),
        _whole("errors_in_row"),
        *(_whole(name) for name in ("open", "done", "failed", "cancelled")),
        sa.Column("done_seconds", sa.Float(), server_default="0", nullable=False),
        _text("created_by"),
        _time("created_at"),
        _time("changed_at"),
        _time("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_pool")),
        _one_of("data_pool", "policy", "'fifo', 'lifo'"),
        _one_of("data_pool", "trigger", "'always', 'never', 'no_task_active'"),
        _one_of("data_pool", "on_attempt_end", "'return', 'error'"),
        sqlite_autoincrement=True,
    )
    living = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_data_pool_label",
        "data_pool",
        ["workspace_id", "label"],
        unique=True,
        sqlite_where=living,
        postgresql_where=living,
    )
    op.create_index(op.f("ix_data_pool_automation_id"), "data_pool", ["automation_id"])


def _entries() -> None:
    op.create_table(
        "pool_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace"),
        sa.Column("pool_id", sa.Integer(), sa.ForeignKey("data_pool.id"), nullable=False),
        _text("state", "pending"),
        _whole("priority"),
        sa.Column("values", Json, nullable=False),
        *(_text(name) for name in ("unique_key", "display_value", "message", "error_type")),
        _whole("retry_index"),
        sa.Column("parent_id", sa.Integer()),
        sa.Column("child_id", sa.Integer()),
        _reference("task", nullable=True),
        _reference("attempt", nullable=True),
        _whole("returned"),
        _text("created_by"),
        _time("created_at"),
        *(_time(name, nullable=True) for name in ("taken_at", "due_at", "ended_at")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_entry")),
        _one_of("pool_entry", "state", "'pending', 'processing', 'done', 'error', 'timeout', 'cancelled'"),
        _one_of("pool_entry", "error_type", "'', 'system', 'business'"),
        sa.CheckConstraint("priority BETWEEN 0 AND 10", name=op.f("ck_pool_entry_priority")),
        sqlite_autoincrement=True,
    )


def _indexes() -> None:
    first, last = sa.text("priority DESC"), sa.text("id DESC")
    held = "state IN ('processing', 'timeout')"
    _partial("ix_pool_entry_first", "state = 'pending'", ["pool_id", first, "id"])
    _partial("ix_pool_entry_last", "state = 'pending'", ["pool_id", first, last])
    _partial("ix_pool_entry_held", held, ["pool_id", "state"])
    _partial("ix_pool_entry_attempt", held, ["attempt_id"])
    _partial("ix_pool_entry_due", "state = 'processing'", ["workspace_id", "due_at"])
    op.create_index("ix_pool_entry_list", "pool_entry", ["workspace_id", "pool_id", last])
    op.create_index("ix_pool_entry_state", "pool_entry", ["workspace_id", "pool_id", "state", last])
    op.create_index("ix_pool_entry_key", "pool_entry", ["workspace_id", "pool_id", "unique_key", last])
    op.create_index("ix_pool_entry_task", "pool_entry", ["workspace_id", "task_id"])


def _moves() -> None:
    kinds = "'pulled', 'returned', 'timed_out', 'done', 'failed', 'cancelled', 'requeued', 'changed'"
    op.create_table(
        "pool_move",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace"),
        sa.Column("entry_id", sa.Integer(), sa.ForeignKey("pool_entry.id"), nullable=False),
        _text("kind"),
        _text("actor"),
        sa.Column("task_id", sa.Integer()),
        sa.Column("attempt_id", sa.Integer()),
        _text("message"),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_move")),
        _one_of("pool_move", "kind", kinds),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_pool_move_entry_id"), "pool_move", ["entry_id"])


def _partial(name: str, where: str, columns: list[Any]) -> None:
    op.create_index(name, "pool_entry", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN ({words})", name=op.f(f"ck_{table}_{column}"))


def _reference(table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _text(column: str, default: str = "") -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default=default, nullable=False)


def _whole(column: str) -> sa.Column[int]:
    return sa.Column(column, sa.Integer(), server_default="0", nullable=False)


def _flag(column: str) -> sa.Column[bool]:
    return sa.Column(column, sa.Boolean(), server_default=sa.true(), nullable=False)


def _time(column: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(column, sa.DateTime(timezone=True), nullable=nullable)
