"""Error reports with screenshot and attachments."""

from typing import Any

from flask import Response, jsonify, request

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import errors, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, body, call, file_part, paging
from bottool_web.store.scope import Principal

SORTS = ("id", "dateCreation", "date")
"""All are the order in which they came."""


@blueprint.post("/error")
@call("error.create")
def create(site: Site, who: Principal) -> Response:
    """The Python SDK takes 201 alone for an answer."""
    sent = body()
    task_id = words.count_in(sent.get("taskId"), "taskId")
    if task_id is None:
        raise InvalidInput("'taskId' is missing", "an error belongs to a task", path="taskId")
    new = wire.NewErrorReport(
        task_id=task_id,
        type=words.text_in(sent.get("type"), "type"),
        message=words.text_in(sent.get("message"), "message"),
        stack_trace=words.text_in(sent.get("stackTrace"), "stackTrace"),
        language=words.text_in(sent.get("language"), "language"),
        tags=_tags_in(sent.get("tags")),
    )
    made = errors.create(site, who, new)
    answer = jsonify(error_out(made, workspace=workspaces.label(site, who), workspace_id=who.workspace_id))
    answer.status_code = 201
    return answer


@blueprint.post("/error/<int:error_id>/screenshot")
@call("error.create")
def screenshot(site: Site, who: Principal, error_id: int) -> dict[str, Any]:
    """Sent again, it takes the place of what was there."""
    site.files.check_room(request.content_length or 0)
    file = file_part(errors.file_limit(site))
    return file_out(errors.set_screenshot(site, who, error_id, file.name, file.pieces))


@blueprint.post("/error/<int:error_id>/attachments")
@call("error.create")
def attach(site: Site, who: Principal, error_id: int) -> dict[str, Any]:
    """One file for each request."""
    site.files.check_room(request.content_length or 0)
    file = file_part(errors.file_limit(site))
    return file_out(errors.attach(site, who, error_id, file.name, file.pieces))


@blueprint.get("/error")
@call("error.read")
def list_errors(site: Site, who: Principal) -> dict[str, Any]:
    """Newest first; ``days``, ``taskId`` and ``automationLabel`` (which one client spells large) narrow."""
    page, days, task_id = paging(), asked("days"), asked("taskId")
    if page.sort and page.sort not in SORTS:
        raise InvalidInput(f"'{page.sort}' is nothing to sort by", f"there are: {', '.join(SORTS)}", path="sort")
    found, total = errors.page_of_errors(
        site,
        who,
        errors.Asked(
            task_id=words.count_in(task_id or None, "taskId"),
            automation=asked("automationLabel") or asked("AutomationLabel"),
            days=words.count_in(days or None, "days"),
            first=page.first,
            limit=page.size,
            descending=page.descending or not page.sort,
        ),
    )
    label = workspaces.label(site, who)
    rows = [error_out(each, workspace=label, workspace_id=who.workspace_id) for each in found]
    return words.page_out(rows, number=page.number, size=page.size, total=total, ordered=bool(page.sort))


@blueprint.get("/error/<int:error_id>")
@call("error.read")
def get(site: Site, who: Principal, error_id: int) -> dict[str, Any]:
    found = errors.get_error(site, who, error_id)
    screens = [file_out(file) for file in found.files if file.kind == "screenshot"]
    return {
        **error_out(found, workspace=workspaces.label(site, who), workspace_id=who.workspace_id),
        "stackTrace": found.stack_trace,
        "screenshot": screens[0] if screens else None,
        "attachments": [file_out(file) for file in found.files if file.kind == "attachment"],
    }


def error_out(report: wire.ErrorReport, *, workspace: str, workspace_id: int) -> dict[str, Any]:
    """A report without its stack trace, which only one that is asked for by its id shows."""
    return {
        "id": report.id,
        "taskId": report.task_id,
        "activityLabel": report.automation,
        "activityName": report.automation_name or report.automation,
        "automationLabel": report.automation,
        "botId": report.bot_id,
        "botVersion": report.version,
        "type": report.type,
        "message": report.message,
        "language": report.language.upper(),
        "tags": report.tags,
        "organizationId": workspace_id,
        "organizationLabel": workspace,
        "repositoryLabel": report.repository,
        "dateCreation": words.date_out(report.at),
    }


def file_out(file: wire.ErrorFile) -> dict[str, Any]:
    return {
        "id": file.id,
        "fileName": file.name,
        "fileSize": file.size_bytes,
        "type": file.kind.upper(),
        "dateCreation": words.date_out(file.at),
    }


def _tags_in(value: Any) -> dict[str, str]:
    """Texts by their names; ``None`` is none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput("'tags' is no object", "send an object of texts", path="tags")
    return {key: words.text_in(each, "tags") for key, each in value.items()}
