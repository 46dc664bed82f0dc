"""How a task ends, said on the command line: a status, a message, and items of which two tell the third."""

from typing import TYPE_CHECKING, Any

import click

from bottool.cli.options import Function
from bottool.cli.state import State
from bottool.errors import InvalidInput

if TYPE_CHECKING:
    from bottool.wire import Task

STATUSES = ("succeeded", "partial", "failed")


def counting_options(function: Function) -> Function:
    """``--message`` and the items."""
    for name, target, text in (
        ("--failed", "failed_items", "Items that did not go well."),
        ("--processed", "processed_items", "Items that went well."),
        ("--total", "total_items", "Items in all; two of the three are enough."),
    ):
        function = click.option(name, target, type=click.IntRange(0), help=text)(function)
    return click.option("--message", help="What is said of it.")(function)


def ending_options(function: Function) -> Function:
    """``--status`` in front of ``counting_options``."""
    status = click.option("--status", type=click.Choice(STATUSES), default=STATUSES[0], show_default=True)
    return status(counting_options(function))


def items(total: int | None, processed: int | None, failed: int | None) -> tuple[int | None, int | None, int | None]:
    """All three where two are known.

    :raises InvalidInput: when they do not add up.
    """
    if total is None and processed is not None and failed is not None:
        total = processed + failed
    if processed is None and total is not None and failed is not None:
        processed = total - failed
    if failed is None and total is not None and processed is not None:
        failed = total - processed
    if None not in {total, processed, failed} and (min(processed or 0, failed or 0) < 0 or total != processed + failed):  # type: ignore[operator]
        raise InvalidInput("the items do not add up", "total = processed + failed")
    return total, processed, failed


def send(state: State, task_id: int, *, status: str, message: str | None, **counts: int | None) -> "Task":
    """Store the result of a task; what is not said stays as it was reported."""
    return _post(state, task_id, "finish", {"status": status} | _said(message, counts))


def report(state: State, task_id: int, *, message: str | None, **counts: int | None) -> "Task":
    """Say how far a task is."""
    return _post(state, task_id, "progress", _said(message, counts))


def _said(message: str | None, counts: dict[str, int | None]) -> dict[str, Any]:
    names = ("total_items", "processed_items", "failed_items")
    known = dict(zip(names, items(*(counts[name] for name in names)), strict=True))
    return {name: value for name, value in {"message": message, **known}.items() if value is not None}


def _post(state: State, task_id: int, verb: str, said: dict[str, Any]) -> "Task":
    from bottool.cli import rest
    from bottool.wire import Task

    return state.client().post(f"{rest.path('tasks', task_id)}/{verb}", said, type=Task)
