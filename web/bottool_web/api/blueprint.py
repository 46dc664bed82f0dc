"""The table of routes as a Flask blueprint: parse, one action, present. Tokens come in a header, never in a cookie."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, Flask, Response, request

from bottool import wire
from bottool.errors import BadJson, Refused, Unauthorized
from bottool_web.actions import identity
from bottool_web.actions.permissions import PUBLIC
from bottool_web.actions.site import Site
from bottool_web.api.bodies import read_body, read_query
from bottool_web.api.openapi import describe
from bottool_web.api.route import Call, Route
from bottool_web.api.routes import ROUTES
from bottool_web.store.scope import Principal

PREFIX = "/rest/v1"


def install(app: Flask, site: Site) -> None:
    """Put /rest/v1 into ``app``; called once, when the application is made."""
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    for route in ROUTES:
        blueprint.add_url_rule(
            route.path, endpoint=route.endpoint, view_func=_view(site, route), methods=[route.method]
        )
    document = msgspec.json.encode(describe(ROUTES, PREFIX))

    def openapi() -> Response:
        return Response(document, mimetype="application/json")

    openapi.permission = PUBLIC  # type: ignore[attr-defined]
    blueprint.add_url_rule("/openapi.json", view_func=openapi)
    blueprint.before_request(_check_protocol)
    blueprint.after_request(_say_protocol)
    app.register_blueprint(blueprint)


def _view(site: Site, route: Route) -> Callable[..., Response]:
    def view(**path: Any) -> Response:
        call = Call(
            site=site,
            signed_in=None if route.permission == PUBLIC else _signed_in(site),
            path=path,
            query=read_query(request.args.to_dict(flat=False), route.query or msgspec.Struct),
            body=read_body(_json(), route.body) if route.body is not None else None,
            idempotency_key=request.headers.get(wire.IDEMPOTENCY_HEADER, ""),
            request=request._get_current_object(),  # type: ignore[attr-defined]  # noqa: SLF001  # werkzeug's own way
        )
        return _answer(route, route.perform(route, call))

    view.permission = route.permission  # type: ignore[attr-defined]
    return view


def _signed_in(site: Site) -> Principal:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.casefold() != "bearer" or not token:
        raise Unauthorized("a token is missing", "send it as 'Authorization: Bearer TOKEN'")
    return identity.principal_of_token(site, token.strip())


def _json() -> bytes:
    if request.mimetype != "application/json":
        raise BadJson(f"the body is '{request.mimetype or 'of no type'}'", "send application/json")
    return request.get_data(cache=False)


def _answer(route: Route, made: Any) -> Response:
    if isinstance(made, Response):
        return made
    if route.answer is None:
        return Response(status=route.status)
    if route.many and not isinstance(made, wire.Page):
        made = wire.Page(items=made)
    return Response(msgspec.json.encode(made), status=route.status, mimetype="application/json")


def _check_protocol() -> None:
    said = request.headers.get(wire.PROTOCOL_HEADER, "")
    if said and said not in {str(wire.PROTOCOL), str(wire.PROTOCOL - 1)}:
        raise Refused(
            f"you speak protocol '{said[:20]}', this server {wire.PROTOCOL}",
            "use the same version of bottool on both sides",
        )


def _say_protocol(answer: Response) -> Response:
    answer.headers[wire.PROTOCOL_HEADER] = str(wire.PROTOCOL)
    return answer
