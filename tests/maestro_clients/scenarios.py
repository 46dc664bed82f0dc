"""What the client programs written in Python share: scenarios by their sentences, each played once and told as JSON."""

import json
import traceback
import uuid
from collections.abc import Callable
from typing import Any


class Scenarios:
    """Kept in the order of the source; each gets what ``play`` is given."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, Callable[[Any], None]]] = []

    def __call__(self, name: str) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
        def keep(scenario: Callable[[Any], None]) -> Callable[[Any], None]:
            self.kept.append((name, scenario))
            return scenario

        return keep

    def play(self, given: Any) -> None:
        for name, scenario in self.kept:
            try:
                scenario(given)
            except Exception as failure:
                error: str | None = told(failure)
            else:
                error = None
            print(json.dumps({"name": name, "error": error}), flush=True)


def told(failure: Exception) -> str:
    """The traceback, and what the names of its last place meant there: a bare ``assert`` says no values."""
    places = list(traceback.walk_tb(failure.__traceback__))
    names = {name: repr(value)[:500] for name, value in places[-1][0].f_locals.items()}
    return "".join([*traceback.format_exception(failure), *(f"{name} = {value}\n" for name, value in names.items())])


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:12]}"
