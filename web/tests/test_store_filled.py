"""A database that was in use is brought to the newest schema with what it holds."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import command

from bottool_web.store.database import Store
from bottool_web.store.schema import _config, migrate

WHEN = datetime(2030, 1, 15, 23, 30, tzinfo=UTC)
ROWS = {
    "workspace": [{"label": "acme"}],
    "repository": [{"label": "DEFAULT"}],
    "runner": [{"machine_id": "box-1", "capabilities": {}}],
    "bot": [{"bot_id": "my-bot"}],
    "bot_version": [{"bot_id": 1, "version": "1.0.0"}],
    "revision": [{"bot_version_id": 1, "sha256": letter, "size_bytes": 1, "findings": []} for letter in "ab"],
    "automation": [{"repository_id": 1, "label": "daily", "bot_id": 1, "parameters": []}],
    "automation_notice_type": [{"automation_id": 1, "type": kind} for kind in ("error", "lost")],
    "task": [
        {"repository_id": 1, "automation_id": 1, "state": "failed", "priority": 0, "test": False, "parameters": {}}
    ],
    "attempt": [
        {
            "task_id": 1,
            "number": 1,
            "runner_id": 1,
            "state": "ended",
            "revision_id": 2,
            "bot_version_id": 1,
            "left_behind": [],
            "usage": {},
        }
    ],
    "error_group": [{"fingerprint": "f", "status": "resolved", "count": 2, "newest_id": 2}],
    "error_report": [
        {
            "repository_id": 1,
            "task_id": 1,
            "automation_id": 1,
            "group_id": 1,
            "bot_version_id": 1,
            "tags": {},
            "attempt": 1,
        }
    ]
    * 2,
}


def test_error_groups_get_their_bots_and_days_and_notices_stay(empty_database_address: str) -> None:
    store = Store(empty_database_address)
    with store.engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
        _fill(connection)

    migrate(store)

    def read(statement: str) -> list[tuple[object, ...]]:
        return store.read(lambda tx: [tuple(row) for row in tx.execute(sa.text(statement))])

    assert read("SELECT error_group_id, bot_id, count, revision_id, resolved_revision_id FROM error_group_bot") == [
        (1, 1, 2, 2, 2)
    ]
    assert [(str(day), times) for day, times in read("SELECT day, count FROM error_group_day")] == [("2030-01-15", 2)]
    assert read("SELECT automation_id, type FROM automation_notice_type ORDER BY id") == [(1, "error"), (1, "lost")]
    assert read("SELECT waiting_minutes, waiting_told_at FROM automation") == [(30, None)]
    store.close()


def _fill(connection: sa.Connection) -> None:
    metadata = sa.MetaData()
    metadata.reflect(connection)
    for name, rows in ROWS.items():
        table = metadata.tables[name]
        for number, row in enumerate(rows, 1):
            connection.execute(sa.insert(table).values(_needed(table) | row))
            assert connection.scalar(sa.select(sa.func.max(table.c.id))) == number


def _needed(table: sa.Table) -> dict[str, object]:
    """The moments that a row must have, and its workspace."""
    values: dict[str, object] = {}
    for column in table.columns:
        if isinstance(column.type, sa.DateTime | sa.TIMESTAMP) and not column.nullable:
            values[column.name] = WHEN
        elif isinstance(column.type, sa.Text | sa.String) and not column.nullable and column.server_default is None:
            values[column.name] = "x"
        elif column.foreign_keys and not column.nullable:
            values[column.name] = 1
    return values
