"""What all calls of the old form interface share: fields of a form or a query, the token among them, and replies.

A reply is ``{"message", "type", "payload"}`` unless its client wants something else; so is an error, with the type
``error``. The token stands in the query or in the form, so nothing here or above may log either.
"""

import functools
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Field, MultipartDecoder, Preamble
from werkzeug.wsgi import get_input_stream

from bottool import wire
from bottool.errors import InvalidInput, Refused
from bottool_web.actions.permissions import PUBLIC
from bottool_web.maestro import words
from bottool_web.maestro.calls import body, permitted, the_site, token_of_headers

PREFIX = "/app/api"
INTERFACE = "maestro_old"
HEAD_BYTES = 64 * 1024
"""So much of a multipart body is read before its token must have come: the file may be large."""
MOST_FIELDS = 100

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
            site, fields = the_site(), _fields()
            who = permitted(site, token_of_headers() or fields.pop("access_token", ""), permission, INTERFACE)
            fields.pop("access_token", None)
            answer = view(site, who, Said(fields=fields))
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
    """The query's, and over them the form's or a JSON object's."""
    if request.is_json:
        sent = {name: words.text_in(value, name) for name, value in body().items()}
    elif request.mimetype == "multipart/form-data":
        sent = _fields_before_the_file()
    else:
        sent = request.form.to_dict()
    return {**request.args.to_dict(), **sent}


def _fields_before_the_file() -> dict[str, str]:
    """Of a multipart body what stands before its file: nobody unknown makes the server take a large body."""
    stream = get_input_stream(request.environ, max_content_length=None)
    head = b""
    while len(head) < HEAD_BYTES and (piece := stream.read(HEAD_BYTES - len(head))):
        head += piece
    request.environ["wsgi.input"] = _Joined(head, stream)
    boundary = request.mimetype_params.get("boundary", "").encode("latin-1", "replace")
    if not boundary:
        return {}
    decoder = MultipartDecoder(boundary, max_parts=MOST_FIELDS)
    decoder.receive_data(head)
    try:
        return dict(_fields_of(decoder))
    except (ValueError, RequestEntityTooLarge):
        raise Refused("the multipart body is broken off, or none", "send it again") from None


def _fields_of(decoder: MultipartDecoder) -> Iterator[tuple[str, str]]:
    name, value = "", b""
    while isinstance(event := decoder.next_event(), Preamble | Field | Data):
        if isinstance(event, Field):
            name, value = event.name, b""
        elif isinstance(event, Data):
            value += event.data
            if not event.more_data:
                yield name, value.decode("utf-8", "replace")


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
