"""A new key for the vault: everything that is sealed is sealed anew with it.

May be killed anywhere and repeated: the file holds every key that a row needs, before and after. Keys go only when they
seal nothing and were not the newest when the rotation began: another server may just have sealed with that one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bottool.errors import SettingsError
from bottool_web.actions.identity import acting_site
from bottool_web.actions.site import Site
from bottool_web.folder_lock import FolderLock
from bottool_web.store import queue, sealed
from bottool_web.store.scope import Scope
from bottool_web.store.sealed import SealedRow

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
    except OSError as error:
        raise SettingsError(
            f"'{site.vault.path.parent}' cannot be written to: {error.strerror}", "rotate where the keys may be written"
        ) from error
    except SettingsError:
        raise SettingsError(
            f"another rotation of '{site.vault.path}' goes on", "wait for its end, then type it again"
        ) from None
    try:
        return _rotate(site)
    finally:
        lock.release()


def give_versions(site: Site) -> None:
    """Seal values anew that were sealed before values had versions. May be killed anywhere and repeated.

    :raises SettingsError: when something cannot be opened.
    """
    for workspace_id in site.store.read(queue.workspaces):
        scope = acting_site(workspace_id).scope
        if site.store.read(lambda tx, scope=scope: sealed.has_old(tx, scope)):  # type: ignore[misc]
            _reseal(site, scope, "credential_secret")


def _rotate(site: Site) -> Rotated:
    before = site.vault.key_ids()
    if before:
        site.vault.drop_parts()
    site.vault.add_key()
    done, needed = 0, set[str]()
    for workspace_id in site.store.read(queue.workspaces):
        scope = acting_site(workspace_id).scope
        for table in sealed.TABLES:
            done += _reseal(site, scope, table)
            needed |= _keys_in_use(site, scope, table)
    site.vault.drop_keys(set(before[:-1]) - needed)
    return Rotated(resealed=done, keys=len(site.vault.key_ids()))


def _reseal(site: Site, scope: Scope, table: str) -> int:
    done = 0
    for row in _rows(site, scope, table):
        if row.what != row.wanted or not site.vault.is_newest(row.sealed):
            new = site.vault.seal(site.vault.unseal(row.sealed, row.what), row.wanted)
            site.store.write(lambda tx, row=row, new=new: sealed.put(tx, scope, table, row, new))  # type: ignore[misc]
            done += 1
    return done


def _keys_in_use(site: Site, scope: Scope, table: str) -> set[str]:
    return {row.sealed.partition(":")[0] for row in _rows(site, scope, table)}


def _rows(site: Site, scope: Scope, table: str) -> Iterator[SealedRow]:
    after = 0
    while found := site.store.read(lambda tx, after=after: sealed.some(tx, scope, table, after, AT_ONCE)):  # type: ignore[misc]
        yield from found
        after = found[-1].id
