"""Every table, with the rules that the database itself keeps.

Each row of a workspace carries ``workspace_id``; what Maestro keeps in repositories carries ``repository_id`` too. Ids
are integers below 2^31 and never used again. Times are aware UTC. Changing something here needs a migration.
"""

import sqlalchemy as sa

from bottool.states import AttemptState, TaskState
from bottool_web.store import (  # noqa: F401  # each puts its tables beside these
    artifact_tables,
    columns,
    credential_tables,
    error_tables,
    evidence_tables,
    log_tables,
    notice_tables,
    pool_tables,
    schedule_tables,
)
from bottool_web.store.column_types import Json
from bottool_web.store.columns import one_of as _one_of
from bottool_web.store.columns import reference as _reference
from bottool_web.store.columns import table as _table
from bottool_web.store.columns import text as _text
from bottool_web.store.columns import time as _time
from bottool_web.store.inspection_tables import dependency, inspection  # noqa: F401  # tables like those below
from bottool_web.store.limit_columns import limit_columns, pinned_columns

metadata = columns.metadata

# Who.

workspace = _table(
    "workspace",
    sa.Column("label", sa.Text, nullable=False, unique=True),
    _text("name"),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    # SHA-256 of the workspace's key: a random key needs no slow hash.
    _text("key_hash"),
    _time("created_at"),
    # Whether clients of Maestro are answered, and those of its old form interface.
    sa.Column("maestro", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("maestro_old", sa.Boolean, nullable=False, server_default=sa.true()),
)
repository = _table(
    "repository",
    _reference("workspace_id", "workspace.id"),
    _text("label"),
    sa.UniqueConstraint("workspace_id", "label"),
)
# Not "user": that is a reserved word in PostgreSQL.
account = _table(
    "account",
    sa.Column("email", sa.Text, nullable=False, unique=True),
    _text("name"),
    _text("password_hash"),
    _time("created_at"),
    _time("disabled_at", nullable=True),
)
membership = _table(
    "membership",
    _reference("workspace_id", "workspace.id"),
    _reference("account_id", "account.id", index=True),
    _text("role"),
    sa.UniqueConstraint("workspace_id", "account_id"),
    _one_of("role", ("viewer", "operator", "developer", "manager", "administrator")),
)
session = _table(
    "session",
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    _reference("account_id", "account.id", index=True),
    _reference("workspace_id", "workspace.id"),
    _time("created_at"),
    _time("seen_at"),
    _time("expires_at"),
)
# Tokens of every kind but sessions. ``kind``: workspace (login and key were given), account, runner, attempt.
token = _table(
    "token",
    _reference("workspace_id", "workspace.id"),
    _text("kind"),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),
    _reference("account_id", "account.id", nullable=True),
    _reference("runner_id", "runner.id", nullable=True, index=True),
    _reference("attempt_id", "attempt.id", nullable=True, index=True),
    _time("created_at"),
    _time("expires_at", nullable=True),
    _time("revoked_at", nullable=True),
    _one_of("kind", ("workspace", "account", "runner", "attempt")),
)
# One row per failed sign-in, for throttling by account or login and by address.
login_failure = _table("login_failure", _text("subject"), _text("address"), _time("at"))
sa.Index("ix_login_failure_subject_at", login_failure.c.subject, login_failure.c.at)
enrolment_code = _table(
    "enrolment_code",
    _reference("workspace_id", "workspace.id"),
    sa.Column("code_hash", sa.Text, nullable=False, unique=True),
    _text("machine_id"),
    _time("created_at"),
    _time("expires_at"),
    _time("used_at", nullable=True),
)
# A person or a program acted.
audit = _table(
    "audit",
    _reference("workspace_id", "workspace.id", index=True),
    _text("actor"),
    _text("act"),
    _text("subject"),
    sa.Column("detail", Json, nullable=False),
    _time("at"),
)
for _column in (audit.c.actor, audit.c.act, audit.c.subject):
    sa.Index(
        f"ix_audit_{_column.name}",
        audit.c.workspace_id,
        _column,
        audit.c.id,
        postgresql_ops={_column.name: "text_pattern_ops"},
    )
# The answers to requests that carried an idempotency key.
idempotency = _table(
    "idempotency",
    _reference("workspace_id", "workspace.id"),
    _text("key"),
    _text("body_hash"),
    sa.Column("answer", Json, nullable=False),
    _time("created_at"),
    sa.UniqueConstraint("workspace_id", "key"),
)

# What runs.

runner = _table(
    "runner",
    _reference("workspace_id", "workspace.id"),
    _text("machine_id"),
    _text("installation_id"),
    _text("session_id"),
    _text("hostname"),
    _text("system"),
    _text("version"),
    sa.Column("slots", sa.Integer, nullable=False, server_default="1"),
    sa.Column("draining", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("capabilities", Json, nullable=False),
    _time("seen_at", nullable=True),
    _time("created_at"),
    _time("deleted_at", nullable=True),
    # While it drains: will it take work again, and why does it take none?
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()),
    _text("reason"),
)
# Labels are unique among the living: a deleted one may be used again.
sa.Index(
    "uq_runner_machine_id",
    runner.c.workspace_id,
    runner.c.machine_id,
    unique=True,
    sqlite_where=runner.c.deleted_at.is_(None),
    postgresql_where=runner.c.deleted_at.is_(None),
)
bot = _table(
    "bot",
    _reference("workspace_id", "workspace.id"),
    _reference("repository_id", "repository.id"),
    _text("bot_id"),
    _text("technology"),
    # No foreign key: the two tables point at each other.
    sa.Column("release_id", sa.Integer),
    _time("created_at"),
    _time("deleted_at", nullable=True),
)
sa.Index(
    "uq_bot_bot_id",
    bot.c.workspace_id,
    bot.c.bot_id,
    unique=True,
    sqlite_where=bot.c.deleted_at.is_(None),
    postgresql_where=bot.c.deleted_at.is_(None),
)
bot_version = _table(
    "bot_version",
    _reference("workspace_id", "workspace.id"),
    _reference("bot_id", "bot.id"),
    _text("version"),
    _text("technology"),
    _text("command"),
    _text("state", default="empty"),
    sa.Column("revision_id", sa.Integer),
    _text("created_by"),
    _time("created_at"),
    _time("deleted_at", nullable=True),
    _one_of("state", ("empty", "checking", "ready", "refused")),
)
sa.Index(
    "uq_bot_version_version",
    bot_version.c.bot_id,
    bot_version.c.version,
    unique=True,
    sqlite_where=bot_version.c.deleted_at.is_(None),
    postgresql_where=bot_version.c.deleted_at.is_(None),
)
# The package under a version at a time. Never changed, never deleted: replacing a file adds a row.
revision = _table(
    "revision",
    _reference("workspace_id", "workspace.id"),
    _reference("bot_version_id", "bot_version.id", index=True),
    _text("sha256"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    _text("file_name"),
    sa.Column("findings", Json, nullable=False),
    _text("created_by"),
    _time("created_at"),
    # The older revision of which this is a copy, when somebody put that one back.
    sa.Column("restored_from", sa.Integer),
)
automation = _table(
    "automation",
    _reference("workspace_id", "workspace.id"),
    _reference("repository_id", "repository.id"),
    _text("label"),
    _text("name"),
    _text("description"),
    _reference("bot_id", "bot.id", nullable=True, index=True),
    # A list of wire.Parameter as objects, in the order of the form.
    sa.Column("parameters", Json, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("timeout_seconds", sa.Integer),
    sa.Column("max_attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("report_required", sa.Boolean, nullable=False, server_default=sa.false()),
    _time("created_at"),
    _time("deleted_at", nullable=True),
    # People may be told of tasks that wait so long because no runner can take them; and when they were told last.
    sa.Column("waiting_minutes", sa.Integer, nullable=False, server_default="30"),
    _time("waiting_told_at", nullable=True),
    # Its bots read only what ``automation_credential`` has, also when that is nothing.
    sa.Column("credentials_listed", sa.Boolean, nullable=False, server_default=sa.false()),
    *evidence_tables.display_columns(),
    *limit_columns(),
    sa.Column("retry_on_lost", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("priority BETWEEN 0 AND 10", name="priority"),
    sa.CheckConstraint("max_attempts BETWEEN 1 AND 100", name="max_attempts"),
)
sa.Index(
    "uq_automation_label",
    automation.c.workspace_id,
    automation.c.label,
    unique=True,
    sqlite_where=automation.c.deleted_at.is_(None),
    postgresql_where=automation.c.deleted_at.is_(None),
)
automation_runner = _table(
    "automation_runner",
    _reference("workspace_id", "workspace.id"),
    _reference("automation_id", "automation.id"),
    _reference("runner_id", "runner.id", index=True),
    sa.UniqueConstraint("automation_id", "runner_id"),
)

# Tasks and attempts: two machines, see bottool.states.

task = _table(
    "task",
    _reference("workspace_id", "workspace.id"),
    _reference("repository_id", "repository.id"),
    _reference("automation_id", "automation.id"),
    _text("state"),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("test", sa.Boolean, nullable=False),
    sa.Column("parameters", Json, nullable=False),
    _time("earliest_at", nullable=True),
    _text("created_by"),
    _time("created_at"),
    _time("changed_at"),
    # The result, once: the bot's own word, or what follows from its silence.
    _text("message"),
    sa.Column("total_items", sa.Integer),
    sa.Column("processed_items", sa.Integer),
    sa.Column("failed_items", sa.Integer),
    sa.Column("bot_reported", sa.Boolean, nullable=False, server_default=sa.false()),
    _time("ended_at", nullable=True),
    # What a person asked for; it outlives the attempt.
    sa.Column("interrupted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("killed", sa.Boolean, nullable=False, server_default=sa.false()),
    # The newest attempt's number, and how often a runner took it at all.
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("claims", sa.Integer, nullable=False, server_default="0"),
    # Attempts that had a permit: these count against the automation's max_attempts.
    sa.Column("permits", sa.Integer, nullable=False, server_default="0"),
    # A restart asked for while an attempt lives waits for its end.
    sa.Column("restart_asked", sa.Boolean, nullable=False, server_default=sa.false()),
    _reference("retry_of", "task.id", nullable=True),
    sa.Column("waiting_told", sa.Boolean, nullable=False, server_default=sa.false()),  # People were told that it waits.
    _one_of("state", TaskState),
    sa.CheckConstraint("priority BETWEEN 0 AND 10", name="priority"),
)
# The queue: partial, so that its cost does not grow with what is finished.
sa.Index(
    "ix_task_queue",
    task.c.automation_id,
    task.c.priority.desc(),
    task.c.id,
    sqlite_where=task.c.state == "queued",
    postgresql_where=task.c.state == "queued",
)
sa.Index(
    "ix_task_scheduled",
    task.c.earliest_at,
    sqlite_where=task.c.state == "scheduled",
    postgresql_where=task.c.state == "scheduled",
)
sa.Index("ix_task_list", task.c.workspace_id, task.c.state, task.c.id.desc())
sa.Index("ix_task_automation", task.c.automation_id, task.c.id.desc())
# For pages of all tasks, whatever their state, and to find the first task of a period.
sa.Index("ix_task_workspace", task.c.workspace_id, task.c.id.desc())
sa.Index("ix_task_created", task.c.workspace_id, task.c.created_at)

attempt = _table(
    "attempt",
    _reference("workspace_id", "workspace.id"),
    _reference("task_id", "task.id"),
    sa.Column("number", sa.Integer, nullable=False),
    _reference("runner_id", "runner.id"),
    _text("state"),
    _text("claim_key"),
    # Pinned when the task is taken: an upload may replace the released file meanwhile.
    _reference("revision_id", "revision.id"),
    _reference("bot_version_id", "bot_version.id"),
    sa.Column("timeout_seconds", sa.Integer),
    _time("lease_until"),
    _time("leased_at"),
    # The token is derived from the server's key, the attempt and this; only its hash is in ``token``.
    _text("nonce"),
    _time("permitted_at", nullable=True),
    _time("started_at", nullable=True),
    _time("ended_at", nullable=True),
    # What the keeper saw.
    _text("reason"),
    sa.Column("exit_code", sa.BigInteger),  # Windows has them up to 2^32.
    _text("message"),
    sa.Column("left_behind", Json, nullable=False),
    sa.Column("usage", Json, nullable=False),
    sa.Column("duration_seconds", sa.Float),
    _text("report_key"),
    # Length of the output that is here, and that the runner announced with the end.
    sa.Column("output_bytes", sa.BigInteger, nullable=False, server_default="0"),
    # What its runner calls the equipment of its bot.
    _text("equipment"),
    *pinned_columns(),
    # The keeper ends the bot before the lease does, so the task may be tried again when contact is lost.
    sa.Column("fenced", sa.Boolean, nullable=False, server_default=sa.false()),
    # A wire.Fault as an object: why its bot could not be made ready.
    sa.Column("fault", Json),
    sa.UniqueConstraint("task_id", "number"),
    sa.UniqueConstraint("runner_id", "claim_key", "task_id"),
    _one_of("state", AttemptState),
)
sa.Index(
    "ix_attempt_alive",
    attempt.c.runner_id,
    sqlite_where=attempt.c.state != "ended",
    postgresql_where=attempt.c.state != "ended",
)
sa.Index("ix_attempt_runner", attempt.c.runner_id, attempt.c.task_id.desc())
sa.Index(
    "ix_attempt_lease",
    attempt.c.lease_until,
    sqlite_where=attempt.c.state.in_(["leased", "starting", "running", "stopping"]),
    postgresql_where=attempt.c.state.in_(["leased", "starting", "running", "stopping"]),
)
# A task moved, or something about it was refused: written in the transaction of the move, never changed.
event = _table(
    "event",
    _reference("workspace_id", "workspace.id"),
    _reference("task_id", "task.id", index=True),
    sa.Column("attempt", sa.Integer),
    _text("kind"),
    _text("old"),
    _text("new"),
    _text("actor"),
    sa.Column("detail", Json, nullable=False),
    _time("at"),
)
# Where the pieces of an attempt's output lie; the bytes are files. ``start`` counts bytes of the spool.
output_chunk = _table(
    "output_chunk",
    _reference("workspace_id", "workspace.id"),
    _reference("attempt_id", "attempt.id"),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.UniqueConstraint("attempt_id", "start"),
)
