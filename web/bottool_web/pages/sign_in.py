"""Signing in and out."""

from urllib.parse import urlsplit

from flask import make_response, redirect, request, url_for

from bottool.errors import BottoolError
from bottool_web.actions import identity
from bottool_web.pages.frame import Answer, blueprint, cookie_name, public, sentence, show, signed_in, the_site


@blueprint.get("/sign-in")
@public
def sign_in() -> Answer:
    if signed_in(the_site()):
        return redirect(url_for("pages.home"))
    return show("sign_in.html", None, next=request.args.get("next", ""), email="", error="")


@blueprint.post("/sign-in")
@public
def sign_in_form() -> Answer:
    email, following = request.form.get("email", ""), request.form.get("next", "")
    try:
        cookie, _ = identity.start_session(
            the_site(), email, request.form.get("password", ""), request.remote_addr or ""
        )
    except BottoolError as error:
        return show("sign_in.html", None, next=following, email=email, error=sentence(error)), error.http_status
    answer = make_response(redirect(_inside(following)))
    answer.set_cookie(cookie_name(), cookie, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return answer


@blueprint.post("/sign-out")
@public
def sign_out() -> Answer:
    if cookie := request.cookies.get(cookie_name()):
        identity.end_session(the_site(), cookie)
    answer = make_response(redirect(url_for("pages.sign_in")))
    answer.delete_cookie(cookie_name(), path="/")
    return answer


def _inside(target: str) -> str:
    """``target`` when it is a path of this site, else home: a link must not lead elsewhere after signing in."""
    parts = urlsplit(target)
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if inside else url_for("pages.home")
