"""Result files of tasks."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "artifact",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "repository", "task", "automation")),
        *(_text(name) for name in ("name", "file_name")),
        _text("state", "announced"),
        _text("sha256"),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        *(_text(name) for name in ("media_type", "created_by")),
        sa.Column("attempt", sa.Integer()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifact")),
        sa.CheckConstraint("state IN ('announced', 'stored')", name=op.f("ck_artifact_state")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_artifact_list", "artifact", ["workspace_id", sa.text("id DESC")])
    op.create_index("ix_artifact_task", "artifact", ["workspace_id", "task_id", sa.text("id DESC")])
    op.create_index("ix_artifact_automation", "artifact", ["workspace_id", "automation_id", sa.text("id DESC")])
    op.create_index("ix_artifact_at", "artifact", ["workspace_id", "at"])
    op.create_index("ix_artifact_sha256", "artifact", ["sha256"])


def _reference(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)


def _text(column: str, default: str = "") -> sa.Column[str]:
    return sa.Column(column, sa.Text(), server_default=default, nullable=False)
