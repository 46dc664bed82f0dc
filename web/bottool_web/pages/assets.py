"""Style sheets, scripts and pictures: the same for everybody, kept by browsers for as long as they do not change."""

import functools
import hashlib
from pathlib import Path

from flask import request, send_from_directory, url_for
from werkzeug.wrappers import Response

from bottool_web.pages.frame import blueprint, public

STATIC = Path(__file__).parent.parent / "static"
YEAR_SECONDS = 365 * 24 * 3600


@blueprint.get("/static/<path:name>")
@public
def asset_file(name: str) -> Response:
    # The address carries the content's hash, so what a browser has kept is never out of date.
    return send_from_directory(STATIC, name, max_age=YEAR_SECONDS if "v" in request.args else 0)


@functools.cache
def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file in ``static``, with its content's hash."""
    return url_for("pages.asset_file", name=name, v=_version(name))
