"""The routes of /rest/v1 for messages and what became of them."""

from typing import Annotated, Any, Literal

import msgspec

from bottool import wire
from bottool_web.actions import channels, messages
from bottool_web.api.route import Call, Route

PAGE_ROWS = 50
MOST_ROWS = 500
Id = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)]


class MessageQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``state`` is of at least one delivery; ``search`` looks into subjects, texts and addresses of the newest."""

    task_id: Id | None = None
    kind: Literal["", "message", "alert", "task", "test"] = ""
    state: Literal["", "waiting", "sent", "failed"] = ""
    search: str = ""
    days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] | None = None
    before: Id | None = None
    limit: Limit = PAGE_ROWS


def _paged(route: Route, call: Call) -> wire.Page:
    """One row more than asked for tells whether there is a next page."""
    said = msgspec.structs.asdict(call.query)
    limit = said.pop("limit")
    found: list[Any] = route.action(call.site, call.who, **said, limit=limit + 1)
    return wire.Page(items=found[:limit], next=str(found[limit - 1].id) if len(found) > limit else "")


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/messages",
        summary="Messages and what became of them, newest first",
        action=messages.list_messages,
        perform=_paged,
        query=MessageQuery,
        answer=wire.SentMessage,
        many=True,
    ),
    Route(
        method="POST",
        path="/messages",
        summary="Send a message",
        action=messages.send,
        body=wire.NewMessage,
        answer=wire.SentMessage,
        keyed=True,
        status=201,
    ),
    Route(
        method="GET",
        path="/messages/<int:message_id>",
        summary="One message",
        action=messages.get_message,
        answer=wire.SentMessage,
    ),
    Route(
        method="POST",
        path="/deliveries/<int:delivery_id>/resend",
        summary="Send a delivery that is over once more",
        action=messages.resend,
        answer=wire.SentMessage,
    ),
    # Channels of chat services.
    Route(
        method="GET",
        path="/channels",
        summary="Channels of chat services by label, without their addresses",
        action=channels.list_channels,
        answer=wire.Channel,
        many=True,
    ),
    Route(
        method="POST",
        path="/channels",
        summary="Set a channel up",
        action=channels.create,
        body=wire.NewChannel,
        answer=wire.Channel,
        status=201,
    ),
    Route(
        method="DELETE",
        path="/channels/<channel>",
        summary="Forget a channel and its address",
        action=channels.delete,
        status=204,
    ),
    Route(
        method="POST",
        path="/channels/<channel>/test",
        summary="Send a short message to a channel",
        action=channels.send_test,
        answer=wire.SentMessage,
    ),
)
