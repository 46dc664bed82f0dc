"""The routes of the workspace itself."""

from bottool import wire
from bottool_web.actions import workspaces
from bottool_web.api.route import Route

ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/workspace",
        summary="The workspace in which one acts, and its switches",
        action=workspaces.get,
        answer=wire.Workspace,
    ),
    Route(
        method="PATCH",
        path="/workspace",
        summary="Switch interfaces of the workspace on and off",
        action=workspaces.change,
        body=wire.WorkspaceChange,
        answer=wire.Workspace,
    ),
)
