"""Data pools and their entries."""

from typing import Any

import sqlalchemy as sa

from bottool_web.store.column_types import Json
from bottool_web.store.columns import one_of, reference, table, text, time

STATES = ("pending", "processing", "done", "error", "timeout", "cancelled")
MOVES = ("pulled", "returned", "timed_out", "done", "failed", "cancelled", "requeued", "changed")


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def _flag(name: str, *, default: bool) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.true() if default else sa.false())


data_pool = table(
    "data_pool",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    # What the trigger starts; NULL starts nothing.
    reference("automation_id", "automation.id", nullable=True, index=True),
    text("label"),
    text("name"),
    text("policy", default="fifo"),
    sa.Column("schema", Json, nullable=False),
    text("trigger", default="never"),
    _flag("auto_retry", default=True),
    _whole("max_auto_retry"),
    _flag("abort_on_error", default=True),
    # 0: however many there are, it stays active.
    _whole("max_errors"),
    _flag("limits_time", default=True),
    # 0: no limit.
    _whole("limit_minutes"),
    text("on_attempt_end", default="return"),
    _flag("active", default=True),
    # Why the site itself switched it off.
    text("note"),
    # Errors of the system since the last entry that ended otherwise.
    _whole("errors_in_row"),
    # How many entries are pending, processing or timed out; how many ended, and how; how long the done ones took.
    *(_whole(name) for name in ("open", "done", "failed", "cancelled")),
    sa.Column("done_seconds", sa.Float, nullable=False, server_default="0"),
    text("created_by"),
    time("created_at"),
    time("changed_at"),
    time("deleted_at", nullable=True),
    one_of("policy", ("fifo", "lifo")),
    one_of("trigger", ("always", "never", "no_task_active")),
    one_of("on_attempt_end", ("return", "error")),
)
sa.Index(
    "uq_data_pool_label",
    data_pool.c.workspace_id,
    data_pool.c.label,
    unique=True,
    sqlite_where=data_pool.c.deleted_at.is_(None),
    postgresql_where=data_pool.c.deleted_at.is_(None),
)
pool_entry = table(
    "pool_entry",
    reference("workspace_id", "workspace.id"),
    reference("pool_id", "data_pool.id"),
    text("state", default="pending"),
    _whole("priority"),
    sa.Column("values", Json, nullable=False),
    text("unique_key"),
    text("display_value"),
    text("message"),
    text("error_type"),
    _whole("retry_index"),
    sa.Column("parent_id", sa.Integer),
    sa.Column("child_id", sa.Integer),
    # The task of whoever works on it, as far as that is known.
    reference("task_id", "task.id", nullable=True),
    # Whose it is: with the end of this attempt it comes back.
    reference("attempt_id", "attempt.id", nullable=True),
    # How often it came back because an attempt ended without a word about it.
    _whole("returned"),
    text("created_by"),
    time("created_at"),
    time("taken_at", nullable=True),
    time("due_at", nullable=True),
    time("ended_at", nullable=True),
    one_of("state", STATES),
    one_of("error_type", ("", "system", "business")),
    sa.CheckConstraint("priority BETWEEN 0 AND 10", name="priority"),
)


# What happened to an entry after it was pushed. No foreign keys to who did it: it is history, and locks nobody.
pool_move = table(
    "pool_move",
    reference("workspace_id", "workspace.id"),
    reference("entry_id", "pool_entry.id", index=True),
    text("kind"),
    text("actor"),
    sa.Column("task_id", sa.Integer),
    sa.Column("attempt_id", sa.Integer),
    text("message"),
    time("at"),
    one_of("kind", MOVES),
)


def _partial(name: str, where: Any, *columns: Any) -> None:
    sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


_entry = pool_entry.c
# Only what waits: pulling costs the same however many entries are done.
_partial("ix_pool_entry_first", _entry.state == "pending", _entry.pool_id, _entry.priority.desc(), _entry.id)
_partial("ix_pool_entry_last", _entry.state == "pending", _entry.pool_id, _entry.priority.desc(), _entry.id.desc())
_HELD = _entry.state.in_(("processing", "timeout"))
_partial("ix_pool_entry_held", _HELD, _entry.pool_id, _entry.state)
_partial("ix_pool_entry_attempt", _HELD, _entry.attempt_id)
_partial("ix_pool_entry_due", _entry.state == "processing", _entry.workspace_id, _entry.due_at)
sa.Index("ix_pool_entry_list", _entry.workspace_id, _entry.pool_id, _entry.id.desc())
sa.Index("ix_pool_entry_state", _entry.workspace_id, _entry.pool_id, _entry.state, _entry.id.desc())
sa.Index("ix_pool_entry_key", _entry.workspace_id, _entry.pool_id, _entry.unique_key, _entry.id.desc())
sa.Index("ix_pool_entry_task", _entry.workspace_id, _entry.task_id)
