"""What all pages share: who is signed in, the guard in front of every view, words, errors as pages.

Pages need a session cookie; forms carry a CSRF token. Every page works as a plain page load; live regions ask for
themselves again when the server hints that something changed.
"""

import functools
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bottool.errors import BottoolError, Forbidden, Unauthorized
from bottool_web.actions import identity
from bottool_web.actions.permissions import PUBLIC, may
from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal

Answer = str | BaseResponse | tuple[str, int]

blueprint = Blueprint("pages", __name__, template_folder="../templates")
EXTENSION = "bottool_site"


def page(permission: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
    """Guard a view: ``view(site, who, …)`` runs for those who are signed in and may; others sign in first."""

    def guard(view: Callable[..., Answer]) -> Callable[..., Answer]:
        @functools.wraps(view)
        def shown(**arguments: Any) -> Answer:
            site = the_site()
            who = signed_in(site)
            if who is None:
                return redirect(url_for("pages.sign_in", next=request.full_path if request.method == "GET" else None))
            if not may(who, permission):
                raise Forbidden(f"'{who.name}' may not open this page", "ask an administrator of the workspace")
            return view(site, who, **arguments)

        shown.permission = permission  # type: ignore[attr-defined]
        return shown

    return guard


def public(view: Callable[..., Answer]) -> Callable[..., Answer]:
    """Mark a view that anybody may open."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def the_site() -> Site:
    site: Site = current_app.extensions[EXTENSION]
    return site


def cookie_name() -> str:
    return "__Host-bottool_session" if request.is_secure else "bottool_session"


def signed_in(site: Site) -> Principal | None:
    """Who holds the session that the request's cookie names; ``None`` when nobody does."""
    cookie = request.cookies.get(cookie_name(), "")
    if not cookie:
        return None
    try:
        return identity.principal_of_session(site, cookie)
    except Unauthorized:
        return None


def show(template: str, who: Principal | None, **values: Any) -> str:
    """The rendered page; ``who`` is whose name and rights the frame shows."""
    return render_template(template, who=who, here=request.full_path.rstrip("?"), **values)


def act(doing: Callable[[], Any], done: str, target: str) -> BaseResponse:
    """Do something that a form asked for, say how it went, and go to ``target``."""
    try:
        doing()
    except BottoolError as error:
        flash(sentence(error), "danger")
    else:
        flash(done, "success")
    return redirect(target)


def sentence(error: BottoolError) -> str:
    return f"{error.message}: {error.hint}" if error.hint else error.message


@blueprint.app_errorhandler(404)
def not_found(_error: Any) -> Response | tuple[str, int]:
    return error_page(404, "There is no such page", "It may have been deleted, or belong to another workspace.")


def error_page(status: int, title: str, hint: str) -> tuple[str, int]:
    """A page for an error; the application's error handlers call it for addresses that are pages."""
    who = signed_in(the_site())
    return show("error.html", who, status=status, title=title, hint=hint), status


def moment(value: datetime | None) -> str:
    """ISO 8601 with zone, for ``<relative-time>``; empty when there is no time."""
    return value.isoformat(timespec="seconds") if value else ""


def span(seconds: float | None) -> str:
    """A duration for people: ``850 ms``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``; empty when there is none."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"
