"""A new key for the vault: everything that is sealed is sealed anew with it.

May be killed anywhere and repeated: the file holds every key that a row needs, before and after. Keys go only when they
seal nothing and were not the newest when the rotation began: another server may just have sealed with that one.
"""

from dataclasses import dataclass

from bottool.errors import SettingsError
from bottool_web.actions.identity import acting_site
from bottool_web.actions.site import Site
from bottool_web.folder_lock import FolderLock
from bottool_web.store import credentials, queue
from bottool_web.store.scope import Scope

AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    resealed: int
    keys: int
    """How many the file holds now."""


def rotate(site: Site) -> Rotated:
    """:raises SettingsError: when something cannot be opened; then nothing of it was changed, and no key is dropped.

    Also while another rotation with the same key file goes on, of whichever server.
    """
    try:
        lock = FolderLock(site.vault.path.with_suffix(".lock"))
    except SettingsError:
        raise SettingsError(
            f"another rotation of '{site.vault.path}' goes on", "wait for its end, then type it again"
        ) from None
    try:
        return _rotate(site)
    finally:
        lock.release()


def _rotate(site: Site) -> Rotated:
    before = site.vault.key_ids()
    site.vault.add_key()
    done, needed = 0, set[str]()
    for workspace_id in site.store.read(queue.workspaces):
        scope = acting_site(workspace_id).scope
        for table in ("secret", "read"):
            done += _reseal(site, scope, table)
            needed |= _keys_in_use(site, scope, table)
    site.vault.drop_keys(set(before[:-1]) - needed)
    return Rotated(resealed=done, keys=len(site.vault.key_ids()))


def _reseal(site: Site, scope: Scope, table: str) -> int:
    after, done = 0, 0
    while True:
        rows = site.store.read(lambda tx, after=after: credentials.some_sealed(tx, scope, table, after, AT_ONCE))  # type: ignore[misc]
        for row in rows:
            if not site.vault.is_newest(row.sealed):
                what = row.what if table == "read" else credentials.what_of(scope, row.credential_id, row.key)
                new = site.vault.seal(site.vault.unseal(row.sealed, what), what)
                site.store.write(
                    lambda tx, row=row, new=new: credentials.reseal(tx, scope, table, row.id, row.sealed, new)  # type: ignore[misc]
                )
                done += 1
        if len(rows) < AT_ONCE:
            return done
        after = rows[-1].id


def _keys_in_use(site: Site, scope: Scope, table: str) -> set[str]:
    after, found = 0, set[str]()
    while True:
        rows = site.store.read(lambda tx, after=after: credentials.some_sealed(tx, scope, table, after, AT_ONCE))  # type: ignore[misc]
        found |= {row.sealed.partition(":")[0] for row in rows}
        if len(rows) < AT_ONCE:
            return found
        after = rows[-1].id
