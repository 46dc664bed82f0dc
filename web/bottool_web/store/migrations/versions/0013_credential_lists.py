"""Automations list credentials, values have versions, the audit trail is found by what it is filtered by."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"


def upgrade() -> None:
    op.add_column(
        "automation", sa.Column("credentials_listed", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.create_table(
        "automation_credential",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "automation", "credential")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation_credential")),
        sa.UniqueConstraint(
            "automation_id", "credential_id", name=op.f("uq_automation_credential_automation_id_credential_id")
        ),
        sqlite_autoincrement=True,
    )
    for name in ("credential", "credential_secret"):
        op.add_column(name, sa.Column("version", sa.Integer(), server_default="0", nullable=False))
    # The values that are there are sealed as 0, and anew as 1 at the start of the server; what is set later has more.
    op.execute("UPDATE credential SET version = 1")
    for column in ("actor", "act", "subject"):
        op.create_index(
            f"ix_audit_{column}",
            "audit",
            ["workspace_id", column, "id"],
            postgresql_ops={column: "text_pattern_ops"},
        )


def _reference(table: str) -> sa.Column[int]:
    return sa.Column(f"{table}_id", sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=False)
