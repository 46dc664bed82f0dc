"""Result files: the list, one file with a preview, its download. What a bot made is never run by a browser."""

from flask import Response, request, send_file, url_for

from bottool.errors import NotFound
from bottool_web.actions import artifacts, previews
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, act, blueprint, page, show
from bottool_web.store.scope import Principal

PAGE_ROWS = 50
PERIODS = (1, 7, 30, 90, 365)
_LOCKED = {"Content-Security-Policy": "sandbox; default-src 'none'"}
"""For the bytes themselves: even a browser that is sent to them by a link runs nothing in them."""


@blueprint.get("/artifacts")
@page("artifact.read")
def artifact_list(site: Site, who: Principal) -> Answer:
    """The filters live in the address: ``name``, ``automation``, ``task``, ``days``, ``before``."""
    said = request.args
    asked = artifacts.Asked(
        task_id=said.get("task", type=int),
        automation=said.get("automation", "").strip(),
        name=said.get("name", "").strip(),
        days=said.get("days", type=int) or None,
        before=said.get("before", type=int),
        limit=PAGE_ROWS + 1,
    )
    found = artifacts.list_artifacts(site, who, asked)
    return show(
        "artifacts.html",
        who,
        artifacts=found[:PAGE_ROWS],
        older=found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None,
        asked=asked,
        periods=PERIODS,
    )


@blueprint.get("/artifacts/<int:artifact_id>")
@page("artifact.read")
def artifact_page(site: Site, who: Principal, artifact_id: int) -> Answer:
    found = artifacts.get_artifact(site, who, artifact_id)
    return show("artifact.html", who, artifact=found, preview=previews.preview(site, who, artifact_id))


@blueprint.get("/artifacts/<int:artifact_id>/file")
@page("artifact.read")
def artifact_file(site: Site, who: Principal, artifact_id: int) -> Answer:
    return _sent(site, who, artifact_id, "application/octet-stream", as_attachment=True)


@blueprint.get("/artifacts/<int:artifact_id>/image")
@page("artifact.read")
def artifact_image(site: Site, who: Principal, artifact_id: int) -> Answer:
    """A picture of a kind that can hold no program, as that kind whatever it is called."""
    found = artifacts.get_artifact(site, who, artifact_id)
    if not previews.is_shown_as_image(found):
        raise NotFound("this file is no picture that is shown", "download it")
    return _sent(site, who, artifact_id, found.media_type, as_attachment=False)


@blueprint.post("/artifacts/<int:artifact_id>/delete")
@page("artifact.delete")
def artifact_delete(site: Site, who: Principal, artifact_id: int) -> Answer:
    return act(lambda: artifacts.delete(site, who, artifact_id), "The file is deleted.", url_for("pages.artifact_list"))


def _sent(site: Site, who: Principal, artifact_id: int, media_type: str, *, as_attachment: bool) -> Response:
    found, path = artifacts.content(site, who, artifact_id)
    answer = send_file(
        path,
        mimetype=media_type,
        as_attachment=as_attachment,
        download_name=found.file_name,
        etag=found.sha256,
        max_age=0,
    )
    answer.headers.update(_LOCKED)
    return answer
