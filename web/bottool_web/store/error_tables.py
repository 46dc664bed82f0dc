"""Error reports of bots: each with its files, and groups of those that are of one type and come from one place."""

import sqlalchemy as sa

from bottool_web.store.column_types import Json
from bottool_web.store.columns import one_of, reference, table, text, time

error_group = table(
    "error_group",
    reference("workspace_id", "workspace.id"),
    # Of what makes reports alike, see actions.error_places; no checksum of bytes.
    text("fingerprint"),
    text("type"),
    text("place"),
    # That of the newest report.
    text("message"),
    text("status", default="open"),
    sa.Column("count", sa.Integer, nullable=False, server_default="0"),
    # Of the newest report, for the order of lists: no foreign key, since the two tables point at each other.
    sa.Column("newest_id", sa.Integer, nullable=False, server_default="0"),
    time("first_at"),
    time("last_at"),
    text("changed_by"),
    time("changed_at", nullable=True),
    sa.UniqueConstraint("workspace_id", "fingerprint"),
    one_of("status", ("open", "resolved", "ignored")),
)
sa.Index("ix_error_group_list", error_group.c.workspace_id, error_group.c.newest_id.desc())
sa.Index("ix_error_group_status", error_group.c.workspace_id, error_group.c.status, error_group.c.newest_id.desc())
# Kept beside the reports, so that a list of groups need not look through all of them.
error_group_automation = table(
    "error_group_automation",
    reference("workspace_id", "workspace.id"),
    reference("group_id", "error_group.id"),
    reference("automation_id", "automation.id", index=True),
    sa.UniqueConstraint("group_id", "automation_id"),
)
# Which bots have such errors, and the newest file of each that did. A file that came again, as a copy or by another
# upload, goes by its first revision. While a group is resolved: what it was resolved at.
error_group_bot = table(
    "error_group_bot",
    reference("workspace_id", "workspace.id"),
    reference("error_group_id", "error_group.id"),
    reference("bot_id", "bot.id", index=True),
    sa.Column("count", sa.Integer, nullable=False, server_default="0"),
    reference("revision_id", "revision.id", nullable=True),
    reference("resolved_revision_id", "revision.id", nullable=True),
    sa.UniqueConstraint("error_group_id", "bot_id"),
)
# Reports of a group by day, of UTC.
error_group_day = table(
    "error_group_day",
    reference("workspace_id", "workspace.id"),
    reference("error_group_id", "error_group.id"),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("count", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("error_group_id", "day"),
)
sa.Index("ix_error_group_day_day", error_group_day.c.workspace_id, error_group_day.c.day)
error_report = table(
    "error_report",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    reference("task_id", "task.id"),
    # The task's own, repeated so that an index finds an automation's reports.
    reference("automation_id", "automation.id"),
    reference("group_id", "error_group.id"),
    # What ran when it was reported; nothing for a task that nobody has taken yet.
    reference("bot_version_id", "bot_version.id", nullable=True),
    text("type"),
    text("place"),
    text("message"),
    text("stack_trace"),
    text("language"),
    sa.Column("tags", Json, nullable=False),
    text("created_by"),
    sa.Column("attempt", sa.Integer),
    time("at"),
    # Its group was resolved, and this came from a version that was known to have the error.
    sa.Column("known", sa.Boolean, nullable=False, server_default=sa.false()),
)
sa.Index("ix_error_report_list", error_report.c.workspace_id, error_report.c.id.desc())
sa.Index("ix_error_report_task", error_report.c.workspace_id, error_report.c.task_id, error_report.c.id.desc())
sa.Index(
    "ix_error_report_automation", error_report.c.workspace_id, error_report.c.automation_id, error_report.c.id.desc()
)
sa.Index("ix_error_report_group", error_report.c.workspace_id, error_report.c.group_id, error_report.c.id.desc())
sa.Index("ix_error_report_at", error_report.c.workspace_id, error_report.c.at)
error_file = table(
    "error_file",
    reference("workspace_id", "workspace.id"),
    reference("report_id", "error_report.id", index=True),
    text("kind"),
    text("name"),
    text("sha256"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
    text("media_type"),
    time("at"),
    one_of("kind", ("screenshot", "attachment")),
)
sa.Index("ix_error_file_sha256", error_file.c.sha256)
