"""The files of a version: every one that was replaced is kept, can be fetched, and can be put back."""

from pathlib import Path

import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import audit, bots, revisions
from bottool_web.store.scope import Principal


@action("bot.read")
def list_revisions(site: Site, who: Principal, bot_id: str, version: str) -> list[wire.Revision]:
    """Newest first; one of them is current.

    :raises NotFound: when there is no such version.
    """
    return site.store.read(lambda tx: revisions.of_version(tx, who.scope, bot_id, version))


@action("bot.deploy")
def restore(site: Site, who: Principal, bot_id: str, version: str, wanted: wire.RestoreRevision) -> wire.Bot:
    """Put an older file back under the version, as a new revision; without a number, undo the last replacement.

    What runs keeps the file that it started with. The bytes that are current already stay as they are.

    :raises NotFound: when there is no such version or file, or the file is gone from the server's disk.
    :raises Conflict: when the file was refused, or the version changes at this moment.
    """
    now = site.now()

    def work(tx: sa.Connection) -> wire.Bot:
        row, older = revisions.numbered(tx, who.scope, bot_id, version, wanted.revision)
        if older.inspection == "refused":
            raise Conflict(f"this file of version '{version}' of '{bot_id}' was refused", "put another one back")
        site.files.package(older.sha256)
        if older.sha256 != row.sha256:
            revisions.put_back(tx, who.scope, older, now)
            detail = {"version": version, "sha256": older.sha256, "was": row.sha256, "revision": older.id}
            audit.record(tx, who.scope, "bot.restore", bot_id, now, **detail)
        return bots.get(tx, who.scope, bot_id)

    done = site.store.write(work)
    site.hints.send(f"workspace:{who.workspace_id}", f"queue:{who.workspace_id}")
    return done


@action("bot.download")
def revision_file(site: Site, who: Principal, bot_id: str, version: str, number: int) -> tuple[Path, str]:
    """One of the version's files, and the name that it was uploaded with.

    :raises NotFound: when there is no such version or file.
    """
    _, found = site.store.read(lambda tx: revisions.numbered(tx, who.scope, bot_id, version, number))
    return site.files.package(found.sha256), found.file_name
