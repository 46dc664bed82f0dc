"""Sealing for a row of the store with the site's keys, and never with new ones while the old are gone."""

import sqlalchemy as sa

from bottool.errors import Unavailable
from bottool_web.actions.identity import acting_site
from bottool_web.actions.site import Site
from bottool_web.store import queue, sealed


def seal(tx: sa.Connection, site: Site, secret: str, what: str) -> str:
    """``secret`` as a text that only this site opens, and only as ``what``.

    :raises Unavailable: when the keys are gone and something is sealed: a new key would bury it for good.
    """
    if not site.vault.key_ids() and is_anything_sealed(tx):
        raise Unavailable(
            f"'{site.vault.path}' is gone, and secrets are sealed with its keys",
            "put the file back from a backup; without it they cannot be opened",
        )
    return site.vault.seal(secret, what)


def is_anything_sealed(tx: sa.Connection) -> bool:
    scopes = [acting_site(workspace_id).scope for workspace_id in queue.workspaces(tx)]
    return any(sealed.some(tx, scope, table, 0, 1) for scope in scopes for table in sealed.TABLES)
