"""What a principal may know of its own workspace."""

from bottool_web.actions.permissions import PUBLIC, action
from bottool_web.actions.site import Site
from bottool_web.store import workspaces
from bottool_web.store.scope import Principal


@action(PUBLIC)
def label(site: Site, who: Principal) -> str:
    """The label of the workspace in which ``who`` acts; it is no secret to anybody who acts there."""
    return str(site.store.read(lambda tx: workspaces.get(tx, who.scope).label))
