"""Screens that automations ask for; what is known of attempts beside their outcome."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0020"
down_revision = "0014"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.add_column("automation", sa.Column("display", sa.Text(), server_default="none", nullable=False))
    op.add_column("automation", sa.Column("display_size", sa.Text(), server_default="1280x1024", nullable=False))
    op.add_column("automation", sa.Column("display_depth", sa.Integer(), server_default="24", nullable=False))
    op.add_column("attempt", sa.Column("equipment", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "equipment",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "runner")),
        sa.Column("digest", sa.Text(), server_default="", nullable=False),
        sa.Column("told", JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_equipment")),
        sa.UniqueConstraint("runner_id", "digest", name=op.f("uq_equipment_runner_id_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "attempt")),
        sa.Column("told", JSON, nullable=False),
        sa.Column("artifact_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("attempt_id", name=op.f("uq_evidence_attempt_id")),
        sqlite_autoincrement=True,
    )


def _reference(name: str) -> sa.Column[int]:
    return sa.Column(f"{name}_id", sa.Integer(), sa.ForeignKey(f"{name}.id"), nullable=False)
