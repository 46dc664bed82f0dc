"""The first schema."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _accounts_and_workspaces()
    _what_happened_in_workspaces()
    _members_and_repositories()
    _runner()
    _session()
    _bot()
    _automation()
    _bot_version()
    _links_and_revisions()
    _task()
    _alert()
    _attempt()
    _events_and_output()
    _token()


def _table(name: str, *items: sa.schema.SchemaItem) -> None:
    key = sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}"))
    op.create_table(name, sa.Column("id", sa.Integer(), nullable=False), *items, key, sqlite_autoincrement=True)


def _reference(column: str, target: str, *, nullable: bool = False) -> sa.Column[int]:
    # The naming convention of the metadata gives the constraint its name.
    return sa.Column(column, sa.Integer(), sa.ForeignKey(f"{target}.id"), nullable=nullable)


def _text(column: str) -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default="", nullable=False)


def _time(column: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(column, sa.DateTime(timezone=True), nullable=nullable)


def _where(condition: str) -> dict[str, Any]:
    """Keywords of a partial index, on both databases."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _accounts_and_workspaces() -> None:
    _table(
        "account",
        sa.Column("email", sa.Text(), nullable=False),
        _text("name"),
        _text("password_hash"),
        _time("created_at"),
        _time("disabled_at", nullable=True),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    _table(
        "login_failure",
        _text("subject"),
        _text("address"),
        _time("at"),
    )
    op.create_index("ix_login_failure_subject_at", "login_failure", ["subject", "at"])
    _table(
        "workspace",
        sa.Column("label", sa.Text(), nullable=False),
        _text("name"),
        sa.Column("login", sa.Text(), nullable=False),
        _text("key_hash"),
        _time("created_at"),
        sa.UniqueConstraint("label", name=op.f("uq_workspace_label")),
        sa.UniqueConstraint("login", name=op.f("uq_workspace_login")),
    )


def _what_happened_in_workspaces() -> None:
    _table(
        "audit",
        _reference("workspace_id", "workspace"),
        _text("actor"),
        _text("act"),
        _text("subject"),
        sa.Column("detail", JSON, nullable=False),
        _time("at"),
    )
    op.create_index(op.f("ix_audit_workspace_id"), "audit", ["workspace_id"])
    _table(
        "enrolment_code",
        _reference("workspace_id", "workspace"),
        sa.Column("code_hash", sa.Text(), nullable=False),
        _text("machine_id"),
        _time("created_at"),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.UniqueConstraint("code_hash", name=op.f("uq_enrolment_code_code_hash")),
    )
    _table(
        "idempotency",
        _reference("workspace_id", "workspace"),
        _text("key"),
        _text("body_hash"),
        sa.Column("answer", JSON, nullable=False),
        _time("created_at"),
        sa.UniqueConstraint("workspace_id", "key", name=op.f("uq_idempotency_workspace_id_key")),
    )


def _members_and_repositories() -> None:
    _table(
        "membership",
        _reference("workspace_id", "workspace"),
        _reference("account_id", "account"),
        _text("role"),
        sa.CheckConstraint(
            "role IN ('viewer', 'operator', 'developer', 'manager', 'administrator')", name=op.f("ck_membership_role")
        ),
        sa.UniqueConstraint("workspace_id", "account_id", name=op.f("uq_membership_workspace_id_account_id")),
    )
    op.create_index(op.f("ix_membership_account_id"), "membership", ["account_id"])
    _table(
        "repository",
        _reference("workspace_id", "workspace"),
        _text("label"),
        sa.UniqueConstraint("workspace_id", "label", name=op.f("uq_repository_workspace_id_label")),
    )


def _runner() -> None:
    _table(
        "runner",
        _reference("workspace_id", "workspace"),
        _text("machine_id"),
        _text("installation_id"),
        _text("session_id"),
        _text("hostname"),
        _text("system"),
        _text("version"),
        sa.Column("slots", sa.Integer(), server_default="1", nullable=False),
        sa.Column("draining", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("capabilities", JSON, nullable=False),
        _time("seen_at", nullable=True),
        _time("created_at"),
        _time("deleted_at", nullable=True),
    )
    op.create_index(
        "uq_runner_machine_id", "runner", ["workspace_id", "machine_id"], unique=True, **_where("deleted_at IS NULL")
    )


def _session() -> None:
    _table(
        "session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        _reference("account_id", "account"),
        _reference("workspace_id", "workspace"),
        _time("created_at"),
        _time("seen_at"),
        _time("expires_at"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_session_token_hash")),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"])


def _bot() -> None:
    _table(
        "bot",
        _reference("workspace_id", "workspace"),
        _reference("repository_id", "repository"),
        _text("bot_id"),
        _text("technology"),
        sa.Column("release_id", sa.Integer(), nullable=True),
        _time("created_at"),
        _time("deleted_at", nullable=True),
    )
    op.create_index("uq_bot_bot_id", "bot", ["workspace_id", "bot_id"], unique=True, **_where("deleted_at IS NULL"))


def _automation() -> None:
    _table(
        "automation",
        _reference("workspace_id", "workspace"),
        _reference("repository_id", "repository"),
        _text("label"),
        _text("name"),
        _text("description"),
        _reference("bot_id", "bot", nullable=True),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("timeout_seconds", sa.Integer(), nullable=True),
        sa.Column("max_attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("report_required", sa.Boolean(), server_default=sa.false(), nullable=False),
        _time("created_at"),
        _time("deleted_at", nullable=True),
        sa.CheckConstraint("max_attempts BETWEEN 1 AND 100", name=op.f("ck_automation_max_attempts")),
        sa.CheckConstraint("priority BETWEEN 0 AND 10", name=op.f("ck_automation_priority")),
    )
    op.create_index(op.f("ix_automation_bot_id"), "automation", ["bot_id"])
    op.create_index(
        "uq_automation_label", "automation", ["workspace_id", "label"], unique=True, **_where("deleted_at IS NULL")
    )


def _bot_version() -> None:
    _table(
        "bot_version",
        _reference("workspace_id", "workspace"),
        _reference("bot_id", "bot"),
        _text("version"),
        _text("technology"),
        _text("command"),
        sa.Column("state", sa.Text(), server_default="empty", nullable=False),
        sa.Column("revision_id", sa.Integer(), nullable=True),
        _text("created_by"),
        _time("created_at"),
        _time("deleted_at", nullable=True),
        sa.CheckConstraint("state IN ('empty', 'checking', 'ready', 'refused')", name=op.f("ck_bot_version_state")),
    )
    op.create_index(
        "uq_bot_version_version", "bot_version", ["bot_id", "version"], unique=True, **_where("deleted_at IS NULL")
    )


def _links_and_revisions() -> None:
    _table(
        "automation_runner",
        _reference("workspace_id", "workspace"),
        _reference("automation_id", "automation"),
        _reference("runner_id", "runner"),
        sa.UniqueConstraint("automation_id", "runner_id", name=op.f("uq_automation_runner_automation_id_runner_id")),
    )
    op.create_index(op.f("ix_automation_runner_runner_id"), "automation_runner", ["runner_id"])
    _table(
        "revision",
        _reference("workspace_id", "workspace"),
        _reference("bot_version_id", "bot_version"),
        _text("sha256"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        _text("file_name"),
        sa.Column("findings", JSON, nullable=False),
        _text("created_by"),
        _time("created_at"),
    )
    op.create_index(op.f("ix_revision_bot_version_id"), "revision", ["bot_version_id"])


def _task() -> None:
    _table(
        "task",
        _reference("workspace_id", "workspace"),
        _reference("repository_id", "repository"),
        _reference("automation_id", "automation"),
        _text("state"),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        _time("earliest_at", nullable=True),
        _text("created_by"),
        _time("created_at"),
        _time("changed_at"),
        _text("message"),
        sa.Column("total_items", sa.Integer(), nullable=True),
        sa.Column("processed_items", sa.Integer(), nullable=True),
        sa.Column("failed_items", sa.Integer(), nullable=True),
        sa.Column("bot_reported", sa.Boolean(), server_default=sa.false(), nullable=False),
        _time("ended_at", nullable=True),
        sa.Column("interrupted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("killed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claims", sa.Integer(), server_default="0", nullable=False),
        sa.Column("permits", sa.Integer(), server_default="0", nullable=False),
        sa.Column("restart_asked", sa.Boolean(), server_default=sa.false(), nullable=False),
        _reference("retry_of", "task", nullable=True),
        sa.CheckConstraint(
            "state IN ('scheduled', 'queued', 'leased', 'starting', 'running', 'stopping', 'lost', "
            "'succeeded', 'partial', 'failed', 'timed_out', 'cancelled', 'expired')",
            name=op.f("ck_task_state"),
        ),
        sa.CheckConstraint("priority BETWEEN 0 AND 10", name=op.f("ck_task_priority")),
    )
    op.create_index("ix_task_automation", "task", ["automation_id", sa.literal_column("id DESC")])
    op.create_index("ix_task_list", "task", ["workspace_id", "state", sa.literal_column("id DESC")])
    op.create_index(
        "ix_task_queue",
        "task",
        ["automation_id", sa.literal_column("priority DESC"), "id"],
        **_where("state = 'queued'"),
    )
    op.create_index("ix_task_scheduled", "task", ["earliest_at"], **_where("state = 'scheduled'"))


def _alert() -> None:
    _table(
        "alert",
        _reference("workspace_id", "workspace"),
        _reference("repository_id", "repository"),
        _reference("task_id", "task"),
        _text("title"),
        _text("message"),
        _text("type"),
        _time("at"),
        sa.CheckConstraint("type IN ('info', 'warn', 'error')", name=op.f("ck_alert_type")),
    )
    op.create_index(op.f("ix_alert_task_id"), "alert", ["task_id"])


def _attempt() -> None:
    _table(
        "attempt",
        _reference("workspace_id", "workspace"),
        _reference("task_id", "task"),
        sa.Column("number", sa.Integer(), nullable=False),
        _reference("runner_id", "runner"),
        _text("state"),
        _text("claim_key"),
        _reference("revision_id", "revision"),
        _reference("bot_version_id", "bot_version"),
        sa.Column("timeout_seconds", sa.Integer(), nullable=True),
        _time("lease_until"),
        _time("leased_at"),
        _text("nonce"),
        _time("permitted_at", nullable=True),
        _time("started_at", nullable=True),
        _time("ended_at", nullable=True),
        _text("reason"),
        sa.Column("exit_code", sa.BigInteger(), nullable=True),
        _text("message"),
        sa.Column("left_behind", JSON, nullable=False),
        sa.Column("usage", JSON, nullable=False),
        sa.Column("duration_seconds", sa.Float(), nullable=True),
        _text("report_key"),
        sa.Column("output_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "state IN ('leased', 'starting', 'running', 'stopping', 'ended', 'lost')", name=op.f("ck_attempt_state")
        ),
        sa.UniqueConstraint("runner_id", "claim_key", "task_id", name=op.f("uq_attempt_runner_id_claim_key_task_id")),
        sa.UniqueConstraint("task_id", "number", name=op.f("uq_attempt_task_id_number")),
    )
    op.create_index("ix_attempt_alive", "attempt", ["runner_id"], **_where("state != 'ended'"))
    op.create_index(
        "ix_attempt_lease",
        "attempt",
        ["lease_until"],
        **_where("state IN ('leased', 'starting', 'running', 'stopping')"),
    )


def _events_and_output() -> None:
    _table(
        "event",
        _reference("workspace_id", "workspace"),
        _reference("task_id", "task"),
        sa.Column("attempt", sa.Integer(), nullable=True),
        _text("kind"),
        _text("old"),
        _text("new"),
        _text("actor"),
        sa.Column("detail", JSON, nullable=False),
        _time("at"),
    )
    op.create_index(op.f("ix_event_task_id"), "event", ["task_id"])
    _table(
        "output_chunk",
        _reference("workspace_id", "workspace"),
        _reference("attempt_id", "attempt"),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.UniqueConstraint("attempt_id", "start", name=op.f("uq_output_chunk_attempt_id_start")),
    )


def _token() -> None:
    _table(
        "token",
        _reference("workspace_id", "workspace"),
        _text("kind"),
        sa.Column("token_hash", sa.Text(), nullable=False),
        _reference("account_id", "account", nullable=True),
        _reference("runner_id", "runner", nullable=True),
        _reference("attempt_id", "attempt", nullable=True),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("revoked_at", nullable=True),
        sa.CheckConstraint("kind IN ('workspace', 'account', 'runner', 'attempt')", name=op.f("ck_token_kind")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_token_token_hash")),
    )
    op.create_index(op.f("ix_token_attempt_id"), "token", ["attempt_id"])
    op.create_index(op.f("ix_token_runner_id"), "token", ["runner_id"])
