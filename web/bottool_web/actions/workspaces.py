"""What a principal may know of its own workspace, and what an administrator may switch in it."""

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool_web.actions.permissions import PUBLIC, action
from bottool_web.actions.site import Site
from bottool_web.store import audit, workspaces
from bottool_web.store.scope import Principal


@action(PUBLIC)
def label(site: Site, who: Principal) -> str:
    """The label of the workspace in which ``who`` acts; it is no secret to anybody who acts there."""
    return who.workspace or str(site.store.read(lambda tx: workspaces.get(tx, who.scope).label))


@action("workspace.read")
def get(site: Site, who: Principal) -> wire.Workspace:
    return site.store.read(lambda tx: _as_people_see_it(workspaces.get(tx, who.scope)))


@action("workspace.change")
def change(site: Site, who: Principal, wanted: wire.WorkspaceChange) -> wire.Workspace:
    """Switch what is set in ``wanted``; it holds for the next request of everybody."""
    said = {name: value for name, value in msgspec.structs.asdict(wanted).items() if value is not msgspec.UNSET}
    now = site.now()

    def work(tx: sa.Connection) -> wire.Workspace:
        if said:
            workspaces.change(tx, who.scope, said)
            audit.record(tx, who.scope, "workspace.change", workspaces.get(tx, who.scope).label, now, **said)
        return _as_people_see_it(workspaces.get(tx, who.scope))

    return site.store.write(work)


def _as_people_see_it(row: workspaces.Row) -> wire.Workspace:
    return wire.Workspace(
        label=row.label,
        name=row.name,
        login=row.login,
        maestro=row.maestro,
        maestro_old=row.maestro_old,
        created_at=row.created_at,
    )
