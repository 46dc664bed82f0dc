"""When automations run by themselves: schedules, and what they fired."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing yet."""
