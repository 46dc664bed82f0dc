"""Error groups know their bots and their days; people are told of tasks that wait; old runs of schedules can go."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_KINDS = "'info', 'warn', 'error', 'failed', 'timed_out', 'expired', 'lost', 'waiting'"

_DAYS = (
    "INSERT INTO error_group_day (workspace_id, error_group_id, day, count)"
    " SELECT workspace_id, group_id, date(at), count(*) FROM error_report GROUP BY workspace_id, group_id, date(at)"
)


def upgrade() -> None:
    _create_bots()
    _create_days()
    _fill()
    op.add_column("error_report", sa.Column("known", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("automation", sa.Column("waiting_minutes", sa.Integer(), server_default="30", nullable=False))
    op.add_column("automation", sa.Column("waiting_told_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("task", sa.Column("waiting_told", sa.Boolean(), server_default=sa.false(), nullable=False))
    _allow_waiting()


def _create_bots() -> None:
    op.create_table(
        "error_group_bot",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "error_group", "bot")),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        *(_reference(name, "revision") for name in ("revision_id", "resolved_revision_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_group_bot")),
        sa.UniqueConstraint("error_group_id", "bot_id", name=op.f("uq_error_group_bot_error_group_id_bot_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_error_group_bot_bot_id", "error_group_bot", ["bot_id"])


def _create_days() -> None:
    op.create_table(
        "error_group_day",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "error_group")),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_group_day")),
        sa.UniqueConstraint("error_group_id", "day", name=op.f("uq_error_group_day_error_group_id_day")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_error_group_day_day", "error_group_day", ["workspace_id", "day"])


def _fill() -> None:
    """Of the reports that are there; a resolved group was resolved at the newest version that had reported."""
    op.execute(
        "INSERT INTO error_group_bot (workspace_id, error_group_id, bot_id, count, revision_id)"
        " SELECT r.workspace_id, r.group_id, v.bot_id, count(*), max(coalesce(a.revision_id, v.revision_id))"
        " FROM error_report r JOIN bot_version v ON v.id = r.bot_version_id"
        " LEFT JOIN attempt a ON a.task_id = r.task_id AND a.number = r.attempt"
        " GROUP BY r.workspace_id, r.group_id, v.bot_id"
    )
    op.execute(
        "UPDATE error_group_bot SET resolved_revision_id = revision_id"
        " WHERE error_group_id IN (SELECT id FROM error_group WHERE status = 'resolved')"
    )
    op.execute(
        _DAYS if op.get_bind().dialect.name == "sqlite" else _DAYS.replace("date(at)", "date(at AT TIME ZONE 'UTC')")
    )


def _allow_waiting() -> None:
    """One word more in a check: SQLite can change none, so the small table is made anew with its rows."""
    names = ("id", "workspace_id", "automation_id", "type")
    old = sa.table("automation_notice_type", *(sa.column(name) for name in names))
    rows = [dict(row) for row in op.get_bind().execute(sa.select(old)).mappings()]
    op.drop_table("automation_notice_type")
    made = op.create_table(
        "automation_notice_type",
        sa.Column("id", sa.Integer(), nullable=False),
        *(_reference(name) for name in ("workspace", "automation")),
        sa.Column("type", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_automation_notice_type")),
        sa.UniqueConstraint("automation_id", "type", name=op.f("uq_automation_notice_type_automation_id_type")),
        sa.CheckConstraint(f"type IN ({_KINDS})", name=op.f("ck_automation_notice_type_type")),
        sqlite_autoincrement=True,
    )
    for row in rows:
        # Their ids go on from the newest on either database.
        op.get_bind().execute(sa.insert(made).values({name: row[name] for name in names if name != "id"}))


def _reference(name: str, table: str = "") -> sa.Column[int]:
    if table:
        return sa.Column(name, sa.Integer(), sa.ForeignKey(f"{table}.id"), nullable=True)
    return sa.Column(f"{name}_id", sa.Integer(), sa.ForeignKey(f"{name}.id"), nullable=False)
