"""What all calls of the old form interface share: fields of a form or a query, the token among them, and replies.

A reply is ``{"message", "type", "payload"}`` unless its client wants something else; so is an error, with the type
``error``. The token stands in the query or in the form, so nothing here or above may log either.
"""

import functools
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder, NeedData
from werkzeug.wsgi import get_input_stream

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions.permissions import PUBLIC
from bottool_web.maestro import words
from bottool_web.maestro.calls import body, permitted, the_site, token_of_headers

PREFIX = "/app/api"
INTERFACE = "maestro_old"
HEAD_BYTES = 64 * 1024
"""So much of a multipart body is read before its token must have come: the file may be large."""

blueprint = Blueprint("maestro_old", __name__, url_prefix=PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The fields of a call, without the token."""

    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        return self.fields.get(name, "")

    def number(self, name: str) -> int | None:
        return words.count_in(self.fields.get(name) or None, name)

    def id(self, name: str) -> int:
        """:raises InvalidInput: when it is missing."""
        found = self.number(name)
        if found is None:
            raise InvalidInput(f"'{name}' is missing", path=name)
        return found


def call(permission: str) -> Callable[[Callable[..., Any]], Callable[..., ResponseReturnValue]]:
    """Guard a call: ``view(site, who, said)`` gets whoever holds the token, and what was said besides."""

    def guard(view: Callable[..., Any]) -> Callable[..., ResponseReturnValue]:
        @functools.wraps(view)
        def answered() -> ResponseReturnValue:
            site = the_site()
            who = permitted(site, _token(), permission, INTERFACE)
            answer = view(site, who, Said(fields=_fields()))
            return answer if isinstance(answer, Response) else jsonify(answer)

        answered.permission = permission  # type: ignore[attr-defined]
        answered.__name__ = f"{view.__module__.rpartition('.')[2]}_{view.__name__}"
        return answered

    return guard


def public(view: Callable[[Said], Any]) -> Callable[..., ResponseReturnValue]:
    """Mark a call that needs no token."""

    @functools.wraps(view)
    def answered() -> ResponseReturnValue:
        return jsonify(view(Said(fields=_fields())))

    answered.permission = PUBLIC  # type: ignore[attr-defined]
    return answered


def done(message: str, payload: str = "") -> dict[str, str]:
    return {"message": message, "type": "success", "payload": payload}


def refusal(problem: wire.Problem) -> dict[str, str]:
    """An error in the shape of every other reply."""
    return {"message": problem.message, "type": "error", "payload": ""}


def _fields() -> dict[str, str]:
    """The query's and the form's, or a JSON object's; the form wins."""
    said = {name: words.text_in(value, name) for name, value in (body() if request.is_json else {}).items()}
    form = {} if request.is_json else request.form.to_dict()
    return {**request.args.to_dict(), **said, **form, "access_token": ""}


def _token() -> str:
    """From a header, from the query, or from the form, wherever the client puts it; empty when nowhere."""
    found = token_of_headers() or request.args.get("access_token", "")
    if found:
        return found
    if request.mimetype == "multipart/form-data":
        return _token_of_multipart()
    if request.is_json:
        return words.text_in(body().get("access_token"), "access_token")
    return request.form.get("access_token", "")


def _token_of_multipart() -> str:
    """The field ``access_token``, when it stands before the file: nobody unknown makes the server take a large body."""
    stream = get_input_stream(request.environ, max_content_length=None)
    head = b""
    while len(head) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(head))):
        head += piece
    request.environ["wsgi.input"] = _Joined(head, stream)
    boundary = request.mimetype_params.get("boundary", "").encode("latin-1", "replace")
    if not boundary:
        return ""
    decoder = MultipartDecoder(boundary)
    decoder.receive_data(head)
    name, value = "", b""
    try:
        while not isinstance(event := decoder.next_event(), NeedData | File):
            if isinstance(event, Field):
                name, value = event.name, b""
            elif isinstance(event, Data) and name == "access_token":
                value += event.data
                if not event.more_data:
                    return value.decode("utf-8", "replace")
    except ValueError:
        return ""
    return ""


class _Joined(io.RawIOBase):
    """What was read of a body already, and the rest of it, as one stream."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece, self._head = self._head[: len(buffer)], self._head[len(buffer) :]
        if not piece:
            piece = self._rest.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)
