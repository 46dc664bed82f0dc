"""What a runner process is told once, at its start, in one frozen value."""

from dataclasses import dataclass
from pathlib import Path

from bottool import wire

OUTPUT_LIMIT_BYTES = 100 * 1024 * 1024
PREPARE_SECONDS = 3600.0
FLOOR_BYTES = 500_000_000
LEARN_SECONDS = 300.0
PLUGIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings:
    """``server`` is the address that bots get too. ``max_tasks``: take so many, then end; ``None`` never ends."""

    server: str
    cache: Path
    slots: int = 1
    max_tasks: int | None = None
    idle_exit_seconds: float | None = None
    """End after so long without a task; ``None`` never does."""
    tags: tuple[str, ...] = ()
    """What a person calls this machine: told to the server with what it can do."""
    conf: Path | None = None
    """The ``conf.bcf`` that these settings came from: watched, so that a change is told of."""
    learn_seconds: float = LEARN_SECONDS
    """How often the runner looks again what this machine can do."""
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES
    """The most that is kept of one bot's output; the rest is counted and thrown away."""
    prepare_seconds: float = PREPARE_SECONDS
    """How long a bot may take to be made ready."""
    cache_limit_bytes: int | None = None
    """The most that the cache may take of the disk; ``None``: what is usual for this disk."""
    disk_floor_bytes: int = FLOOR_BYTES
    """With less free disk than this no task is taken."""
    plugin_seconds: float = PLUGIN_SECONDS
    """How long plugins may take over the start of a bot, and over its end."""
    hold_seconds: float = wire.SYNC_HOLD_SECONDS
