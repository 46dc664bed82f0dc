"""Messages, who is told of what, and what waits to be delivered."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Nothing yet."""
