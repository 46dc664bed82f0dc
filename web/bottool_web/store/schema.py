"""Bringing a database to the schema of this code, with the migrations that are shipped in the package.

A migration runs in one transaction: either all of it is there afterwards or nothing. Two servers that start together
do not meet: SQLite's write lock or an advisory lock of PostgreSQL lets one go first.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bottool.errors import SettingsError
from bottool_web.store.database import Store

if TYPE_CHECKING:  # imported where it is used: the server of a local run migrates nothing and must start quickly
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x626F7474
"""An arbitrary number that no other program is likely to take for its advisory lock."""


def migrate(store: Store) -> None:
    """Apply what is missing; nothing when the database is current. May be repeated.

    :raises SettingsError: when a newer bottool made the database.
    """
    from alembic import command
    from alembic.util.exc import CommandError

    config = _config()
    with store.engine.begin() as connection:
        if not store.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise SettingsError(
                f"the database is of another bottool: {error}", "start the newer version that wrote it last"
            ) from error


def newest() -> str:
    """Number of the newest migration in this code, such as ``0001``."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
