"""What an automation lets its bots use, as columns, as an attempt keeps it, and as its runner gets it."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool_web.store.column_types import Json
from bottool_web.store.columns import text

LIMITS = ("silence_seconds", "memory_limit_bytes", "process_limit", "output_limit_bytes", "disk_limit_bytes")
"""No value is no limit."""
TIMES = {"interrupt_seconds": 5, "grace_seconds": 10}
NAMES = (*LIMITS, *TIMES)


def limit_columns() -> list[sa.Column[Any]]:
    """For the table ``automation``, new at each call."""
    sizes = [sa.Column(name, sa.BigInteger if name.endswith("_bytes") else sa.Integer) for name in LIMITS]
    times = [sa.Column(name, sa.Integer, nullable=False, server_default=str(value)) for name, value in TIMES.items()]
    return [*sizes, *times]


def pinned_columns() -> list[sa.Column[Any]]:
    """For the table ``attempt``: the automation's limits as they were when the task was taken, and the ``model.Reason``
    of the one that the bot reached: from then on it reads that it should end.
    """
    return [sa.Column("limits", Json, nullable=False, server_default="{}"), text("limit_reached")]


def pinned(automation: Any) -> dict[str, int]:
    """Those of an automation's row that say something, for the attempt that is made now."""
    found = {name: getattr(automation, name) for name in NAMES}
    return {name: value for name, value in found.items() if value is not None}


def grace_seconds(kept: Mapping[str, int]) -> int:
    return kept.get("grace_seconds", TIMES["grace_seconds"])


def longest_end(kept: Mapping[str, int]) -> int:
    """How many seconds a bot that reached a limit may take to end before it is killed."""
    return kept.get("interrupt_seconds", TIMES["interrupt_seconds"]) + grace_seconds(kept)


def work_limits(kept: Mapping[str, int]) -> wire.WorkLimits:
    """What an attempt kept, for its runner."""
    return wire.WorkLimits(
        silence_seconds=kept.get("silence_seconds"),
        memory_bytes=kept.get("memory_limit_bytes"),
        processes=kept.get("process_limit"),
        output_bytes=kept.get("output_limit_bytes"),
        disk_bytes=kept.get("disk_limit_bytes"),
        interrupt_seconds=kept.get("interrupt_seconds", TIMES["interrupt_seconds"]),
    )
