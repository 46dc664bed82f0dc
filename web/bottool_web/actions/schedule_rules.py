"""What may be said of a schedule, and when it is due next by what is said. Pure."""

from datetime import datetime
from typing import Any

from bottool.errors import InvalidInput
from bottool_web.actions import checks
from bottool_web.actions.due_times import next_time
from bottool_web.cron.calendars import expression_of
from bottool_web.cron.timing import read_timing
from bottool_web.store.moves import Row

MOST_MADE_UP = 100
LONGEST_EXPRESSION = 20_000
TAKEN = frozenset({"new", "preview"})
WHEN = ("dialect", "expression", "zone", "ends_at", "enabled")
"""On these depends when it is due next."""


def expression(said: dict[str, Any]) -> tuple[str, str]:
    """Dialect and expression, also of what was said as a calendar form."""
    if said.get("calendar"):
        if said.get("expression"):
            raise InvalidInput("both an expression and a calendar are given", "give one of them", path="calendar")
        return expression_of(said["calendar"])
    return said["dialect"], said["expression"].strip()


def check(said: dict[str, Any]) -> None:
    """What holds for every field that was said, of a new schedule and of a change."""
    if "label" in said and checks.label(said["label"], "label").isdigit():
        raise InvalidInput(f"label is '{said['label']}'", "use a letter: numbers are ids", path="label")
    if said.get("label") in TAKEN:
        raise InvalidInput(f"label is '{said['label']}'", "choose another one: it is a page's address", path="label")
    checks.text(said.get("description", ""), "description")
    checks.text(said.get("expression", ""), "expression", LONGEST_EXPRESSION)
    if said.get("priority") is not None:
        checks.number(said["priority"], "priority", 0, 10)
    checks.number(said.get("missed_most", 1), "missed_most", 1, MOST_MADE_UP)


def due_after(row: Row, columns: dict[str, Any], now: datetime) -> dict[str, Any]:
    """``next_at`` when something was said on which it depends."""
    if not any(name in columns for name in WHEN):
        return {}
    said = {name: columns.get(name, getattr(row, name)) for name in WHEN}
    return {"next_at": due(said, now), "note": ""}


def due(said: dict[str, Any], now: datetime) -> datetime | None:
    """When it fires next; ``None`` while it is paused.

    :raises InvalidInput: for what cannot be read, although it shall not fire yet.
    """
    if said["enabled"]:
        return next_at(said, now)
    read_timing(said["dialect"], said["expression"], said["zone"])
    return None


def next_at(said: dict[str, Any], now: datetime) -> datetime:
    timing = read_timing(said["dialect"], said["expression"], said["zone"])
    found = next_time(timing, now, said["ends_at"])
    if found is None:
        raise InvalidInput(
            f"nothing of '{checks.shortened(said['expression'])}' lies ahead in {said['zone']}",
            "choose a later time, or a later end",
            path="expression",
        )
    return found
