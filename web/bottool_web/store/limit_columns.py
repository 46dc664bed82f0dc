"""What an automation lets its bots use, as columns, as an attempt keeps it, and as its runner gets it."""

from typing import Any

import sqlalchemy as sa

from bottool import wire

LIMITS = ("silence_seconds", "memory_limit_bytes", "process_limit", "output_limit_bytes", "disk_limit_bytes")
"""No value is no limit."""
TIMES = {"interrupt_seconds": 5, "grace_seconds": 10}
NAMES = (*LIMITS, *TIMES)


def limit_columns() -> list[sa.Column[Any]]:
    """For the table ``automation``, new at each call."""
    sizes = [sa.Column(name, sa.BigInteger if name.endswith("_bytes") else sa.Integer) for name in LIMITS]
    times = [sa.Column(name, sa.Integer, nullable=False, server_default=str(value)) for name, value in TIMES.items()]
    return [*sizes, *times]


def pinned(automation: Any) -> dict[str, int]:
    """Those of an automation's row that say something, for the attempt that is made now."""
    found = {name: getattr(automation, name) for name in NAMES}
    return {name: value for name, value in found.items() if value is not None}


def work_limits(kept: dict[str, int]) -> wire.WorkLimits:
    """What an attempt kept, for its runner."""
    return wire.WorkLimits(
        silence_seconds=kept.get("silence_seconds"),
        memory_bytes=kept.get("memory_limit_bytes"),
        processes=kept.get("process_limit"),
        output_bytes=kept.get("output_limit_bytes"),
        disk_bytes=kept.get("disk_limit_bytes"),
        interrupt_seconds=kept.get("interrupt_seconds", TIMES["interrupt_seconds"]),
    )
