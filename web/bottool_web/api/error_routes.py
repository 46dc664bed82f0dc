"""The routes of /rest/v1 for error reports, their files and their groups."""

from typing import Annotated, Literal
from urllib.parse import unquote

import msgspec
from flask import Response, send_file

from bottool import wire
from bottool_web.actions import errors
from bottool_web.api.artifact_routes import pieces_of
from bottool_web.api.route import Call, Route
from bottool_web.api.special import PAGE_ROWS, Id, Limit


class ErrorQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``search`` looks into types, places and messages of the newest, and so does ``bot`` without a group;
    ``days`` counts back from now.
    """

    task_id: Id | None = None
    group_id: Id | None = None
    automation: str = ""
    bot: str = ""
    search: str = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    before: Id | None = None
    limit: Limit = PAGE_ROWS


class GroupQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``search`` looks into type, place and newest message; ``before`` is a page's ``next``."""

    status: Literal["", "open", "resolved", "ignored"] = ""
    search: str = ""
    automation: str = ""
    bot: str = ""
    before: Id | None = None
    limit: Limit = PAGE_ROWS


def list_errors(_route: Route, call: Call) -> wire.Page:
    said, limit = msgspec.structs.asdict(call.query), call.query.limit
    found = errors.list_errors(call.site, call.who, errors.Asked(**said | {"limit": limit + 1}))
    return wire.Page(items=found[:limit], next=str(found[limit - 1].id) if len(found) > limit else "")


def list_groups(_route: Route, call: Call) -> wire.Page:
    said, limit = msgspec.structs.asdict(call.query), call.query.limit
    found = errors.list_groups(call.site, call.who, **said | {"limit": limit + 1})
    return wire.Page(items=found[:limit], next=str(found[limit - 1].newest_id) if len(found) > limit else "")


def add_file(route: Route, call: Call) -> wire.ErrorFile:
    """The body is the file itself; its name comes in a header."""
    name = unquote(call.request.headers.get(wire.FILE_NAME_HEADER, ""))
    pieces = pieces_of(call, errors.file_limit(call.site))
    made: wire.ErrorFile = route.action(call.site, call.who, call.path["report_id"], name, pieces)
    return made


def download(_route: Route, call: Call) -> Response:
    found, path = errors.content(call.site, call.who, call.path["report_id"], call.path["file_id"])
    return send_file(
        path,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=found.name,
        etag=found.sha256,
        max_age=0,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/errors",
        summary="Error reports, newest first, without stack traces",
        action=errors.list_errors,
        perform=list_errors,
        query=ErrorQuery,
        answer=wire.ErrorReport,
        many=True,
    ),
    Route(
        method="POST",
        path="/errors",
        summary="Report an error",
        action=errors.create,
        body=wire.NewErrorReport,
        answer=wire.ErrorReport,
        keyed=True,
        status=201,
    ),
    Route(
        method="GET",
        path="/errors/<int:report_id>",
        summary="One error report with its stack trace and files",
        action=errors.get_error,
        answer=wire.ErrorReport,
    ),
    Route(
        method="PUT",
        path="/errors/<int:report_id>/screenshot",
        summary="The screenshot of an error report, in place of the one that it has; the body is the file",
        action=errors.set_screenshot,
        perform=add_file,
        answer=wire.ErrorFile,
    ),
    Route(
        method="PUT",
        path="/errors/<int:report_id>/attachments",
        summary="One more file for an error report; the body is the file",
        action=errors.attach,
        perform=add_file,
        answer=wire.ErrorFile,
        status=201,
    ),
    Route(
        method="GET",
        path="/errors/<int:report_id>/files/<int:file_id>",
        summary="Download a file of an error report, whole or a range",
        action=errors.content,
        perform=download,
        media_type="application/octet-stream",
    ),
    Route(
        method="GET",
        path="/error-groups",
        summary="Groups of errors of one type and place; those that came last first",
        action=errors.list_groups,
        perform=list_groups,
        query=GroupQuery,
        answer=wire.ErrorGroup,
        many=True,
    ),
    Route(
        method="GET",
        path="/error-groups/<int:group_id>",
        summary="One group of errors",
        action=errors.get_group,
        answer=wire.ErrorGroup,
    ),
    Route(
        method="PATCH",
        path="/error-groups/<int:group_id>",
        summary="Resolve a group of errors, ignore it, or open it again",
        action=errors.change_group,
        body=wire.ErrorGroupChange,
        answer=wire.ErrorGroup,
    ),
)
