"""The version probe and the workspace's login."""

import json
from typing import Any

from flask import Response, request

from bottool import wire
from bottool_web.actions import identity
from bottool_web.maestro import words
from bottool_web.maestro.calls import INTERFACE, blueprint, body, check_open, public, the_site


@blueprint.get("/maestro/version")
@public
def version() -> dict[str, Any]:
    """``date`` is the server's own time: clients only want it to be a date."""
    return {"version": words.VERSION, "date": words.date_out(the_site().now())}


@blueprint.post("/workspace/login")
@public
def login() -> Response:
    sent = body()
    done = signed_in(words.text_in(sent.get("login"), "login"), words.text_in(sent.get("key"), "key"), INTERFACE)
    # Compact and on one line: a shell client cuts the token out with sed.
    answer = {"accessToken": done.token, "refreshToken": "", "organizationLabel": done.workspace}
    return Response(json.dumps(answer, separators=(",", ":")), mimetype="application/json")


def signed_in(login: str, key: str, interface: str) -> wire.LoggedIn:
    """:raises Forbidden: when the workspace has switched the interface off."""
    site = the_site()
    done = identity.login(site, wire.Login(login=login, key=key), address=request.remote_addr or "")
    check_open(identity.principal_of_token(site, done.token), interface)
    return done
