"""When automations run by themselves: schedules, and what came of each due time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "schedule",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "repository", "automation")),
        *(_text(name) for name in ("label", "description", "dialect", "expression")),
        _text("zone", "UTC"),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("priority", sa.Integer()),
        sa.Column("test", sa.Boolean(), server_default=sa.false(), nullable=False),
        _text("missed", "once"),
        sa.Column("missed_most", sa.Integer(), server_default="10", nullable=False),
        sa.Column("overlap", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.true(), nullable=False),
        _text("note"),
        _time("ends_at", nullable=True),
        _time("next_at", nullable=True),
        _text("created_by"),
        _time("created_at"),
        _time("changed_at"),
        _time("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule")),
        sa.CheckConstraint("dialect IN ('quartz', 'unix', 'once')", name=op.f("ck_schedule_dialect")),
        sa.CheckConstraint("missed IN ('skip', 'once', 'all')", name=op.f("ck_schedule_missed")),
        sa.CheckConstraint("priority BETWEEN 0 AND 10", name=op.f("ck_schedule_priority")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_schedule_automation_id"), "schedule", ["automation_id"])
    living, ahead = sa.text("deleted_at IS NULL"), sa.text("next_at IS NOT NULL")
    op.create_index(
        "uq_schedule_label",
        "schedule",
        ["workspace_id", "label"],
        unique=True,
        sqlite_where=living,
        postgresql_where=living,
    )
    op.create_index(
        "ix_schedule_next", "schedule", ["workspace_id", "next_at"], sqlite_where=ahead, postgresql_where=ahead
    )
    op.create_table(
        "schedule_run",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "schedule")),
        _time("at"),
        _text("outcome"),
        _text("reason"),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("task_id", sa.Integer(), sa.ForeignKey("task.id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_run")),
        sa.UniqueConstraint("schedule_id", "at", name=op.f("uq_schedule_run_schedule_id_at")),
        sa.CheckConstraint("outcome IN ('fired', 'skipped')", name=op.f("ck_schedule_run_outcome")),
        sqlite_autoincrement=True,
    )


def _reference(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def _text(column: str, default: str = "") -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default=default, nullable=False)


def _time(column: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(column, sa.DateTime(timezone=True), nullable=nullable)
