"""The routes of /rest/v1 for schedules. A schedule is named by its label or its id."""

from typing import Annotated, Any, Literal

import msgspec

from bottool import wire
from bottool_web.actions import schedules
from bottool_web.api.route import Call, Route

PAGE_ROWS = 50
MOST_ROWS = 500
Id = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]


class ScheduleQuery(msgspec.Struct, kw_only=True, frozen=True):
    """Filters narrow; ``search`` looks into labels, descriptions, expressions and names of automations."""

    automation: str = ""
    search: str = ""
    state: Literal["", "active", "paused", "over"] = ""
    before: Id | None = None
    limit: Limit = PAGE_ROWS


class RunQuery(msgspec.Struct, kw_only=True, frozen=True):
    before: Id | None = None
    limit: Limit = PAGE_ROWS


def _paged(route: Route, call: Call) -> wire.Page:
    """One row more than asked for tells whether there is a next page."""
    said = msgspec.structs.asdict(call.query)
    limit = said.pop("limit")
    found: list[Any] = route.action(call.site, call.who, *call.path.values(), **said, limit=limit + 1)
    return wire.Page(items=found[:limit], next=str(found[limit - 1].id) if len(found) > limit else "")


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/schedules",
        summary="Schedules, newest first",
        action=schedules.list_schedules,
        perform=_paged,
        query=ScheduleQuery,
        answer=wire.Schedule,
        many=True,
    ),
    Route(
        method="POST",
        path="/schedules",
        summary="Let an automation run by itself",
        action=schedules.create,
        body=wire.NewSchedule,
        answer=wire.Schedule,
        keyed=True,
        status=201,
    ),
    Route(
        method="POST",
        path="/schedule-preview",
        summary="What an expression means, and when it would be due",
        action=schedules.preview,
        body=wire.Wish,
        answer=wire.Preview,
    ),
    Route(
        method="GET",
        path="/schedules/<schedule>",
        summary="One schedule",
        action=schedules.get_schedule,
        answer=wire.Schedule,
    ),
    Route(
        method="PATCH",
        path="/schedules/<schedule>",
        summary="Change what is sent and nothing else",
        action=schedules.change,
        body=wire.ScheduleChange,
        answer=wire.Schedule,
    ),
    Route(
        method="DELETE",
        path="/schedules/<schedule>",
        summary="Take a schedule out of use; its tasks are kept",
        action=schedules.delete,
        status=204,
    ),
    Route(
        method="POST",
        path="/schedules/<schedule>/pause",
        summary="Let it not fire until it is resumed",
        action=schedules.pause,
        answer=wire.Schedule,
    ),
    Route(
        method="POST",
        path="/schedules/<schedule>/resume",
        summary="Let it fire again",
        action=schedules.resume,
        answer=wire.Schedule,
    ),
    Route(
        method="POST",
        path="/schedules/<schedule>/run",
        summary="Make a task of it now, beside its due times",
        action=schedules.run_now,
        answer=wire.Task,
        keyed=True,
        status=201,
    ),
    Route(
        method="GET",
        path="/schedules/<schedule>/runs",
        summary="What came of its due times, newest first",
        action=schedules.list_runs,
        perform=_paged,
        query=RunQuery,
        answer=wire.ScheduleRun,
        many=True,
    ),
)
