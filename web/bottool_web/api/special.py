"""The routes that are not simply their action: sign-in, files, output, paging. Each takes a ``Call``."""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec
from flask import Response, send_file

from bottool import sbom, wire
from bottool.errors import LengthRequired, TooBig
from bottool_web import downloads
from bottool_web.actions import bots, identity, tasks
from bottool_web.actions import output as outputs
from bottool_web.actions.permissions import PUBLIC
from bottool_web.api.route import Call, Route
from bottool_web.files import PIECE_BYTES

PAGE_ROWS = 50
MOST_ROWS = 500
OUTPUT_BYTES = 1024 * 1024

Id = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]


class TaskQuery(msgspec.Struct, kw_only=True, frozen=True):
    """Filters narrow; ``before`` is the cursor that the page before gave as ``next``; ``days`` counts back from now."""

    state: list[str] = []
    automation: str = ""
    machine: str = ""
    before: Id | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    limit: Limit = PAGE_ROWS


class OutputQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``after`` is the offset that the call before gave; without ``attempt`` the newest one."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**62)] = 0
    attempt: Id | None = None


class EvidenceQuery(msgspec.Struct, kw_only=True, frozen=True):
    """Without ``attempt`` the newest one."""

    attempt: Id | None = None


class AlertQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``search`` looks into titles and messages of the newest; ``days`` counts back from now."""

    task_id: Id | None = None
    type: Literal["", "info", "warn", "error"] = ""
    automation: str = ""
    search: str = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    before: Id | None = None
    limit: Limit = PAGE_ROWS


class DependencyQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``below`` narrows to older versions of it; ``released`` to the versions that new tasks run."""

    name: str
    below: str = ""
    ecosystem: str = ""
    released: bool = False


class TaskCounts(msgspec.Struct, kw_only=True, frozen=True):
    """How many tasks are in each state; a state without tasks may be missing."""

    counts: dict[str, int]


def show_status() -> None:
    """Anybody may ask whether the site answers."""


show_status.permission = PUBLIC  # type: ignore[attr-defined]


def sign_in() -> None:
    """Anybody may try."""


sign_in.permission = PUBLIC  # type: ignore[attr-defined]


def status(_route: Route, call: Call) -> wire.Status:
    call.site.store.read(lambda tx: tx.exec_driver_sql("SELECT 1").scalar_one())
    return wire.Status(version=version("bottool-web"), protocol=wire.PROTOCOL, ready=True)


def login(_route: Route, call: Call) -> wire.LoggedIn:
    return identity.login(call.site, call.body, address=call.address)


def release(_route: Route, call: Call) -> wire.Bot:
    return bots.release(call.site, call.who, call.path["bot_id"], call.body.version)


def upload(_route: Route, call: Call) -> wire.Bot:
    """The body is the file itself; its name comes in a header."""
    limit = call.site.settings.upload_limit_bytes
    call.request.max_content_length = limit
    if "Transfer-Encoding" in call.request.headers:
        # Without a length, a connection that breaks off looks like the end of the file.
        raise LengthRequired("the upload does not tell its length", "send it with Content-Length, not in chunks")
    if (call.request.content_length or 0) > limit:
        raise TooBig(f"the file has more than {limit // 2**20} MB", "raise the limit, or pack less")
    name = unquote(call.request.headers.get(wire.FILE_NAME_HEADER, ""))
    return bots.upload(call.site, call.who, call.path["bot_id"], call.path["version"], name, _pieces(call))


def _pieces(call: Call) -> Iterator[bytes]:
    while piece := call.request.stream.read(PIECE_BYTES):
        yield piece


def download(route: Route, call: Call) -> Response:
    path, name = route.action(call.site, call.who, *call.path.values())
    # The file's name on disk is its checksum, so the tag is one too.
    return send_file(
        path, mimetype="application/octet-stream", as_attachment=True, download_name=name, etag=path.name, max_age=0
    )


def evidence(route: Route, call: Call) -> Response:
    name, pieces = route.action(call.site, call.who, call.path["task_id"], call.query.attempt)
    return downloads.sent(call.site, pieces, "application/zip", name)


def bill_of_materials(route: Route, call: Call) -> Response:
    made = route.action(call.site, call.who, call.path["bot_id"], call.path["version"])
    return Response(sbom.text(made), content_type=sbom.MEDIA_TYPE)


def list_tasks(_route: Route, call: Call) -> wire.Page:
    query: TaskQuery = call.query
    found = tasks.list_tasks(
        call.site,
        call.who,
        states=tuple(query.state),
        automation=query.automation,
        machine=query.machine,
        before=query.before,
        days=query.days,
        limit=query.limit + 1,
    )
    return _page(found, query.limit)


def list_alerts(route: Route, call: Call) -> wire.Page:
    query: AlertQuery = call.query
    said = msgspec.structs.asdict(query) | {"limit": query.limit + 1}
    found = route.action(call.site, call.who, **said)
    return _page(found, query.limit)


def _page(found: list[Any], limit: int) -> wire.Page:
    """One row more than ``limit`` was asked for: it tells whether there is a next page."""
    return wire.Page(items=found[:limit], next=str(found[limit - 1].id) if len(found) > limit else "")


def count_tasks(route: Route, call: Call) -> TaskCounts:
    return TaskCounts(counts=route.action(call.site, call.who))


def output(_route: Route, call: Call) -> Response:
    """Whole frames as bytes (``wire.Frame``), and in headers where to go on and whether more will come."""
    data, following, ended = outputs.read_output(
        call.site,
        call.who,
        call.path["task_id"],
        after=call.query.after,
        attempt=call.query.attempt,
        limit_bytes=OUTPUT_BYTES,
    )
    headers = {wire.NEXT_OFFSET_HEADER: str(following), wire.ENDED_HEADER: "true" if ended else "false"}
    return Response(data, mimetype="application/octet-stream", headers=headers)
