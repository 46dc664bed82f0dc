"""What the entries of a data pool may hold: values against the pool's schema, and the key and text made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import checks
from bottool_web.store.moves import Row

MOST_FIELDS = 200
MOST_BYTES = 1_000_000
KEY_LIMIT = 500
HIGHEST_PRIORITY = 10


def check_schema(fields: Sequence[wire.PoolField]) -> None:
    """:raises InvalidInput: for a field without a name, or with another's."""
    if len(fields) > MOST_FIELDS:
        raise InvalidInput(f"the schema has {len(fields)} fields; {MOST_FIELDS} are allowed", path="schema")
    seen: set[str] = set()
    for field in fields:
        if not checks.name(field.label, "schema.label").strip():
            raise InvalidInput("a field of the schema has no label", path="schema")
        if field.label in seen:
            raise InvalidInput(f"the schema has '{checks.shortened(field.label)}' twice", path="schema")
        seen.add(field.label)


def schema_of(pool: Row) -> list[wire.PoolField]:
    return msgspec.convert(pool._asdict()["schema"], list[wire.PoolField])


def columns(schema: Sequence[wire.PoolField], values: Mapping[str, Any], priority: int) -> dict[str, Any]:
    """An entry's columns: its values, priority, unique key and shown value.

    :raises InvalidInput: for values that the schema does not allow; what it does not name may be anything.
    """
    checks.number(priority, "priority", 0, HIGHEST_PRIORITY)
    checks.json_value(dict(values), "values")
    size = len(msgspec.json.encode(values))
    if size > MOST_BYTES:
        raise InvalidInput(f"the values take {size} bytes; {MOST_BYTES} are allowed", path="values")
    for field in schema:
        _check(field, values.get(field.label))
    return {
        "values": dict(values),
        "priority": priority,
        "unique_key": _joined([field for field in schema if field.unique], values),
        "display_value": _joined([field for field in schema if field.shown], values),
    }


def typed(field: wire.PoolField, text: str) -> Any:
    """What a cell of a table means; an empty one means nothing.

    :raises InvalidInput: for what is not of the field's type.
    """
    if text == "":
        return None
    if field.type == "text":
        return text
    _check(field, text)
    return int(text) if field.type == "integer" else float(text)


def _check(field: wire.PoolField, value: Any) -> None:
    """A number may come as a text that says one: forms send such."""
    if value is None or value == "":
        return
    good = not isinstance(value, dict | list)
    if good and field.type != "text":
        good = not isinstance(value, bool) and _is_number(value, whole=field.type == "integer")
    if not good:
        raise InvalidInput(
            f"'{checks.shortened(field.label)}' is '{checks.shortened(str(value))}'; it must be {field.type}",
            path=f"values.{checks.shortened(field.label)}",
        )


def _is_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, str) and len(value) > checks.NAME_LIMIT:
        return False
    try:
        number = float(value)
        return (
            number.is_integer() and (not isinstance(value, str) or int(value) == number) if whole else _finite(number)
        )
    except (ValueError, OverflowError):
        return False


def _finite(number: float) -> bool:
    return number - number == 0


def _joined(fields: Sequence[wire.PoolField], values: Mapping[str, Any]) -> str:
    parts = [_shown(values.get(field.label)) for field in fields]
    return " ".join(part for part in parts if part)[:KEY_LIMIT]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
