"""Has the package of an attempt in this machine's cache, and makes sure that it is the one that was meant.

Knows neither the server nor why a download may take several tries: the download is a function.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from bottool import wire
from bottool.archive import sha256_of
from bottool.environments import Cache

_TRIES = 3


def fetched(cache: Cache, work: wire.Work, place: Path, download: Callable[[Path], None]) -> Path | None:
    """Where the package lies in the cache; ``None`` when what arrives is another one, three times over.

    Downloads into ``place`` and tidies up there, unless the cache has the package already.
    """
    path = cache.package_path(work.sha256)
    for _ in range(_TRIES):
        path = path or _downloaded(cache, work, place / ".package", download)
    return path


def _downloaded(cache: Cache, work: wire.Work, place: Path, download: Callable[[Path], None]) -> Path | None:
    """Under its own name, which counts for a jar or a single file; the name must not lead elsewhere."""
    place.mkdir(exist_ok=True)
    last = re.split(r"[/\\:]", work.file_name)[-1]
    fresh = place / ("package" if last in {"", ".", ".."} else last)
    try:
        download(fresh)
        return cache.add_package(fresh, work.sha256) if sha256_of(fresh) == work.sha256 else None
    finally:
        shutil.rmtree(place, ignore_errors=True)
