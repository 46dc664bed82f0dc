"""What the deploy calls and the lists of tasks need: revisions put back, pages by id and period, a switch."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for name in ("maestro", "maestro_old"):
        op.add_column("workspace", sa.Column(name, sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column("revision", sa.Column("restored_from", sa.Integer(), nullable=True))
    op.create_index("ix_task_workspace", "task", ["workspace_id", sa.text("id DESC")])
    op.create_index("ix_task_created", "task", ["workspace_id", "created_at"])
    op.create_index("ix_attempt_runner", "attempt", ["runner_id", sa.text("task_id DESC")])
