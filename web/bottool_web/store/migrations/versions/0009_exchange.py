"""What the deploy calls and the lists of tasks need."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing yet."""
