"""Alerts of bots, messages to people and what waits to be delivered, channels of chat, who is told of an automation."""

import sqlalchemy as sa

from bottool_web.store.columns import one_of, reference, table, text, time

alert = table(
    "alert",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    reference("task_id", "task.id", index=True),
    text("title"),
    text("message"),
    text("type"),
    time("at"),
    one_of("type", ("info", "warn", "error")),
)
sa.Index("ix_alert_workspace", alert.c.workspace_id, alert.c.id.desc())
sa.Index("ix_alert_type", alert.c.workspace_id, alert.c.type, alert.c.id.desc())
sa.Index("ix_alert_at", alert.c.workspace_id, alert.c.at)
# What people are told. Beside what bots send, an alert or the end of a task makes one when somebody is to be told.
message = table(
    "message",
    reference("workspace_id", "workspace.id"),
    text("kind", default="message"),
    reference("task_id", "task.id", nullable=True, index=True),
    reference("alert_id", "alert.id", nullable=True),
    text("subject"),
    text("body"),
    text("type", default="text"),
    text("severity", default="info"),
    text("created_by"),
    time("at"),
    one_of("kind", ("message", "alert", "task", "test")),
    one_of("type", ("text", "html")),
    one_of("severity", ("info", "warn", "error")),
)
sa.Index("ix_message_workspace", message.c.workspace_id, message.c.id.desc())
sa.Index("ix_message_at", message.c.workspace_id, message.c.at)
# An address of a chat service. It is a secret: sealed, and never shown again.
notice_channel = table(
    "notice_channel",
    reference("workspace_id", "workspace.id"),
    text("label"),
    text("service"),
    text("sealed"),
    text("created_by"),
    time("created_at"),
    time("deleted_at", nullable=True),
)
sa.Index(
    "uq_notice_channel_label",
    notice_channel.c.workspace_id,
    notice_channel.c.label,
    unique=True,
    sqlite_where=notice_channel.c.deleted_at.is_(None),
    postgresql_where=notice_channel.c.deleted_at.is_(None),
)
# The outbox: a message on its way to one address or channel.
delivery = table(
    "delivery",
    reference("workspace_id", "workspace.id"),
    reference("message_id", "message.id", index=True),
    # NULL is mail.
    reference("channel_id", "notice_channel.id", nullable=True),
    text("address"),
    text("state", default="waiting"),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    # When it is due. Whoever takes it moves this ahead, so that nobody else takes it meanwhile.
    time("next_at"),
    # Of whoever took it last; only that one may say how it went.
    text("claim"),
    # The part of the Message-ID that is its own: the same at every try.
    text("reference"),
    text("last_error"),
    # Since when it waits: it is given up some days later.
    time("since"),
    time("sent_at", nullable=True),
    one_of("state", ("waiting", "sent", "failed")),
)
sa.Index(
    "ix_delivery_due",
    delivery.c.workspace_id,
    delivery.c.next_at,
    sqlite_where=delivery.c.state == "waiting",
    postgresql_where=delivery.c.state == "waiting",
)
sa.Index("ix_delivery_state", delivery.c.workspace_id, delivery.c.state, delivery.c.message_id.desc())
# Whom an automation tells: a person by mail, or a channel.
automation_notice = table(
    "automation_notice",
    reference("workspace_id", "workspace.id"),
    reference("automation_id", "automation.id", index=True),
    reference("account_id", "account.id", nullable=True),
    reference("channel_id", "notice_channel.id", nullable=True),
)
# Of what an automation tells them: types of alerts, and ends of tasks.
automation_notice_type = table(
    "automation_notice_type",
    reference("workspace_id", "workspace.id"),
    reference("automation_id", "automation.id"),
    text("type"),
    sa.UniqueConstraint("automation_id", "type"),
    one_of("type", ("info", "warn", "error", "failed", "timed_out", "expired", "lost", "waiting")),
)
