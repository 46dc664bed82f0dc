"""Bytes that nobody needs any more: dropped when their last row goes, and swept up when a server died in between.

Never by a row that is missing alone: whoever just sent the same bytes may be writing that row now. So only what came
long ago goes, and what comes again is young again.
"""

from collections.abc import Iterable

from bottool_web.actions.site import Site
from bottool_web.store import kept_bytes

FOLDERS = 256
AT_ONCE = 500


def drop_unless_needed(site: Site, sha256: str) -> bool:
    """Drop one file's bytes; False when somebody needs them, or may be about to. ``""`` is no file."""
    if not sha256 or site.store.read(lambda tx: kept_bytes.needed(tx, [sha256])):
        return False
    return site.files.forget_artifact(sha256)


def sweep(site: Site, folders: Iterable[int] = range(FOLDERS)) -> int:
    """Drop what nobody needs in some of the 256 folders; returns how many files. May be repeated and killed."""
    old, dropped = site.files.unused_artifacts(folders), 0
    for start in range(0, len(old), AT_ONCE):
        some = old[start : start + AT_ONCE]
        needed = site.store.read(lambda tx, some=some: kept_bytes.needed(tx, some))  # type: ignore[misc]
        dropped += sum(site.files.forget_artifact(sha256) for sha256 in some if sha256 not in needed)
    return dropped
