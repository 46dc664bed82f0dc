"""What all of Maestro's calls share: the token, bodies as its clients send them, and errors as they read them.

A body may be missing although the header promises JSON, and a GET may carry one. Every error, also for an address that
does not exist, is a JSON object with a string ``message``.
"""

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from bottool.errors import Forbidden, InvalidInput, Refused, Unauthorized
from bottool_web.actions import identity
from bottool_web.actions.permissions import PUBLIC, may
from bottool_web.actions.site import Site

blueprint = Blueprint("maestro", __name__, url_prefix="/api/v2")
EXTENSION = "bottool_site"
PIECE_BYTES = 256 * 1024
FORM_BYTES = 64 * 1024
"""What surrounds the file in a multipart body may take."""


def call(permission: str) -> Callable[[Callable[..., Any]], Callable[..., ResponseReturnValue]]:
    """Guard a call: ``view(site, who, …)`` gets whoever holds the token, and its answer becomes JSON
    unless it is a response already.
    """

    def guard(view: Callable[..., Any]) -> Callable[..., ResponseReturnValue]:
        @functools.wraps(view)
        def answered(**arguments: Any) -> ResponseReturnValue:
            site = the_site()
            who = identity.principal_of_token(site, _token())
            # The action looks again; here it keeps the body of one who may not from being read at all.
            if not may(who, permission):
                raise Forbidden(f"'{who.name}' may not do this: it needs '{permission}'")
            answer = view(site, who, **arguments)
            return answer if isinstance(answer, Response) else jsonify(answer)

        answered.permission = permission  # type: ignore[attr-defined]
        # Flask knows views by their names, and each module has its own "create".
        answered.__name__ = f"{view.__module__.rpartition('.')[2]}_{view.__name__}"
        return answered

    return guard


def public(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a call that needs no token."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def the_site() -> Site:
    site: Site = current_app.extensions[EXTENSION]
    return site


def _token() -> str:
    """From the header ``token``, or ``Authorization: Bearer``: clients send one or the other."""
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    token = request.headers.get("token") or (bearer.strip() if kind.lower() == "bearer" else "")
    if not token:
        raise Unauthorized("there is no token", "log in first, and send the accessToken in the header 'token'")
    return token


def body() -> dict[str, Any]:
    """The request's JSON object; empty when there is no body.

    :raises Refused: when there is one, and it is no JSON object.
    """
    data = request.get_data()
    if not data.strip():
        return {}
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("the body is no JSON") from None
    if not isinstance(value, dict):
        raise Refused("the body is no JSON object")
    return value


def whole(name: str, default: int, *, most: int) -> int:
    """A number of the query; what is no number, or out of 0 to ``most``, is brought there."""
    return min(max(request.args.get(name, default, type=int), 0), most)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file of a multipart body. ``name`` is the client's word, a label only; ``pieces`` can be read once."""

    name: str
    pieces: Iterator[bytes]


def file_part(limit_bytes: int) -> FilePart:
    """The part ``file`` of a multipart body, of which the file may take ``limit_bytes``.

    :raises InvalidInput: when there is none.
    """
    request.max_content_length = limit_bytes + FORM_BYTES
    file = request.files.get("file")
    if file is None:
        raise InvalidInput("there is no part 'file'", "send the file as multipart/form-data")
    return FilePart(name=file.filename or "", pieces=_pieces(file.stream))


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece
