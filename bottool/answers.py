"""What an HTTP answer means: a value, or the error that the server named.

Knows the shape of answers (``wire.Problem``) and our errors; opens no connection.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from bottool.errors import (
    ArchiveError,
    BottoolError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Refused,
    ServerError,
    TooBig,
    Unauthorized,
    Unavailable,
)

TOO_MANY = 429
AWAY = frozenset({TOO_MANY, 502, 503, 504})
"""Statuses that pass by themselves; a proxy in between sends them too, with a page instead of JSON."""

_BY_STATUS: dict[int, type[BottoolError]] = {
    400: Refused,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: TooBig,
    422: InvalidInput,
} | dict.fromkeys(AWAY, Unavailable)
_TOO_BIG = 413
_NO_SERVER = "is that the address of a bottool server, and is there a proxy in between?"


def value_of(data: bytes, media_type: str, wanted: Any, server: str) -> Any:
    """The decoded body of a success; ``None`` when it is empty and nothing else is wanted.

    :raises ServerError: when it is no JSON, or not the value that was wanted.
    """
    if not data and wanted in {None, Any}:
        return None
    if not is_json(media_type):
        raise ServerError(f"'{server}' answered {media_type or 'something'} instead of JSON", _NO_SERVER)
    try:
        return msgspec.json.decode(data, type=Any if wanted is None else wanted)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ServerError(f"'{server}' answered JSON that makes no sense here: {error}", _NO_SERVER) from error


def error_of(status: int, headers: Mapping[str, str], data: bytes, server: str) -> BottoolError:
    """The error that a refusal stands for: by the code that it names, else by its status.

    ``details`` are those of the server, with ``status``, and ``retry_after_seconds`` when the server said so.
    """
    media_type = headers.get("content-type", "")
    said = _object(data) if is_json(media_type) else {}
    details = said.get("details")
    error = _named(said, status) if said else _unnamed(status, headers, media_type, server)
    error.details = {**(details if isinstance(details, dict) else {}), "status": status, **_rest(headers)}
    return error


def is_json(media_type: str) -> bool:
    """True for ``application/json`` and everything that ends in ``+json``."""
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _object(data: bytes) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _named(said: Mapping[str, Any], status: int) -> BottoolError:
    message = str(said.get("message") or said.get("detail") or said.get("title") or f"refused with status {status}")
    hint = str(said.get("hint") or "")
    kind = _kinds().get(str(said.get("code", "")), _by_status(status))
    if issubclass(kind, ArchiveError):
        details = said.get("details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return kind(message, hint, reason=str(reason or "unknown"))
    return kind(message, hint)


def _unnamed(status: int, headers: Mapping[str, str], media_type: str, server: str) -> BottoolError:
    """An answer that is not ours, such as a proxy's page. "Not found" then means that no bottool is there."""
    if status in AWAY:
        return Unavailable(f"'{server}' cannot answer now (status {status})", "try again in a moment")
    if status == _TOO_BIG:
        return TooBig(
            f"'{server}' refuses the file as too big", "a proxy in front of the server may have its own limit"
        )
    if headers.get("location"):
        return ServerError(
            f"'{server}' sends us on to '{headers['location']}'",
            "use the server's final address, with https if it has that",
        )
    return ServerError(f"'{server}' answered status {status} with {media_type or 'nothing'}", _NO_SERVER)


def _by_status(status: int) -> type[BottoolError]:
    server_failed = 500
    return _BY_STATUS.get(status, ServerError if status >= server_failed else Refused)


def _kinds() -> dict[str, type[BottoolError]]:
    """Every error by its code; where two share one, that nearer to the root."""
    kinds: dict[str, type[BottoolError]] = {}
    waiting: list[type[BottoolError]] = BottoolError.__subclasses__()
    for kind in waiting:
        kinds.setdefault(kind.code, kind)
        waiting.extend(kind.__subclasses__())
    return kinds


def _rest(headers: Mapping[str, str]) -> dict[str, float]:
    try:
        return {"retry_after_seconds": max(0.0, float(headers["retry-after"]))}
    except (KeyError, ValueError):
        return {}
