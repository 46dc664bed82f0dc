"""Logs and their entries. ``{log}`` is a label, or the id ``<workspace>-<label>``."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from flask import Response

from bottool import wire
from bottool.errors import InvalidInput
from bottool_web.actions import logs, workspaces
from bottool_web.actions.site import Site
from bottool_web.downloads import sent
from bottool_web.maestro import words
from bottool_web.maestro.calls import asked, blueprint, body, call, paging
from bottool_web.store.scope import Principal

SORTS = ("", "id", "date", "dateCreation")
"""All are the order in which they came."""


@blueprint.post("/log")
@call("log.change")
def create(site: Site, who: Principal) -> dict[str, Any]:
    """Python and JavaScript call the label ``activityLabel``, C# ``label``."""
    sent = body()
    new = wire.NewLog(
        label=words.text_in(sent.get("label") or sent.get("activityLabel"), "activityLabel"),
        columns=columns_in(sent.get("columns")),
        repository=words.text_in(sent.get("repositoryLabel"), "repositoryLabel") or "DEFAULT",
    )
    return log_out(logs.create(site, who, new), workspace=workspaces.label(site, who))


def columns_in(value: Any) -> list[wire.LogColumn]:
    """:raises InvalidInput: for what is no list of columns."""
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise InvalidInput("'columns' is no list of columns", "send objects with name, label and width", path="columns")
    return [_column_in(each) for each in value]


def _column_in(sent: dict[str, Any]) -> wire.LogColumn:
    name = words.text_in(sent.get("name"), "name")
    width = sent.get("width")
    return wire.LogColumn(
        label=words.text_in(sent.get("label"), "label") or name,
        name=name,
        width=100 if width is None else words.count_in(width, "width") or 0,
        visible=words.flag_in(sent.get("visible", True), "visible"),
    )


@blueprint.get("/log")
@call("log.read")
def list_logs(site: Site, who: Principal) -> list[dict[str, Any]]:
    label = workspaces.label(site, who)
    return [log_out(each, workspace=label) for each in logs.list_logs(site, who)]


@blueprint.get("/log/<log>")
@call("log.read")
def get(site: Site, who: Principal, log: str) -> dict[str, Any]:
    return log_out(logs.get_log(site, who, log), workspace=workspaces.label(site, who))


@blueprint.delete("/log/<log>")
@call("log.delete")
def delete(site: Site, who: Principal, log: str) -> dict[str, Any]:
    logs.delete(site, who, log)
    return {"message": f"the log '{log}' is deleted", "type": "success"}


@blueprint.post("/log/<log>/entry")
@call("log.write")
def add_entry(site: Site, who: Principal, log: str) -> dict[str, Any]:
    made = logs.add_entry(site, who, log, wire.NewLogEntry(values=body()))
    return {"message": "the entry is written", "type": "success", "id": made.id}


@blueprint.get("/log/<log>/entry-list")
@call("log.read")
def entry_list(site: Site, who: Principal, log: str) -> Response:
    """All entries of the last ``days``, or all: a bare array, however long."""
    found = logs.get_log(site, who, log)
    rows = logs.every_entry(site, who, log, logs.Asked(days=_days()))
    return sent(site, entries_out(found, rows), "application/json")


@blueprint.get("/log/<log>/entry")
@call("log.read")
def entry_page(site: Site, who: Principal, log: str) -> dict[str, Any]:
    page = paging()
    if page.sort not in SORTS:
        raise InvalidInput(f"'{page.sort}' is nothing to sort by", "there are: id, date, dateCreation", path="sort")
    wanted = logs.Asked(days=_days(), first=page.first, limit=page.size, descending=page.descending or not page.sort)
    found = logs.get_log(site, who, log)
    rows, total = logs.page_of_entries(site, who, log, wanted)
    content = [entry_out(found, each) for each in rows]
    return words.page_out(content, number=page.number, size=page.size, total=total, ordered=bool(page.sort))


@blueprint.get("/log/<log>/export")
@call("log.read")
def export(site: Site, who: Principal, log: str) -> Response:
    form = (asked("format") or "csv").casefold()
    if form not in {"csv", "json"}:
        raise InvalidInput(f"'format' is '{words.shown(form)}'", "there are csv and json", path="format")
    pieces = logs.exported(site, who, log, logs.Asked(days=_days()), form="csv" if form == "csv" else "json")
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    answer = sent(site, pieces, kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="log.{form}"'
    return answer


@blueprint.get("/log/<log>/csv")
@call("log.read")
def old_csv(site: Site, who: Principal, log: str) -> Response:
    return sent(site, logs.exported(site, who, log, logs.Asked(days=_days())), "text/csv; charset=utf-8")


def entries_out(found: wire.Log, rows: Iterable[wire.LogEntry]) -> Iterator[bytes]:
    """A JSON array, in pieces."""
    lead = b"["
    for row in rows:
        yield lead + json.dumps(entry_out(found, row)).encode("ascii")
        lead = b","
    yield b"[]" if lead == b"[" else b"]"


def entry_out(found: wire.Log, entry: wire.LogEntry) -> dict[str, Any]:
    """Every column of the log is in it: clients look each one up."""
    return {"columns": logs.complete(found, entry), "dateCreation": words.date_out(entry.at)}


def log_out(log: wire.Log, *, workspace: str) -> dict[str, Any]:
    return {
        "id": f"{workspace}-{log.label}",
        "organizationLabel": workspace,
        "label": log.label,
        "activityLabel": log.label,
        "dateCreation": words.date_out(log.created_at),
        "columns": [
            {"name": each.name or each.label, "label": each.label, "width": each.width, "visible": each.visible}
            for each in log.columns
        ],
        "repositoryLabel": log.repository,
    }


def _days() -> int | None:
    said = asked("days")
    return words.count_in(said, "days") if said else None
