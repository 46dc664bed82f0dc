"""Parameters as they are typed on a command line: what an automation asks for, and what a task is given."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from bottool.errors import InvalidInput, did_you_mean
from bottool.wire import Parameter

TYPES = ("text", "integer", "decimal", "boolean", "choice", "date")
_DEFINITION = re.compile(
    r"(?P<label>[^:!=\s]+)(?::(?P<type>[a-z]+)(?:\((?P<choices>[^)]*)\))?)?(?P<required>!)?(?:=(?P<default>.*))?",
    re.DOTALL,
)
_YES = {"true", "yes", "1", "on"}
_NO = {"false", "no", "0", "off"}
HOW = "write NAME[:TYPE][!][=DEFAULT], such as 'city', 'amount:decimal!', 'kind:choice(a|b)=a'"


def definition(text: str) -> Parameter:
    """``NAME[:TYPE][!][=DEFAULT]``; ``!`` makes it required.

    :raises InvalidInput: when it is none, or the default does not fit the type.
    """
    found = _DEFINITION.fullmatch(text)
    if found is None:
        raise InvalidInput(f"'{text}' defines no parameter", HOW)
    kind = found["type"] or "text"
    if kind not in TYPES:
        raise InvalidInput(
            f"parameter '{found['label']}': there is no type '{kind}'; types: {', '.join(TYPES)}",
            did_you_mean(kind, TYPES),
        )
    choices = [each.strip() for each in (found["choices"] or "").split("|") if each.strip()]
    if (kind == "choice") != bool(choices):
        raise InvalidInput(f"parameter '{found['label']}': a choice, and only that, names its choices", HOW)
    parameter = Parameter(label=found["label"], type=kind, required=bool(found["required"]), choices=choices)  # type: ignore[arg-type]
    if found["default"] is None:
        return parameter
    import msgspec

    return msgspec.structs.replace(parameter, default=typed(parameter, found["default"]))


def values(said: Sequence[str], parameters: Iterable[Parameter], automation: str) -> dict[str, Any]:
    """What ``-p`` said: ``name=text`` is read as the automation's parameter wants it, ``name:=JSON`` as JSON.

    :raises InvalidInput: when one does not fit, or the automation does not have it.
    """
    known = {parameter.label: parameter for parameter in parameters}
    found: dict[str, Any] = {}
    for text in said:
        name, sign, value = text.partition("=")
        if not sign or not name.strip(":"):
            raise InvalidInput(f"'{text}' sets no parameter", "write -p NAME=VALUE, or -p NAME:=JSON")
        if name.endswith(":"):
            found[name[:-1]] = _json(name[:-1], value)
        else:
            found[name] = typed(_known(name, known, automation), value)
    return found


def object_of(text: str, source: str) -> dict[str, Any]:
    """A JSON object of parameters, from a file."""
    found = _json(source, text)
    if not isinstance(found, dict):
        raise InvalidInput(f"'{source}' holds no JSON object", 'write {"name": value, …}')
    return found


def typed(parameter: Parameter, text: str) -> Any:
    """The text as the value that the parameter wants.

    :raises InvalidInput: when it is none.
    """
    try:
        return _READ[parameter.type](parameter, text)
    except (ValueError, KeyError):
        wanted = f"one of {', '.join(parameter.choices)}" if parameter.type == "choice" else _WANTED[parameter.type]
        raise InvalidInput(f"parameter '{parameter.label}' is '{text}', not {wanted}") from None


def _known(name: str, known: Mapping[str, Parameter], automation: str) -> Parameter:
    if name in known:
        return known[name]
    has = f"it has: {', '.join(known)}" if known else "it has none"
    raise InvalidInput(
        f"automation '{automation}' has no parameter '{name}'; {has}",
        did_you_mean(name, known) or f"'bottool automation update {automation} -p {name}' adds it",
    )


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"'{name}' is no JSON: {error}") from None


def _boolean(_parameter: Parameter, text: str) -> bool:
    return {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}[text.lower()]


def _choice(parameter: Parameter, text: str) -> str:
    if text not in parameter.choices:
        raise ValueError(text)
    return text


_READ: dict[str, Callable[[Parameter, str], Any]] = {
    "text": lambda _parameter, text: text,
    "integer": lambda _parameter, text: int(text),
    "decimal": lambda _parameter, text: float(text),
    "boolean": _boolean,
    "choice": _choice,
    "date": lambda _parameter, text: date.fromisoformat(text).isoformat(),
}
_WANTED = {
    "text": "a text",
    "integer": "a whole number",
    "decimal": "a number, with a point",
    "boolean": "true or false",
    "date": "a date such as 2026-01-31",
}
