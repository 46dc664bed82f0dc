"""Where a runner's home is, and what its log is called: for the runner, and for those who look at it."""

from pathlib import Path

from bottool.settings import data_folder

LOG_NAME = "runner.log"


def home_folder(said: Path | None) -> Path:
    """The folder that was named, or this user's usual one."""
    return (said or data_folder() / "runner").absolute()
