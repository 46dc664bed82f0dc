"""Strict reading of what comes in: bodies as JSON, queries as text. An unknown field is an error, not a wish."""

import re
import types
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from bottool.errors import BadJson, InvalidInput, did_you_mean

S = TypeVar("S", bound=msgspec.Struct)
_AT = re.compile(r" - at `\$\.?(.*)`$")


def read_body(data: bytes, kind: type[S]) -> S:
    """The body as ``kind``.

    :raises BadJson: when it is no JSON.
    :raises InvalidInput: for an unknown field or a value of the wrong kind; ``details.path`` says where.
    """
    if not data:
        raise BadJson("the body is empty", "send a JSON object")
    try:
        value = msgspec.json.decode(data)
    except (ValueError, RecursionError) as error:
        raise BadJson(f"the body is no JSON: {error}", "send a JSON object in UTF-8") from error
    _refuse_unknown(value, kind, "")
    made = _convert(value, kind, strict=True)
    for name in kind.__struct_fields__:
        _check_time(getattr(made, name), name)
    return made


def read_query(values: dict[str, list[str]], kind: type[S]) -> S:
    """The query as ``kind``; a field that is a list may be given several times.

    :raises InvalidInput: for an unknown name, a value of the wrong kind, or one thing twice.
    """
    hints = get_type_hints(kind)  # without what Annotated adds
    _refuse_names(values, hints, "")
    plain: dict[str, Any] = {}
    for name, texts in values.items():
        if any("\0" in text for text in texts):
            raise InvalidInput(f"{name} holds a NUL character", path=name)
        if get_origin(hints[name]) is list:
            plain[name] = texts
        elif len(texts) > 1:
            raise InvalidInput(f"{name} is given {len(texts)} times", "give it once", path=name)
        else:
            plain[name] = texts[0]
    return _convert(plain, kind, strict=False)


def _convert(value: Any, kind: type[S], *, strict: bool) -> S:
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        found = _AT.search(str(error))
        path = found.group(1) if found else ""
        sentence = _AT.sub("", str(error)).replace("`", "'")
        raise InvalidInput(f"{path or 'the body'}: {sentence[0].lower()}{sentence[1:]}", path=path) from error


def _refuse_unknown(value: Any, kind: Any, path: str) -> None:
    """Look for unknown fields at every depth; values of the wrong kind are left to the conversion."""
    if isinstance(kind, types.UnionType):
        for member in get_args(kind):
            _refuse_unknown(value, member, path)
    elif get_origin(kind) is list and isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_unknown(item, get_args(kind)[0], f"{path}[{index}]")
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct) and isinstance(value, dict):
        hints = get_type_hints(kind)
        _refuse_names(value, hints, path)
        for name, item in value.items():
            _refuse_unknown(item, hints[name], f"{path}.{name}".lstrip("."))


def _refuse_names(given: Iterable[str], known: Iterable[str], path: str) -> None:
    for name in given:
        if name not in known:
            where = f"{path}.{name}".lstrip(".")[:100]
            hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
            raise InvalidInput(f"there is no field '{where}'", hint, path=where)


def _check_time(value: Any, path: str) -> None:
    if not isinstance(value, datetime):
        return
    if value.tzinfo is None:
        raise InvalidInput(f"{path} has no zone", "end it with Z or an offset such as -03:00", path=path)
    try:
        value.astimezone(UTC)
    except OverflowError as error:
        raise InvalidInput(f"{path} is too far away", path=path) from error
