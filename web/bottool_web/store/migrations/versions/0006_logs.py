"""Logs that bots write, and error reports."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
