"""Messages, who is told of what, and what waits to be delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("ix_alert_workspace", "alert", ["workspace_id", sa.text("id DESC")])
    op.create_index("ix_alert_type", "alert", ["workspace_id", "type", sa.text("id DESC")])
    op.create_index("ix_alert_at", "alert", ["workspace_id", "at"])
    _create_messages()
    _create_channels()
    _create_deliveries()
    _create_settings()


def _create_messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace"),
        _text("kind", "message"),
        _reference("task", nullable=True),
        _reference("alert", nullable=True),
        *(_text(name) for name in ("subject", "body")),
        _text("type", "text"),
        _text("severity", "info"),
        _text("created_by"),
        _time("at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.CheckConstraint("kind IN ('message', 'alert', 'task', 'test')", name=op.f("ck_message_kind")),
        sa.CheckConstraint("type IN ('text', 'html')", name=op.f("ck_message_type")),
        sa.CheckConstraint("severity IN ('info', 'warn', 'error')", name=op.f("ck_message_severity")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_message_task_id"), "message", ["task_id"])
    op.create_index("ix_message_workspace", "message", ["workspace_id", sa.text("id DESC")])
    op.create_index("ix_message_at", "message", ["workspace_id", "at"])


def _create_channels() -> None:
    op.create_table(
        "notice_channel",
        sa.Column("id", sa.Integer(), nullable=False),
        _reference("workspace"),
        *(_text(name) for name in ("label", "service", "sealed", "created_by")),
        _time("created_at"),
        _time("deleted_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_channel")),
        sqlite_autoincrement=True,
    )
    living = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_notice_channel_label",
        "notice_channel",
        ["workspace_id", "label"],
        unique=True,
        sqlite_where=living,
        postgresql_where=living,
    )


def _create_deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "message")),
        _channel(),
        _text("address"),
        _text("state", "waiting"),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        _time("next_at"),
        *(_text(name) for name in ("claim", "reference", "last_error")),
        _time("since"),
        _time("sent_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed')", name=op.f("ck_delivery_state")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_delivery_message_id"), "delivery", ["message_id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_delivery_due", "delivery", ["workspace_id", "next_at"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_delivery_state", "delivery", ["workspace_id", "state", sa.text("message_id DESC")])


def _create_settings() -> None:
    op.create_table(
        "automation_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "automation")),
        _reference("account", nullable=True),
        _channel(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation_notice")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_automation_notice_automation_id"), "automation_notice", ["automation_id"])
    kinds = "'info', 'warn', 'error', 'failed', 'timed_out', 'expired', 'lost'"
    op.create_table(
        "automation_notice_type",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "automation")),
        _text("type"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation_notice_type")),
        sa.UniqueConstraint("automation_id", "type", name=op.f("uq_automation_notice_type_automation_id_type")),
        sa.CheckConstraint(f"type IN ({kinds})", name=op.f("ck_automation_notice_type_type")),
        sqlite_autoincrement=True,
    )


def _reference(table: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def _channel() -> sa.Column[int]:
    return sa.Column("channel_id", sa.Integer(), sa.ForeignKey("notice_channel.id"), nullable=True)


def _text(column: str, default: str = "") -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default=default, nullable=False)


def _time(column: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(column, sa.DateTime(timezone=True), nullable=nullable)
