"""The routes of /rest/v1 for data pools."""

from typing import Literal

import msgspec
from flask import Response

from bottool import wire
from bottool_web.actions import pool_bulk, pool_work, pools
from bottool_web.api.artifact_routes import pieces_of
from bottool_web.api.route import Call, Route
from bottool_web.api.special import PAGE_ROWS, Id, Limit
from bottool_web.downloads import sent


class PoolQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``search`` is a part of a label or a name; ``before`` is a page's ``next``."""

    search: str = ""
    before: Id | None = None
    limit: Limit = PAGE_ROWS


class EntryFilter(msgspec.Struct, kw_only=True, frozen=True):
    """``search`` looks into keys, values and messages of the newest entries."""

    state: wire.EntryState | Literal[""] = ""
    search: str = ""


class PoolEntryQuery(EntryFilter, kw_only=True, frozen=True):
    """``before`` is a page's ``next``."""

    before: Id | None = None
    limit: Limit = PAGE_ROWS


class PoolExportQuery(EntryFilter, kw_only=True, frozen=True):
    """``;`` is what Excel reads where numbers have a comma."""

    separator: Literal[",", ";"] = ","


def list_pools(_route: Route, call: Call) -> wire.Page:
    query: PoolQuery = call.query
    found = pools.list_pools(call.site, call.who, search=query.search, before=query.before, limit=query.limit + 1)
    more = len(found) > query.limit
    return wire.Page(items=found[: query.limit], next=str(found[query.limit - 1].id) if more else "")


def list_entries(_route: Route, call: Call) -> wire.Page:
    query: PoolEntryQuery = call.query
    asked = pool_work.Asked(state=query.state, search=query.search, before=query.before, limit=query.limit + 1)
    found = pool_work.list_entries(call.site, call.who, call.path["label"], asked)
    more = len(found) > query.limit
    return wire.Page(items=found[: query.limit], next=str(found[query.limit - 1].id) if more else "")


def import_csv(_route: Route, call: Call) -> wire.Imported:
    """The body is the table itself."""
    pieces = pieces_of(call, pool_bulk.MOST_BYTES)
    label, key = call.path["label"], call.idempotency_key
    return pool_bulk.import_csv(call.site, call.who, label, pieces, idempotency_key=key)


def export(_route: Route, call: Call) -> Response:
    query: PoolExportQuery = call.query
    asked = pool_work.Asked(state=query.state, search=query.search)
    label = call.path["label"]
    pieces = pool_bulk.exported(call.site, call.who, label, asked, separator=query.separator)
    return sent(call.site, pieces, "text/csv", f"{label}.csv")


_ONE = "/pools/<label>"
_ENTRY = f"{_ONE}/entries/<int:entry_id>"

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/pools",
        summary="Data pools, newest first",
        action=pools.list_pools,
        perform=list_pools,
        query=PoolQuery,
        answer=wire.Pool,
        many=True,
    ),
    Route(
        method="POST",
        path="/pools",
        summary="Make a data pool",
        action=pools.create,
        body=wire.NewPool,
        answer=wire.Pool,
        keyed=True,
        status=201,
    ),
    Route(method="GET", path=_ONE, summary="One data pool with its counts", action=pools.get_pool, answer=wire.Pool),
    Route(
        method="PATCH",
        path=_ONE,
        summary="Change a data pool, switch it on or off",
        action=pools.change,
        body=wire.PoolChange,
        answer=wire.Pool,
    ),
    Route(
        method="DELETE",
        path=_ONE,
        summary="Delete a data pool and its entries",
        action=pools.delete,
        status=204,
    ),
    Route(
        method="GET",
        path=f"{_ONE}/entries",
        summary="Entries of a data pool, newest first",
        action=pool_work.list_entries,
        perform=list_entries,
        query=PoolEntryQuery,
        answer=wire.PoolEntry,
        many=True,
    ),
    Route(
        method="POST",
        path=f"{_ONE}/entries",
        summary="Put an entry into a data pool",
        action=pool_work.push,
        body=wire.NewEntry,
        answer=wire.PoolEntry,
        keyed=True,
        status=201,
    ),
    Route(
        method="POST",
        path=f"{_ONE}/pull",
        summary="Take the next entry of a data pool, which nobody else gets",
        action=pool_work.pull,
        answer=wire.Pulled,
        keyed=True,
    ),
    Route(
        method="POST",
        path=f"{_ONE}/change",
        summary="Cancel, retry, delete or reorder all entries that match",
        action=pool_bulk.change_entries,
        body=wire.EntriesChange,
        answer=wire.EntriesChanged,
    ),
    Route(
        method="PUT",
        path=f"{_ONE}/import",
        summary="Put the lines of a CSV table into a data pool",
        action=pool_bulk.import_csv,
        perform=import_csv,
        keyed=True,
        answer=wire.Imported,
        status=201,
    ),
    Route(
        method="GET",
        path=f"{_ONE}/export",
        summary="Entries of a data pool as a CSV table",
        action=pool_bulk.exported,
        perform=export,
        query=PoolExportQuery,
        media_type="text/csv",
    ),
    Route(method="GET", path=_ENTRY, summary="One entry", action=pool_work.get_entry, answer=wire.PoolEntry),
    Route(
        method="PATCH",
        path=_ENTRY,
        summary="Report on an entry",
        action=pool_work.change_entry,
        body=wire.EntryChange,
        answer=wire.PoolEntry,
    ),
    Route(method="DELETE", path=_ENTRY, summary="Delete an entry", action=pool_work.delete_entry, status=204),
    Route(
        method="POST",
        path=f"{_ENTRY}/cancel",
        summary="Cancel an entry that waits",
        action=pool_work.cancel_entry,
        body=wire.EntryCancel,
        answer=wire.PoolEntry,
    ),
    Route(
        method="GET",
        path=f"{_ENTRY}/moves",
        summary="What happened to an entry",
        action=pool_work.moves_of,
        answer=wire.PoolMove,
        many=True,
    ),
)
