"""The OpenAPI 3.1 document of /rest/v1, made from the table of routes and the structs themselves."""

import inspect
import re
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

import msgspec

from bottool import wire
from bottool_web.actions.permissions import PUBLIC
from bottool_web.api.route import Route
from bottool_web.problems import MEDIA_TYPE

_PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")
_REFERENCE = "#/components/schemas/{name}"


def describe(routes: Iterable[Route], prefix: str) -> dict[str, Any]:
    """The whole document, as JSON values."""
    routes = list(routes)
    structs = {kind for route in routes for kind in (route.body, route.answer) if kind is not None} | {wire.Problem}
    named = sorted(structs, key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(named, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = prefix + _PARAMETER.sub(r"{\2}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "bottool", "version": version("bottool-web")},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.endpoint,
        "summary": route.summary,
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_headers(route)],
        "responses": {str(route.status): _answer(route), "default": _problem()},
        "x-permission": route.permission,
    }
    if route.permission == PUBLIC:
        operation["security"] = []
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(route.body)}
    elif route.method == "PUT":
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "integer" if kind == "int" else "string"}}
        for kind, name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    _, components = msgspec.json.schema_components([route.query], ref_template=_REFERENCE)
    fields = components[route.query.__name__]["properties"]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]


def _headers(route: Route) -> list[dict[str, Any]]:
    names = [wire.IDEMPOTENCY_HEADER] if route.keyed else []
    if route.method == "PUT":
        names.append(wire.FILE_NAME_HEADER)
    return [{"name": name, "in": "header", "schema": {"type": "string"}} for name in names]


def _answer(route: Route) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": inspect.getdoc(route.action) or route.summary}
    if route.answer is not None:
        answer["content"] = _page_content(route.answer) if route.many else _content(route.answer)
    elif route.media_type != "application/json":
        answer["content"] = {kind: {} for kind in route.media_type.split(", ")}
    return answer


def _content(kind: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}


def _page_content(kind: type[msgspec.Struct]) -> dict[str, Any]:
    items = {"type": "array", "items": {"$ref": _REFERENCE.format(name=kind.__name__)}}
    schema = {"type": "object", "required": ["items"], "properties": {"items": items, "next": {"type": "string"}}}
    return {"application/json": {"schema": schema}}


def _problem() -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name="Problem")}
    return {"description": "What is wrong, and what to do", "content": {MEDIA_TYPE: {"schema": schema}}}
