"""Who is told that something changed: after each write, the people and runners who look at it."""

from bottool_web.actions.site import Site
from bottool_web.store.scope import Principal


def tell(site: Site, who: Principal, task_id: int, *topics: str) -> None:
    """Wake who looks at the task or its workspace, and who waits for ``topics``. After the commit."""
    site.hints.send(f"task:{task_id}", f"workspace:{who.workspace_id}", *topics)


def queue_of(who: Principal) -> str:
    """The topic of runners that wait for work."""
    return f"queue:{who.workspace_id}"
