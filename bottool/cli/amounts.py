"""Sizes and durations as options: ``500MB``, ``10m``; and the options of an automation's limits."""

from collections.abc import Callable
from typing import Any

import click

from bottool import quantities
from bottool.errors import InvalidInput

NO_LIMIT_AT_ZERO = (
    "timeout_seconds",
    "silence_seconds",
    "memory_limit_bytes",
    "process_limit",
    "output_limit_bytes",
    "disk_limit_bytes",
)


class _Amount(click.ParamType[int]):
    def __init__(self, name: str, read: Callable[[str], int]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return self._read(str(value))
        except InvalidInput as error:
            self.fail(f"{error.message}; {error.hint}", param, ctx)


SIZE = _Amount("size", quantities.size_bytes)
DURATION = _Amount("duration", quantities.duration_seconds)

LIMIT_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--timeout", "timeout_seconds"), {"type": DURATION, "help": "How long it may run, such as 90s or 2h."}),
    (("--silence", "silence_seconds"), {"type": DURATION, "help": "How long it may print nothing, such as 10m."}),
    (
        ("--memory-limit", "memory_limit_bytes"),
        {"type": SIZE, "help": "Memory of all its processes, such as 500MB."},
    ),
    (("--process-limit",), {"type": click.IntRange(0), "help": "How many processes it may have."}),
    (("--output-limit", "output_limit_bytes"), {"type": SIZE, "help": "How much it may print."}),
    (("--disk-limit", "disk_limit_bytes"), {"type": SIZE, "help": "How large its working folder may grow."}),
    (
        ("--interrupt-wait", "interrupt_seconds"),
        {"type": DURATION, "help": "At a limit: time to end by itself, before the signal. [default: 5s]"},
    ),
    (
        ("--grace", "grace_seconds"),
        {"type": DURATION, "help": "Time after the signal, before it is killed. [default: 10s]"},
    ),
)
"""What an automation's bot may use; 0 is no limit."""


def shown_limits(automation: Any) -> dict[str, str]:
    """The limits of an automation, those that say something."""
    size, duration = quantities.size_text, quantities.duration_text
    found: dict[str, tuple[int | None, Callable[[int], str]]] = {
        "time-out": (automation.timeout_seconds, duration),
        "silence": (automation.silence_seconds, duration),
        "memory": (automation.memory_limit_bytes, size),
        "processes": (automation.process_limit, str),
        "output": (automation.output_limit_bytes, size),
        "disk": (automation.disk_limit_bytes, size),
        "to end by itself": (automation.interrupt_seconds, duration),
        "after the signal": (automation.grace_seconds, duration),
    }
    return {name: write(value) for name, (value, write) in found.items() if value is not None}
