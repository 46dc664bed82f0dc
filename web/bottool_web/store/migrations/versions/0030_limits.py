"""What an automation lets its bots use, and the limit that an attempt reached."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0030"
down_revision = "0020"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    for name in ("silence_seconds", "memory_limit_bytes", "process_limit", "output_limit_bytes", "disk_limit_bytes"):
        kind = sa.BigInteger() if name.endswith("_bytes") else sa.Integer()
        op.add_column("automation", sa.Column(name, kind, nullable=True))
    for name, seconds in (("interrupt_seconds", "5"), ("grace_seconds", "10")):
        op.add_column("automation", sa.Column(name, sa.Integer(), server_default=seconds, nullable=False))
    op.add_column("attempt", sa.Column("limits", JSON, server_default="{}", nullable=False))
    op.add_column("attempt", sa.Column("limit_reached", sa.Text(), server_default="", nullable=False))
