"""Who did what: read only."""

from bottool import wire
from bottool_web.actions import checks
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import audit
from bottool_web.store.scope import Principal

MOST_ROWS = 500


@action("audit.read")
def list_audit(  # noqa: PLR0913  # one for each filter
    site: Site,
    who: Principal,
    *,
    actor: str = "",
    act: str = "",
    subject: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[wire.AuditEntry]:
    """Newest first; a filter keeps what begins so."""
    wanted = audit.Wanted(
        actor=checks.name(actor, "actor"),
        act=checks.name(act, "act"),
        subject=checks.name(subject, "subject"),
        before=before,
        limit=max(1, min(limit, MOST_ROWS + 1)),
    )
    return site.store.read(lambda tx: audit.page(tx, who.scope, wanted))
