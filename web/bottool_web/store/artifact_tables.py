"""Result files of tasks: a row each; the bytes lie in ``files`` under their checksum, for all rows that need them."""

import sqlalchemy as sa

from bottool_web.store.columns import one_of, reference, table, text, time

artifact = table(
    "artifact",
    reference("workspace_id", "workspace.id"),
    reference("repository_id", "repository.id"),
    reference("task_id", "task.id"),
    # The task's own, repeated so that an index finds an automation's files.
    reference("automation_id", "automation.id"),
    text("name"),
    # What a download is called: no path, no control characters.
    text("file_name"),
    text("state", default="announced"),
    # Empty until its bytes have come.
    text("sha256"),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
    text("media_type"),
    text("created_by"),
    # The number of the attempt that sent it, when a bot did.
    sa.Column("attempt", sa.Integer),
    time("at"),
    time("stored_at", nullable=True),
    one_of("state", ("announced", "stored")),
)
# Each begins with the workspace, which every statement names: SQLite then sees which one narrows most.
sa.Index("ix_artifact_list", artifact.c.workspace_id, artifact.c.id.desc())
sa.Index("ix_artifact_task", artifact.c.workspace_id, artifact.c.task_id, artifact.c.id.desc())
sa.Index("ix_artifact_automation", artifact.c.workspace_id, artifact.c.automation_id, artifact.c.id.desc())
# To find the first of a period, and whoever needs the bytes of a checksum.
sa.Index("ix_artifact_at", artifact.c.workspace_id, artifact.c.at)
sa.Index("ix_artifact_sha256", artifact.c.sha256)
