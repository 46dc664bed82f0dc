"""Automations whose lost tasks are tried again, and attempts whose keeper ends the bot when contact is lost."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("automation", sa.Column("retry_on_lost", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("attempt", sa.Column("fenced", sa.Boolean(), server_default=sa.false(), nullable=False))
