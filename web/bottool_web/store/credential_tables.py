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
    sa.UniqueConstraint("credential_id", "key"),
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
