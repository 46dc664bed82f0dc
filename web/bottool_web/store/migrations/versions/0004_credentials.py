"""Credentials, sealed; who reads them is in the audit table."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Nothing yet."""
