"""The routes of /rest/v1 for logs."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from flask import Response

from bottool import wire
from bottool_web.actions import logs
from bottool_web.api.route import Call, Route
from bottool_web.api.special import PAGE_ROWS, Id, Limit
from bottool_web.downloads import sent


class Period(msgspec.Struct, kw_only=True, frozen=True):
    """``days`` counts back from now; ``since`` and ``until`` are moments with a zone."""

    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    since: datetime | None = None
    until: datetime | None = None


class EntryQuery(Period, kw_only=True, frozen=True):
    """``search`` looks into the newest entries of the period; ``before`` is a page's ``next``."""

    search: str = ""
    before: Id | None = None
    limit: Limit = PAGE_ROWS


class ExportQuery(Period, kw_only=True, frozen=True):
    """``separator`` is of CSV: ``;`` is what Excel reads where numbers have a comma."""

    format: Literal["csv", "json"] = "csv"
    separator: Literal[",", ";"] = ","


def list_entries(_route: Route, call: Call) -> wire.Page:
    query: EntryQuery = call.query
    asked = logs.Asked(**msgspec.structs.asdict(query) | {"limit": query.limit + 1})
    found = logs.list_entries(call.site, call.who, call.path["label"], asked)
    more = len(found) > query.limit
    return wire.Page(items=found[: query.limit], next=str(found[query.limit - 1].id) if more else "")


def export(_route: Route, call: Call) -> Response:
    query: ExportQuery = call.query
    asked = logs.Asked(days=query.days, since=query.since, until=query.until)
    label = call.path["label"]
    pieces = logs.exported(call.site, call.who, label, asked, form=query.format, separator=query.separator)
    kind = "text/csv" if query.format == "csv" else "application/json"
    return sent(call.site, pieces, kind, f"{label}.{query.format}")


ROUTES: tuple[Route, ...] = (
    Route(method="GET", path="/logs", summary="All logs by label", action=logs.list_logs, answer=wire.Log, many=True),
    Route(
        method="POST",
        path="/logs",
        summary="Make a log",
        action=logs.create,
        body=wire.NewLog,
        answer=wire.Log,
        keyed=True,
        status=201,
    ),
    Route(method="GET", path="/logs/<label>", summary="One log", action=logs.get_log, answer=wire.Log),
    Route(
        method="PATCH",
        path="/logs/<label>",
        summary="Give a log other columns",
        action=logs.change,
        body=wire.LogChange,
        answer=wire.Log,
    ),
    Route(
        method="DELETE",
        path="/logs/<label>",
        summary="Delete a log and its entries",
        action=logs.delete,
        status=204,
    ),
    Route(
        method="GET",
        path="/logs/<label>/entries",
        summary="Entries of a log, newest first",
        action=logs.list_entries,
        perform=list_entries,
        query=EntryQuery,
        answer=wire.LogEntry,
        many=True,
    ),
    Route(
        method="POST",
        path="/logs/<label>/entries",
        summary="Write an entry into a log",
        action=logs.add_entry,
        body=wire.NewLogEntry,
        answer=wire.LogEntry,
        keyed=True,
        status=201,
    ),
    Route(
        method="GET",
        path="/logs/<label>/export",
        summary="The entries of a log as a file",
        action=logs.exported,
        perform=export,
        query=ExportQuery,
        media_type="text/csv, application/json",
    ),
)
