"""The workspace itself: its login, and which interfaces it answers."""

from flask import request, url_for

from bottool import wire
from bottool_web.actions import workspaces
from bottool_web.actions.site import Site
from bottool_web.pages.frame import Answer, act, blueprint, page, show
from bottool_web.store.scope import Principal


@blueprint.get("/workspace")
@page("workspace.read")
def workspace_page(site: Site, who: Principal) -> Answer:
    return show("workspace.html", who, workspace=workspaces.get(site, who))


@blueprint.post("/workspace")
@page("workspace.change")
def change_workspace(site: Site, who: Principal) -> Answer:
    wanted = wire.WorkspaceChange(maestro="maestro" in request.form, maestro_old="maestro_old" in request.form)
    return act(lambda: workspaces.change(site, who, wanted), "The switches are set.", url_for("pages.workspace_page"))
