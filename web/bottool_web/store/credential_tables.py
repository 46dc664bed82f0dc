"""Credentials, sealed, and which attempt has read which; every read is in the audit table too."""

import sqlalchemy as sa

from bottool_web.store.columns import reference, table, text, time

credential = table(
    "credential",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    text("label"),
    text("created_by"),
    time("created_at"),
    time("changed_at"),
    time("deleted_at", nullable=True),
    # Of the value that was set last, of whichever key: it only grows, so no two values of a key have the same.
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
)
sa.Index(
    "uq_credential_label",
    credential.c.workspace_id,
    credential.c.label,
    unique=True,
    sqlite_where=credential.c.deleted_at.is_(None),
    postgresql_where=credential.c.deleted_at.is_(None),
)
credential_secret = table(
    "credential_secret",
    reference("workspace_id", "workspace.id"),
    reference("credential_id", "credential.id"),
    text("key"),
    # By the vault, as what this row is: see ``store.credentials``.
    text("sealed"),
    time("changed_at"),
    # Part of what it is sealed as; 0: sealed before values had versions.
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("credential_id", "key"),
)
# What the bots of an automation may read, where ``automation.credentials_listed`` says that this list holds.
automation_credential = table(
    "automation_credential",
    reference("workspace_id", "workspace.id"),
    reference("automation_id", "automation.id"),
    reference("credential_id", "credential.id"),
    sa.UniqueConstraint("automation_id", "credential_id"),
)
# What an attempt knows, so that it is masked in what the attempt prints and sends. A copy of what was sealed at the
# time: a value that is changed later is still known to it.
credential_read = table(
    "credential_read",
    reference("workspace_id", "workspace.id"),
    reference("attempt_id", "attempt.id"),
    text("what"),
    text("sealed"),
    sa.UniqueConstraint("attempt_id", "what", "sealed"),
)
