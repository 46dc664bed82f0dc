"""What all of Maestro's calls share: the token, bodies as its clients send them, and errors as they read them.

A body may be missing although the header promises JSON, and a GET may carry one. Every error, also for an address that
does not exist, is a JSON object with a string ``message``.
"""

import functools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, NoReturn, TypeVar

from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from bottool.errors import Forbidden, InvalidInput, Refused, Unauthorized
from bottool_web.actions import checks, identity
from bottool_web.actions.permissions import PUBLIC, may
from bottool_web.actions.site import Site
from bottool_web.maestro.multipart import FileInBody
from bottool_web.store.scope import Principal

T = TypeVar("T")

blueprint = Blueprint("maestro", __name__, url_prefix="/api/v2")
EXTENSION = "bottool_site"
INTERFACE = "maestro"
PIECE_BYTES = 256 * 1024
FORM_BYTES = 64 * 1024
"""What surrounds the file in a multipart body may take."""
DEEPEST = 100
"""So deep may a body be nested."""
PAGE_ROWS = 20
MOST_ROWS = 1000
MOST_PAGES = 10**6


def call(permission: str) -> Callable[[Callable[..., Any]], Callable[..., ResponseReturnValue]]:
    """Guard a call: ``view(site, who, …)`` gets whoever holds the token, and its answer becomes JSON
    unless it is a response already.
    """

    def guard(view: Callable[..., Any]) -> Callable[..., ResponseReturnValue]:
        @functools.wraps(view)
        def answered(**arguments: Any) -> ResponseReturnValue:
            site = the_site()
            who = permitted(site, token_of_headers(), permission, INTERFACE)
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


def permitted(site: Site, token: str, permission: str, interface: str) -> Principal:
    """Whom the token stands for.

    :raises Unauthorized: when there is no token, or it is none.
    :raises Forbidden: when its holder may not do this, or the workspace has switched the interface off.
    """
    if not token:
        raise Unauthorized("there is no token", "log in first, and send the accessToken in the header 'token'")
    who = identity.principal_of_token(site, token)
    check_open(who, interface)
    # The action looks again; here it keeps the body of one who may not from being read at all.
    if not may(who, permission):
        raise Forbidden(f"'{who.name}' may not do this: it needs '{permission}'")
    return who


def check_open(who: Principal, interface: str) -> None:
    """:raises Forbidden: when the workspace has switched the interface off."""
    if interface in who.closed:
        raise Forbidden(
            "this interface is switched off in your workspace", "an administrator can switch it on", interface=interface
        )


def token_of_headers() -> str:
    """From the header ``token``, or ``Authorization: Bearer``: clients send one or the other; empty for neither."""
    kind, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return request.headers.get("token") or (bearer.strip() if kind.lower() == "bearer" else "")


def body() -> dict[str, Any]:
    """The request's JSON object; empty when there is no body.

    :raises Refused: when there is one, and it is no JSON object that could be stored.
    """
    data = request.get_data()
    if not data.strip():
        return {}
    try:
        value = json.loads(data, parse_constant=_no_number, parse_float=_finite)
        _check(value, data)
    except (ValueError, RecursionError):
        raise Refused("the body is no JSON") from None
    if not isinstance(value, dict):
        raise Refused("the body is no JSON object")
    return value


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def _check(value: Any, data: bytes) -> None:
    """:raises ValueError: for half a surrogate pair, which no database takes, and for nesting without end."""
    if any(sign in data for sign in (b"\\u", b"\x00", b"\xed")):
        # Escapes, UTF-16, and the bytes that would be a half in UTF-8.
        json.dumps(value, ensure_ascii=False).encode()
    if data.count(b"[") + data.count(b"{") <= DEEPEST:
        return
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise ValueError(f"it is nested more than {DEEPEST} deep")


def whole(name: str, default: int, *, most: int) -> int:
    """A number of the query; what is no number, or out of 0 to ``most``, is brought there."""
    return min(max(request.args.get(name, default, type=int), 0), most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which page a client wants. ``number`` counts from 0; ``sort`` is a field, or empty."""

    number: int
    size: int
    sort: str = ""
    descending: bool = False

    @property
    def first(self) -> int:
        """How many rows come before the page."""
        return self.number * self.size

    def of(self, rows: Sequence[T]) -> Sequence[T]:
        """The page out of rows that are all here."""
        return rows[self.first : self.first + self.size]


def paging(rows: int = PAGE_ROWS, *, most: int = MOST_ROWS) -> Paging:
    """``page``, ``size`` and ``sort=field,asc|desc`` of the query, or of the JSON body that some send with a GET.

    What makes no sense is brought to what does: a page below 0 is the first, a size above ``most`` is that.
    """
    # A form that was posted is no JSON; whoever sends one has its numbers in the query.
    said = {**(body() if request.is_json else {}), **request.args.to_dict()}
    field, _, order = str(said.get("sort") or "").partition(",")
    return Paging(
        number=_number(said.get("page"), 0, MOST_PAGES),
        size=_number(said.get("size"), rows, most) or rows,
        sort=field.strip()[:100],
        descending=order.strip().casefold() == "desc",
    )


def in_order(rows: Sequence[T], page: Paging, fields: Mapping[str, str]) -> list[T]:
    """``rows`` as ``page`` wants them sorted; ``fields`` says which attribute each sortable field is.

    :raises InvalidInput: for a field that is not among them.
    """
    if not page.sort:
        return list(rows)
    if page.sort not in fields:
        raise InvalidInput(f"'{page.sort}' is nothing to sort by", f"there are: {', '.join(fields)}", path="sort")
    name = fields[page.sort]
    return sorted(rows, key=lambda row: _comparable(getattr(row, name)), reverse=page.descending)


def _comparable(value: Any) -> tuple[bool, Any]:
    """Texts without regard to case, and what is missing before everything else."""
    return value is not None, value.casefold() if isinstance(value, str) else value if value is not None else 0


def _number(value: Any, default: int, most: int) -> int:
    try:
        return min(max(int(str(value)), 0), most)
    except ValueError:
        return default


def asked(name: str) -> str:
    """A filter: a text of the query, or of the JSON body that some send with a GET; empty when there is none."""
    value = request.args.get(name)
    if value is None and request.is_json:
        value = body().get(name)
    return checks.name(str(value) if isinstance(value, str | int) else "", name).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file of a multipart body. ``name`` is the client's word, a label only; ``pieces`` can be read once."""

    name: str
    pieces: Iterator[bytes]


def file_part(limit_bytes: int, part: str = "file") -> FilePart:
    """The part ``file`` of a multipart body, of which the file may take ``limit_bytes``.

    :raises InvalidInput: when there is none.
    """
    request.max_content_length = limit_bytes + FORM_BYTES
    if "files" in vars(request):  # somebody has read the form already, for a token in it
        file = request.files.get(part)
        if file is None:
            raise InvalidInput(f"there is no part '{part}'", "send the file as multipart/form-data")
        return FilePart(name=file.filename or "", pieces=_pieces(file.stream))
    found = FileInBody(request.stream, request.mimetype_params.get("boundary", ""), part)
    return FilePart(name=found.name, pieces=found.pieces())


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(PIECE_BYTES):
        yield piece
