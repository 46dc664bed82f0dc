"""Error reports of bots, their files and groups."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0009"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _create_groups()
    _create_reports()
    op.create_table(
        "error_file",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace_id", "workspace.id"),
        _reference("report_id", "error_report.id"),
        *(_text(name) for name in ("kind", "name", "sha256")),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        _text("media_type"),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_file")),
        sa.CheckConstraint("kind IN ('screenshot', 'attachment')", name=op.f("ck_error_file_kind")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_error_file_report_id", "error_file", ["report_id"])
    op.create_index("ix_error_file_sha256", "error_file", ["sha256"])


def _create_groups() -> None:
    op.create_table(
        "error_group",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace_id", "workspace.id"),
        *(_text(name) for name in ("fingerprint", "type", "place", "message")),
        _text("status", "open"),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in ("count", "newest_id")),
        *(_time(name) for name in ("first_at", "last_at")),
        _text("changed_by"),
        _time("changed_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_group")),
        sa.UniqueConstraint("workspace_id", "fingerprint", name=op.f("uq_error_group_workspace_id_fingerprint")),
        sa.CheckConstraint("status IN ('open', 'resolved', 'ignored')", name=op.f("ck_error_group_status")),
        sqlite_autoincrement=True,
    )
    newest = sa.text("newest_id DESC")
    op.create_index("ix_error_group_list", "error_group", ["workspace_id", newest])
    op.create_index("ix_error_group_status", "error_group", ["workspace_id", "status", newest])
    op.create_table(
        "error_group_automation",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace_id", "workspace.id"),
        _reference("group_id", "error_group.id"),
        _reference("automation_id", "automation.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_group_automation")),
        sa.UniqueConstraint("group_id", "automation_id", name=op.f("uq_error_group_automation_group_id_automation_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_error_group_automation_automation_id", "error_group_automation", ["automation_id"])


def _create_reports() -> None:
    op.create_table(
        "error_report",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(f"{name}_id", f"{name}.id") for name in ("workspace", "repository", "task", "automation")),
        _reference("group_id", "error_group.id"),
        _reference("bot_version_id", "bot_version.id", nullable=True),
        *(_text(name) for name in ("type", "place", "message", "stack_trace", "language")),
        sa.Column("tags", JSON, nullable=False),
        _text("created_by"),
        sa.Column("attempt", sa.Integer()),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_report")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_error_report_list", "error_report", ["workspace_id", sa.text("id DESC")])
    for name in ("task", "automation", "group"):
        op.create_index(f"ix_error_report_{name}", "error_report", ["workspace_id", f"{name}_id", sa.text("id DESC")])
    op.create_index("ix_error_report_at", "error_report", ["workspace_id", "at"])


def _reference(column: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(column, sa.Integer(), sa.ForeignKey(target), nullable=nullable)


def _text(column: str, default: str = "") -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default=default, nullable=False)


def _time(column: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(column, sa.DateTime(timezone=True), nullable=nullable)
