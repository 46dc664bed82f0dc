"""What bots report of their errors: reports, the files that come with them, and groups of reports that are alike."""

import sqlalchemy as sa

from bottool_web.store.column_types import Json
from bottool_web.store.columns import one_of, reference, table, text, time

# Reports of one bot with the same type and place.
error_group = table(
    "error_group",
    reference("workspace_id", "workspace.id"),
    text("fingerprint"),
    text("bot_id"),
    text("type"),
    # The innermost frame of the bot's own code; empty when the stack trace tells none.
    text("place"),
    text("message"),
    text("language"),
    text("state", default="open"),
    sa.Column("count", sa.Integer, nullable=False, server_default="1"),
    # The newest report: its id orders the groups, its package tells whether a resolved error came back.
    sa.Column("last_report_id", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_revision_id", sa.Integer),
    sa.Column("resolved_revision_id", sa.Integer),
    text("version"),
    time("first_at"),
    time("last_at"),
    text("changed_by"),
    time("changed_at", nullable=True),
    # How often it was reopened because it came back.
    sa.Column("returned", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("workspace_id", "fingerprint"),
    one_of("state", ("open", "resolved", "ignored")),
)
sa.Index("ix_error_group_state", error_group.c.workspace_id, error_group.c.state, error_group.c.last_report_id.desc())
sa.Index("ix_error_group_last", error_group.c.workspace_id, error_group.c.last_report_id.desc())
# How often a group came on a day, by automation: for trends that cost nothing to show.
error_day = table(
    "error_day",
    reference("workspace_id", "workspace.id"),
    reference("error_group_id", "error_group.id"),
    reference("automation_id", "automation.id"),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.UniqueConstraint("error_group_id", "day", "automation_id"),
)
error_report = table(
    "error_report",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    reference("task_id", "task.id"),
    # The task's own, repeated so that an index finds an automation's reports.
    reference("automation_id", "automation.id"),
    reference("error_group_id", "error_group.id"),
    text("type"),
    text("message"),
    text("stack_trace"),
    text("language"),
    text("place"),
    sa.Column("tags", Json, nullable=False),
    # The bot's version at the time, and the package under it.
    text("version"),
    sa.Column("revision_id", sa.Integer),
    # Empty without a screenshot.
    text("screenshot_sha256"),
    text("screenshot_type"),
    sa.Column("screenshot_bytes", sa.BigInteger, nullable=False, server_default="0"),
    text("created_by"),
    sa.Column("attempt", sa.Integer),
    time("at"),
)
sa.Index("ix_error_report_list", error_report.c.workspace_id, error_report.c.id.desc())
sa.Index("ix_error_report_task", error_report.c.task_id, error_report.c.id.desc())
sa.Index("ix_error_report_automation", error_report.c.automation_id, error_report.c.id.desc())
sa.Index("ix_error_report_group", error_report.c.error_group_id, error_report.c.id.desc())
sa.Index("ix_error_report_at", error_report.c.workspace_id, error_report.c.at)
sa.Index("ix_error_report_screenshot", error_report.c.screenshot_sha256)
error_attachment = table(
    "error_attachment",
    reference("workspace_id", "workspace.id"),
    reference("error_report_id", "error_report.id", index=True),
    text("name"),
    text("sha256"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    text("media_type"),
    time("at"),
)
sa.Index("ix_error_attachment_sha256", error_attachment.c.sha256)
