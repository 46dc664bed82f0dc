"""What is known of attempts beside their outcome, and the screens that automations ask for."""

from typing import Any

import sqlalchemy as sa

from bottool_web.store.column_types import Json
from bottool_web.store.columns import reference, table, text, time


def display_columns() -> tuple[Any, ...]:
    """The columns of an automation that say what its bot draws on."""
    return (
        text("display", default="none"),
        text("display_size", default="1280x1024"),
        sa.Column("display_depth", sa.Integer, nullable=False, server_default="24"),
    )


# What bots run with on a runner, told once; attempts name it by the runner's own word for it.
equipment = table(
    "equipment",
    reference("workspace_id", "workspace.id"),
    reference("runner_id", "runner.id"),
    text("digest"),
    # A wire.Equipment as an object.
    sa.Column("told", Json, nullable=False),
    time("at"),
    sa.UniqueConstraint("runner_id", "digest"),
)
# What a runner noted of an attempt, masked and cut. The picture is a result file of the task.
evidence = table(
    "evidence",
    reference("workspace_id", "workspace.id"),
    sa.Column("attempt_id", sa.Integer, sa.ForeignKey("attempt.id"), nullable=False, unique=True),
    # A wire.AttemptEvidence as an object.
    sa.Column("told", Json, nullable=False),
    # No foreign key: people may take the file away.
    sa.Column("artifact_id", sa.Integer),
    time("at"),
)
