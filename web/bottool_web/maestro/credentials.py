"""Reading credentials: one value as plain text, or a whole set."""

from typing import Any

from flask import Response

from bottool_web.actions import credentials, workspaces
from bottool_web.actions.site import Site
from bottool_web.maestro.calls import blueprint, call
from bottool_web.store.scope import Principal


@blueprint.get("/credential/<label>/key/<key>")
@call("credential.use")
def value(site: Site, who: Principal, label: str, key: str) -> Response:
    """The text itself, without quotes."""
    return Response(credentials.read_value(site, who, label, key), content_type="text/plain; charset=utf-8")


@blueprint.get("/credential/<label>")
@call("credential.use")
def whole_set(site: Site, who: Principal, label: str) -> dict[str, Any]:
    secrets = credentials.read_set(site, who, label)
    return {
        "label": label,
        "organizationLabel": workspaces.label(site, who),
        "repositoryLabel": "DEFAULT",
        "secrets": [{"key": key, "value": text, "valid": True} for key, text in secrets.items()],
    }
