"""Data pools and their entries."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing yet."""
