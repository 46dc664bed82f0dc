"""Logs: tables that bots write, and their lines, called entries."""

import sqlalchemy as sa

from bottool_web.store.column_types import Json
from bottool_web.store.columns import reference, table, text, time

log = table(
    "log",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    text("label"),
    # wire.LogColumn as objects, in the order in which people see them.
    sa.Column("columns", Json, nullable=False),
    text("created_by"),
    time("created_at"),
    time("deleted_at", nullable=True),
)
sa.Index(
    "uq_log_label",
    log.c.workspace_id,
    log.c.label,
    unique=True,
    sqlite_where=log.c.deleted_at.is_(None),
    postgresql_where=log.c.deleted_at.is_(None),
)
log_entry = table(
    "log_entry",
    reference("workspace_id", "workspace.id"),
    reference("log_id", "log.id"),
    # By column label; labels that the log does not have stay.
    sa.Column("values", Json, nullable=False),
    reference("task_id", "task.id", nullable=True),
    # The number of the attempt whose bot wrote it.
    sa.Column("attempt", sa.Integer),
    text("created_by"),
    time("at"),
)
# A period and its order in one: entries are read by time, those of one moment by id.
sa.Index("ix_log_entry_list", log_entry.c.log_id, log_entry.c.at, log_entry.c.id)
