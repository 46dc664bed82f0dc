"""The tables of inspections: what was told of a revision, and what it depends on."""

import sqlalchemy as sa

from bottool_web.store.column_types import Json
from bottool_web.store.columns import one_of, reference, table, text, time

# What a language's plugin told of a revision: once, and never changed. No row: nobody has looked yet.
inspection = table(
    "inspection",
    reference("workspace_id", "workspace.id"),
    sa.Column("revision_id", sa.Integer, sa.ForeignKey("revision.id"), nullable=False, unique=True),
    # done; none (no plugin here serves the language); failed (the inspection itself); refused (it could never start).
    text("state"),
    text("language"),
    text("entry"),
    text("requires"),
    text("bot_id"),
    sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()),
    # Lines for people, the worst first.
    sa.Column("findings", Json, nullable=False),
    sa.Column("dependencies", sa.Integer, nullable=False, server_default="0"),
    time("at"),
    one_of("state", ("done", "none", "failed", "refused")),
)
dependency = table(
    "dependency",
    reference("workspace_id", "workspace.id"),
    reference("revision_id", "revision.id", index=True),
    text("ecosystem"),
    text("name"),
    # As the ecosystem compares names.
    text("plain_name"),
    text("version"),
    text("licence"),
    sa.Column("direct", sa.Boolean, nullable=False, server_default=sa.false()),
)
sa.Index("ix_dependency_name", dependency.c.workspace_id, dependency.c.plain_name, dependency.c.ecosystem)
