"""What packages are made of: the inspection of a revision, and its dependencies."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "inspection",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), sa.ForeignKey("workspace.id"), nullable=False),
        sa.Column("revision_id", sa.Integer(), sa.ForeignKey("revision.id"), nullable=False),
        *(_text(name) for name in ("state", "language", "entry", "requires", "bot_id")),
        sa.Column("locked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.Column("dependencies", sa.Integer(), server_default="0", nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
        sa.UniqueConstraint("revision_id", name=op.f("uq_inspection_revision_id")),
        sa.CheckConstraint("state IN ('done', 'none', 'failed', 'refused')", name=op.f("ck_inspection_state")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dependency",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.Integer(), sa.ForeignKey("workspace.id"), nullable=False),
        sa.Column("revision_id", sa.Integer(), sa.ForeignKey("revision.id"), nullable=False),
        *(_text(name) for name in ("ecosystem", "name", "plain_name", "version", "licence")),
        sa.Column("direct", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dependency")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_dependency_revision_id"), "dependency", ["revision_id"])
    op.create_index("ix_dependency_name", "dependency", ["workspace_id", "plain_name", "ecosystem"])


def _text(column: str) -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default="", nullable=False)
