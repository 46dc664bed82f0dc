"""Runners say whether they pause, and why they take no work; automations, whether their bots need a display."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("runner", sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("runner", sa.Column("reason", sa.Text(), server_default="", nullable=False))
