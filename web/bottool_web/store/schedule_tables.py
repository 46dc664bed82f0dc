"""When automations run by themselves: schedules, and what came of each due time."""

import sqlalchemy as sa

from bottool_web.store.column_types import Json
from bottool_web.store.columns import one_of, reference, table, text, time

schedule = table(
    "schedule",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    reference("automation_id", "automation.id", index=True),
    text("label"),
    text("description"),
    text("dialect"),
    text("expression"),
    # An IANA name: the expression's times are local there.
    text("zone", default="UTC"),
    sa.Column("parameters", Json, nullable=False),
    # NULL takes the automation's.
    sa.Column("priority", sa.Integer),
    sa.Column("test", sa.Boolean, nullable=False, server_default=sa.false()),
    # What happens with times that passed while no server ran.
    text("missed", default="once"),
    sa.Column("missed_most", sa.Integer, nullable=False, server_default="10"),
    sa.Column("overlap", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    # Why the site itself paused it.
    text("note"),
    time("ends_at", nullable=True),
    # The next due time; NULL when nothing will fire: paused, over or deleted.
    time("next_at", nullable=True),
    text("created_by"),
    time("created_at"),
    time("changed_at"),
    time("deleted_at", nullable=True),
    one_of("dialect", ("quartz", "unix", "once")),
    one_of("missed", ("skip", "once", "all")),
    sa.CheckConstraint("priority BETWEEN 0 AND 10", name="priority"),
)
sa.Index(
    "uq_schedule_label",
    schedule.c.workspace_id,
    schedule.c.label,
    unique=True,
    sqlite_where=schedule.c.deleted_at.is_(None),
    postgresql_where=schedule.c.deleted_at.is_(None),
)
sa.Index(
    "ix_schedule_next",
    schedule.c.workspace_id,
    schedule.c.next_at,
    sqlite_where=schedule.c.next_at.is_not(None),
    postgresql_where=schedule.c.next_at.is_not(None),
)
# One row per due time of a schedule, and so at most one task. Skipped ones that passed together share a row: ``times``.
schedule_run = table(
    "schedule_run",
    reference("workspace_id", "workspace.id"),
    reference("schedule_id", "schedule.id"),
    time("at"),
    text("outcome"),
    text("reason"),
    sa.Column("times", sa.Integer, nullable=False, server_default="1"),
    reference("task_id", "task.id", nullable=True),
    sa.UniqueConstraint("schedule_id", "at"),
    one_of("outcome", ("fired", "skipped")),
)
