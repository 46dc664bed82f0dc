"""The routes of /rest/v1 for result files."""

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import unquote

import msgspec
from flask import Response, send_file

from bottool import wire
from bottool.errors import LengthRequired, TooBig
from bottool_web.actions import artifacts
from bottool_web.api.route import Call, Route
from bottool_web.api.special import PAGE_ROWS, Id, Limit
from bottool_web.files import PIECE_BYTES


class ArtifactQuery(msgspec.Struct, kw_only=True, frozen=True):
    """Filters narrow: ``name`` is a part of a name, ``days`` counts back from now; ``before`` is a page's ``next``."""

    task_id: Id | None = None
    automation: str = ""
    name: str = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    before: Id | None = None
    limit: Limit = PAGE_ROWS


class SentArtifact(msgspec.Struct, kw_only=True, frozen=True):
    """Without ``name`` the file's name counts, which comes in a header."""

    task_id: Id
    name: str = ""


def list_artifacts(_route: Route, call: Call) -> wire.Page:
    query: ArtifactQuery = call.query
    asked = artifacts.Asked(
        task_id=query.task_id,
        automation=query.automation,
        name=query.name,
        days=query.days,
        before=query.before,
        limit=query.limit + 1,
    )
    found = artifacts.list_artifacts(call.site, call.who, asked)
    more = len(found) > query.limit
    return wire.Page(items=found[: query.limit], next=str(found[query.limit - 1].id) if more else "")


def send(_route: Route, call: Call) -> wire.Artifact:
    """The body is the file itself."""
    file_name = unquote(call.request.headers.get(wire.FILE_NAME_HEADER, ""))
    new = wire.NewArtifact(task_id=call.query.task_id, name=call.query.name, file_name=file_name)
    return artifacts.send(
        call.site,
        call.who,
        new,
        pieces_of(call, call.site.settings.artifact_limit_bytes),
        idempotency_key=call.idempotency_key,
    )


def upload(_route: Route, call: Call) -> wire.Artifact:
    return artifacts.upload(
        call.site, call.who, call.path["artifact_id"], pieces_of(call, call.site.settings.artifact_limit_bytes)
    )


def download(_route: Route, call: Call) -> Response:
    found, path = artifacts.content(call.site, call.who, call.path["artifact_id"])
    answer = send_file(
        path,
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=found.file_name,
        etag=found.sha256,
        max_age=0,
    )
    answer.headers.update(artifacts.checksum_headers(found))
    return answer


def pieces_of(call: Call, limit: int) -> Iterator[bytes]:
    """The body, of at most ``limit`` bytes, checked before its first byte is read."""
    call.request.max_content_length = limit
    if "Transfer-Encoding" in call.request.headers:
        # Without a length, a connection that breaks off looks like the end of the file.
        raise LengthRequired("the upload does not tell its length", "send it with Content-Length, not in chunks")
    length = call.request.content_length or 0
    if length > limit:
        raise TooBig(f"the file has more than {limit // 2**20} MB", "raise the site's limit, or send less")
    call.site.files.check_room(length)
    while piece := call.request.stream.read(PIECE_BYTES):
        yield piece


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/artifacts",
        summary="Result files, newest first",
        action=artifacts.list_artifacts,
        perform=list_artifacts,
        query=ArtifactQuery,
        answer=wire.Artifact,
        many=True,
    ),
    Route(
        method="PUT",
        path="/artifacts",
        summary="Hand in a result file; the body is the file",
        action=artifacts.send,
        perform=send,
        query=SentArtifact,
        answer=wire.Artifact,
        keyed=True,
        status=201,
    ),
    Route(
        method="POST",
        path="/artifacts",
        summary="Announce a result file, whose bytes come later",
        action=artifacts.create,
        body=wire.NewArtifact,
        answer=wire.Artifact,
        keyed=True,
        status=201,
    ),
    Route(
        method="GET",
        path="/artifacts/<int:artifact_id>",
        summary="One result file, without its bytes",
        action=artifacts.get_artifact,
        answer=wire.Artifact,
    ),
    Route(
        method="GET",
        path="/artifacts/<int:artifact_id>/file",
        summary="Download a result file, whole or a range",
        action=artifacts.content,
        perform=download,
        media_type="application/octet-stream",
    ),
    Route(
        method="PUT",
        path="/artifacts/<int:artifact_id>/file",
        summary="Upload the bytes of a result file, in place of those that it has; the body is the file",
        action=artifacts.upload,
        perform=upload,
        answer=wire.Artifact,
    ),
    Route(
        method="DELETE",
        path="/artifacts/<int:artifact_id>",
        summary="Take a result file away",
        action=artifacts.delete,
        status=204,
    ),
)
