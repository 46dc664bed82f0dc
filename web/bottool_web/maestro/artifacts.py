"""Result files: announce, upload, list, download."""

from typing import Any

from flask import Response, request, send_file

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import artifacts, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, body, call, file_part, paging
from bottool_web.store.scope import Principal

DAYS = 7
_SORTS = {
    "id": "id",
    "dateCreation": "id",
    "name": "name",
    "fileName": "file_name",
    "taskId": "task_id",
}


@blueprint.post("/artifact")
@call("artifact.create")
def create(site: Site, who: Principal) -> dict[str, Any]:
    """``filename`` may be a whole path of the sender's machine; its last part counts."""
    sent = body()
    task_id = words.count_in(sent.get("taskId"), "taskId")
    if task_id is None:
        raise InvalidInput("'taskId' is missing", "a result file belongs to a task", path="taskId")
    new = wire.NewArtifact(
        task_id=task_id,
        name=words.text_in(sent.get("name"), "name"),
        file_name=words.text_in(sent.get("filename"), "filename"),
    )
    return _out(site, who, artifacts.create(site, who, new))


@blueprint.post("/artifact/log/<int:artifact_id>")
@call("artifact.create")
def upload(site: Site, who: Principal, artifact_id: int) -> dict[str, Any]:
    """Sent again, it takes the place of what was there; broken off, it leaves that."""
    site.files.check_room(request.content_length or 0)
    file = file_part(site.settings.artifact_limit_bytes)
    return _out(site, who, artifacts.upload(site, who, artifact_id, file.pieces))


@blueprint.get("/artifact")
@call("artifact.read")
def list_artifacts(site: Site, who: Principal) -> dict[str, Any]:
    """Newest first unless ``sort`` says otherwise; of the last ``days``, of one task or of all."""
    page = paging()
    if page.sort and page.sort not in _SORTS:
        raise InvalidInput(f"'{page.sort}' is nothing to sort by", f"there are: {', '.join(_SORTS)}", path="sort")
    days = words.count_in(asked("days") or None, "days")
    found, total = artifacts.page_of_artifacts(
        site,
        who,
        artifacts.Asked(
            task_id=words.count_in(asked("taskId") or None, "taskId"),
            days=DAYS if days is None else days,
            first=page.first,
            limit=page.size,
            sort=_SORTS[page.sort or "id"],
            descending=page.descending or not page.sort,
        ),
    )
    label = workspaces.label(site, who)
    rows = [artifact_out(each, workspace=label, workspace_id=who.workspace_id) for each in found]
    return words.page_out(rows, number=page.number, size=page.size, total=total, ordered=bool(page.sort))


@blueprint.get("/artifact/<int:artifact_id>")
@call("artifact.read")
def get(site: Site, who: Principal, artifact_id: int) -> dict[str, Any]:
    return _out(site, who, artifacts.get_artifact(site, who, artifact_id))


@blueprint.get("/artifact/<int:artifact_id>/file")
@call("artifact.read")
def download(site: Site, who: Principal, artifact_id: int) -> Response:
    found, path = artifacts.content(site, who, artifact_id)
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


def artifact_out(artifact: wire.Artifact, *, workspace: str, workspace_id: int) -> dict[str, Any]:
    return {
        "id": artifact.id,
        "type": "LOG",
        "taskId": artifact.task_id,
        "taskName": artifact.automation_name or artifact.automation,
        "activityLabel": artifact.automation,
        "name": artifact.name,
        "fileName": artifact.file_name,
        "storageFileName": artifact.sha256,
        "storageFilePath": "",
        "fileSize": artifact.size_bytes,
        "checksum": artifact.sha256 or None,
        "organizationId": workspace_id,
        "organizationLabel": workspace,
        "repositoryLabel": artifact.repository,
        "userId": 0,
        "user": None,
        "dateCreation": words.date_out(artifact.created_at),
    }


def _out(site: Site, who: Principal, artifact: wire.Artifact) -> dict[str, Any]:
    return artifact_out(artifact, workspace=workspaces.label(site, who), workspace_id=who.workspace_id)
