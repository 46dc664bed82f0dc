"""The routes of /rest/v1 for credentials, and for who did what."""

from typing import Annotated

import msgspec

from bottool import wire
from bottool_web.actions import audits, credentials
from bottool_web.api.route import Call, Route
from bottool_web.api.special import PAGE_ROWS, Id, Limit


class AuditQuery(msgspec.Struct, kw_only=True, frozen=True):
    """``actor``, ``act`` and ``subject`` keep what begins so; ``before`` is a page's ``next``."""

    actor: Annotated[str, msgspec.Meta(max_length=200)] = ""
    act: Annotated[str, msgspec.Meta(max_length=200)] = ""
    subject: Annotated[str, msgspec.Meta(max_length=200)] = ""
    before: Id | None = None
    limit: Limit = PAGE_ROWS


def list_audit(_route: Route, call: Call) -> wire.Page:
    query: AuditQuery = call.query
    said = msgspec.structs.asdict(query) | {"limit": query.limit + 1}
    found = audits.list_audit(call.site, call.who, **said)
    more = len(found) > query.limit
    return wire.Page(items=found[: query.limit], next=str(found[query.limit - 1].id) if more else "")


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/credentials",
        summary="All credentials by label: keys, no values",
        action=credentials.list_credentials,
        answer=wire.Credential,
        many=True,
    ),
    Route(
        method="POST",
        path="/credentials",
        summary="Make a credential",
        action=credentials.create,
        body=wire.NewCredential,
        answer=wire.Credential,
        status=201,
    ),
    Route(
        method="GET",
        path="/credentials/<label>",
        summary="One credential: keys, no values",
        action=credentials.get_credential,
        answer=wire.Credential,
    ),
    Route(
        method="DELETE",
        path="/credentials/<label>",
        summary="Delete a credential and its values",
        action=credentials.delete,
        status=204,
    ),
    Route(
        method="PATCH",
        path="/credentials/<label>/secrets/<key>",
        summary="Set the value of a key, also of a new one",
        action=credentials.set_value,
        body=wire.SecretValue,
        answer=wire.Credential,
    ),
    Route(
        method="DELETE",
        path="/credentials/<label>/secrets/<key>",
        summary="Take a key away",
        action=credentials.remove_key,
        answer=wire.Credential,
    ),
    Route(
        method="POST",
        path="/credentials/<label>/secrets/<key>/reveal",
        summary="Read a value; that is written down",
        action=credentials.reveal,
        answer=wire.SecretValue,
    ),
    Route(
        method="GET",
        path="/audit",
        summary="Who did what, newest first",
        action=audits.list_audit,
        perform=list_audit,
        query=AuditQuery,
        answer=wire.AuditEntry,
        many=True,
    ),
)
