"""Errors as answers: ``application/problem+json`` (RFC 9457) with ``message``, which Maestro's clients read."""

from http import HTTPStatus

from bottool import wire
from bottool.errors import BottoolError

MEDIA_TYPE = "application/problem+json"
MOST_LETTERS = 1000
"""Of a message: what somebody sent may stand in it, however long that is."""


def problem_of(error: BottoolError) -> wire.Problem:
    message, hint = _cut(error.message), _cut(error.hint)
    return wire.Problem(
        title=HTTPStatus(error.http_status).phrase,
        status=error.http_status,
        detail=message,
        message=message,
        code=error.code,
        hint=hint,
        details=error.details,
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def retry_after(error: BottoolError) -> dict[str, str]:
    """The header for errors that pass by themselves; empty for the others."""
    if error.http_status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return {"Retry-After": str(error.details.get("retry_after_seconds", 1))}
    return {}
