"""One route of /rest/v1 as a value, and one call of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from flask import Request

from bottool.errors import Unauthorized
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was understood. ``signed_in`` is ``None`` on public routes only."""

    site: Site
    signed_in: Principal | None
    path: dict[str, Any]
    query: Any
    body: Any
    idempotency_key: str
    request: Request

    @property
    def who(self) -> Principal:
        if self.signed_in is None:
            raise Unauthorized("a token is missing", "sign in first")
        return self.signed_in

    @property
    def address(self) -> str:
        return self.request.remote_addr or ""


def _ordinary(route: "Route", call: Call) -> Any:
    """Call the action with what the path, the body and the query say, in this order."""
    said = msgspec.structs.asdict(call.query) if route.query is not None else {}
    if route.keyed:
        said["idempotency_key"] = call.idempotency_key
    bodies = [call.body] if route.body is not None else []
    return route.action(call.site, call.who, *call.path.values(), *bodies, **said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """``path`` is Flask's, below ``/rest/v1``. ``action`` carries the permission.

    ``answer`` is the struct that comes back; with ``many`` a ``wire.Page`` of them; ``None`` for an empty answer, or
    for one that ``perform`` makes as a whole response. ``perform`` is for routes that are not simply their action.
    """

    method: str
    path: str
    summary: str
    action: Callable[..., Any]
    answer: type[msgspec.Struct] | None = None
    many: bool = False
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    keyed: bool = False
    status: int = 200
    perform: Callable[["Route", Call], Any] = _ordinary
    media_type: str = "application/json"
    """Of the answer; several with a comma and a blank between them."""

    @property
    def permission(self) -> str:
        permission: str = self.action.permission  # type: ignore[attr-defined]
        return permission

    @property
    def endpoint(self) -> str:
        """A name that is unique among the routes: the action's module and name, and the method."""
        return f"{self.action.__module__.rsplit('.', 1)[-1]}-{self.action.__name__}-{self.method.lower()}"
