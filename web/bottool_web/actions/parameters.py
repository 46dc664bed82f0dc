"""The parameters of an automation: what may be declared, and whether a task's values fit."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from bottool import wire
from bottool.errors import InvalidInput, did_you_mean
from bottool_web.actions import checks

MOST = 200


def check_declared(declared: Sequence[wire.Parameter]) -> None:
    """:raises InvalidInput: for a label twice, a choice without choices, a default that does not fit."""
    checks.number(len(declared), "the number of parameters", 0, MOST)
    seen: set[str] = set()
    for index, item in enumerate(declared):
        path = f"parameters[{index}]"
        if not checks.name(item.label, f"{path}.label").strip():
            raise InvalidInput(f"{path}.label is empty", path=f"{path}.label")
        if item.label in seen:
            raise InvalidInput(f"there are two parameters '{item.label}'", "choose another label", path=f"{path}.label")
        seen.add(item.label)
        if item.type == "choice" and not item.choices:
            raise InvalidInput(f"'{item.label}' has no choices", "name what can be chosen", path=f"{path}.choices")
        if item.default is not None:
            _check_value(item, item.default, f"{path}.default")
        checks.json_value([item.help, item.choices], path)


def check_parameters(automation: wire.Automation, values: Mapping[str, Any], *, loose: bool) -> dict[str, Any]:
    """The parameters that the task gets: ``values`` with the defaults of what was not given.

    ``loose`` is for callers who speak Maestro's interface, where anything may be sent and anything may be missing.

    :raises InvalidInput: for a value of the wrong kind, one that is missing, one that is unknown.
    """
    checks.json_value(dict(values), "parameters")
    declared = {item.label: item for item in automation.parameters}
    given = {label: item.default for label, item in declared.items() if item.default is not None} | dict(values)
    if loose:
        return given
    for label in values:
        if label not in declared:
            hint = did_you_mean(label, declared) or f"it has: {', '.join(declared) or 'none'}"
            raise InvalidInput(
                f"automation '{automation.label}' has no parameter '{checks.shortened(label)}'",
                hint,
                path=f"parameters.{checks.shortened(label)}",
            )
    for label, item in declared.items():
        value = given.get(label)
        if value is None:
            if item.required:
                raise InvalidInput(f"the parameter '{label}' is missing", path=f"parameters.{label}")
        else:
            _check_value(item, value, f"parameters.{label}")
    return given


def _check_value(item: wire.Parameter, value: Any, path: str) -> None:
    fits, wanted = _FITS[item.type]
    if not fits(value):
        raise InvalidInput(f"{path} is {checks.shortened(repr(value))}; {wanted} is wanted", path=path)
    if item.type == "choice" and value not in item.choices:
        raise InvalidInput(
            f"{path} is {checks.shortened(repr(value))}", f"choose one of: {', '.join(item.choices)}", path=path
        )


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


_FITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "text": (lambda value: isinstance(value, str), "a text"),
    "choice": (lambda value: isinstance(value, str), "a text"),
    "integer": (lambda value: isinstance(value, int) and not isinstance(value, bool), "a whole number"),
    "decimal": (_is_number, "a number"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "date": (_is_date, "a date such as 2030-01-31"),
}
