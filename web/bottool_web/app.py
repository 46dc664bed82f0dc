"""The Flask application of a site: the interfaces and pages together, and what holds for every answer.

The connections that stay open are not here but in the gateway, see ``asgi``.
"""

import logging
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from typing import IO, Any

import msgspec
import sqlalchemy as sa
from flask import Flask, Request, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge
from werkzeug.routing import IntegerConverter, UnicodeConverter

from bottool import wire
from bottool.errors import BottoolError, InvalidInput, NotFound, PluginError, Refused, TooBig
from bottool_web.actions.permissions import PERMISSIONS, PUBLIC
from bottool_web.actions.site import Site
from bottool_web.api import blueprint as api
from bottool_web.maestro import blueprint as maestro
from bottool_web.pages import blueprint as pages
from bottool_web.problems import MEDIA_TYPE, problem_of, retry_after

BODY_LIMIT_BYTES = 10 * 1024 * 1024
"""Of every request but uploads, which have the site's own limit."""
_OURS = ("/rest/v1", "/runner/v1")
_THEIRS = ("/api/", "/app/")
"""Also what lies beside the versions that are served: no client of Maestro reads a page."""
_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_log = logging.getLogger(__name__)


def create_app(site: Site) -> Flask:
    """:raises PluginError: when a route does not say which permission it needs."""
    app = Flask(__name__, static_folder=None)
    app.request_class = _request_class(site)
    app.wsgi_app = _Front(app.wsgi_app)  # type: ignore[method-assign]
    app.config.update(MAX_CONTENT_LENGTH=BODY_LIMIT_BYTES, MAX_FORM_MEMORY_SIZE=BODY_LIMIT_BYTES, MAX_FORM_PARTS=1000)
    app.url_map.converters |= {"int": _Id, "default": _Text, "string": _Text}
    api.install(app, site)
    maestro.install(app, site)
    pages.install(app, site)
    app.register_error_handler(BottoolError, _refused)
    app.register_error_handler(HTTPException, _refused_by_flask)
    # By its number too: pages have one of their own for theirs, which must not answer the interfaces.
    app.register_error_handler(404, _refused_by_flask)
    app.register_error_handler(sa.exc.DataError, _not_storable)
    app.register_error_handler(Exception, _failed)
    app.after_request(_protect)
    check_permissions(app)
    return app


def check_permissions(app: Flask) -> None:
    """Every view names a permission of the table, or says that it is public.

    :raises PluginError: naming the routes that do not; then the site must not start.
    """
    known = {PUBLIC, *PERMISSIONS}
    open_doors = sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "permission", "") not in known
    )
    if open_doors:
        raise PluginError(f"no known permission guards: {', '.join(open_doors)}", "guard the view, or mark it public")


def _request_class(site: Site) -> type[Request]:
    """Requests whose forms keep their files on the site's disk, not on the system's small one."""

    class SiteRequest(Request):
        def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
            return site.files.scratch()

        def get_data(self, *args: Any, **kwargs: Any) -> Any:
            """:raises RequestEntityTooLarge: also for a body in chunks, which would be cut off at the limit."""
            data = super().get_data(*args, **kwargs)
            self.stream.read(1)
            return data

    return SiteRequest


class _Id(IntegerConverter):
    """An id in an address; a number that can be none is an address that does not exist."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "max": 2**31 - 1})


class _Text(UnicodeConverter):
    """A name in an address; no database takes a NUL character, and no name has one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.regex = r"[^/\x00]{1,300}"


class _Front:
    """What is put right before Flask looks at a request.

    Maestro's clients join addresses carelessly: ``//api/v2`` means ``/api/v2``. And a body that comes in chunks has an
    end, although nobody told its length: the server in front sees to that.
    """

    def __init__(self, inner: Callable[..., Any]) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ.get("PATH_INFO", "")
        if path.startswith("//"):
            environ["PATH_INFO"] = re.sub("^/+", "/", path)
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").casefold():
            environ["wsgi.input_terminated"] = True
        return self._inner(environ, start_response)


def _refused(error: BottoolError) -> Response | tuple[str, int]:
    problem = problem_of(error)
    if request.path.startswith(_OURS):
        answer = Response(msgspec.json.encode(problem), status=problem.status, content_type=MEDIA_TYPE)
    elif request.path.startswith(_THEIRS):
        answer = jsonify(maestro.refusal(request.path, problem))
        answer.status_code = problem.status
    else:
        return _refused_page(problem)
    answer.headers.extend(retry_after(error))
    return answer


def _refused_page(problem: wire.Problem) -> Response | tuple[str, int]:
    try:
        return pages.error_page(problem.status, _sentence(problem.message), _sentence(problem.hint))
    except BottoolError:
        # Not even who is signed in can be found out.
        return Response(f"{problem.message}: {problem.hint}", status=problem.status, mimetype="text/plain")


def _refused_by_flask(error: HTTPException) -> Any:
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    answer = _refused(_as_ours(error))
    if isinstance(error, MethodNotAllowed) and isinstance(answer, Response):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return answer


def _as_ours(error: HTTPException) -> BottoolError:
    if error.code == HTTPStatus.NOT_FOUND:
        return NotFound("nothing is at this address", "look at its spelling")
    if isinstance(error, RequestEntityTooLarge):
        return TooBig("the request is larger than this site takes")
    made = Refused((error.description or error.name).rstrip(".").lower() if error.description else error.name)
    # The status of an instance: werkzeug knows more statuses than we have classes.
    made.http_status = error.code or made.http_status  # type: ignore[misc]
    return made


def _not_storable(error: sa.exc.DataError) -> Any:
    _log.info("a value could not be stored: %s", str(error.orig).splitlines()[0])
    return _refused(InvalidInput("a value cannot be stored", "look for control characters and for huge numbers"))


def _failed(error: Exception) -> Any:
    """A fault of ours: told in the log with its trace, to the caller only as a number to ask for."""
    number = secrets.token_hex(4)
    _log.error("fault %s in %s %s", number, request.method, request.path, exc_info=error)
    return _refused(BottoolError("the server made a mistake", f"its log tells more under '{number}'", fault=number))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _protect(answer: Response) -> Response:
    for name, value in _HEADERS.items():
        answer.headers.setdefault(name, value)
    if request.is_secure:
        answer.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "pages.asset_file":
        answer.headers["Cache-Control"] = "no-store"
    return answer
