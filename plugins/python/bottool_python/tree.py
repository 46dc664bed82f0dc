"""A bot's files: their names, and a way to read one. The same for a folder and for an archive that nobody unpacked.

Names are relative, with ``/``. Knows nothing of Python. What is read is hostile: nothing outside the tree is opened,
and nothing large.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from bottool.errors import ArchiveError

LIMIT_BYTES = 4_000_000
"""No file that matters here is larger; what is, counts as unreadable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """``read`` gives a file's bytes, or ``None`` when it is not there or too large. ``names`` are sorted."""

    names: tuple[str, ...]
    read: Callable[[str], bytes | None]

    @property
    def top(self) -> tuple[str, ...]:
        """The files that lie in no folder."""
        return tuple(name for name in self.names if "/" not in name)

    def wrapper(self) -> str:
        """``"folder/"`` when one folder wraps everything, which archives made by hand often have; otherwise ``""``."""
        first = {name.partition("/")[0] + "/" for name in self.names if name != "bottool.json"}
        return first.pop() if len(first) == 1 and not set(self.top) - {"bottool.json"} else ""

    def below(self, root: str) -> "Tree":
        """The part of the tree below ``root``, which is ``""`` or ends in ``/``."""
        if not root:
            return self
        names = tuple(name.removeprefix(root) for name in self.names if name.startswith(root))
        return Tree(names=names, read=lambda name: self.read(root + name))


def of_folder(folder: Path, *, depth: int = 2) -> Tree:
    """What lies in ``folder``, down to ``depth`` folders deep; ``read`` reaches deeper files too."""
    return Tree(names=tuple(sorted(_names(folder, "", depth))), read=lambda name: _read(folder, name))


def of_sources(folder: Path, files: Iterable[tuple[str, Path]]) -> Tree:
    """The source files that go into a package. Where their links lead was looked at when they were found."""
    paths = dict(files)

    def read(name: str) -> bytes | None:
        return _read_file(paths[name]) if name in paths else _read(folder, name)

    return Tree(names=tuple(sorted(paths)), read=read)


def of_archive(path: Path) -> Tree:
    """The files of a package, never unpacked.

    :raises ArchiveError: when the archive is refused.
    """
    from bottool import archive  # brings all that packs, which few commands need

    names = frozenset(archive.check(path).names)

    # Each reading goes through the archive from its beginning.
    @lru_cache(maxsize=64)
    def read(name: str) -> bytes | None:
        try:
            return archive.read_member(path, name, LIMIT_BYTES) if name in names else None
        except ArchiveError:
            return None

    return Tree(names=tuple(sorted(names)), read=read)


def _names(folder: Path, prefix: str, depth: int) -> Iterator[str]:
    try:
        found = list(folder.iterdir())
    except OSError:
        return
    for each in found:
        if each.is_file():
            yield prefix + each.name
        elif depth > 1 and not each.name.startswith(".") and each.is_dir():
            yield from _names(each, f"{prefix}{each.name}/", depth - 1)


def _read(folder: Path, name: str) -> bytes | None:
    path = folder / name
    if PurePosixPath(name).is_absolute() or not path.is_file():
        return None
    return _read_file(path) if path.resolve().is_relative_to(folder.resolve()) else None


def _read_file(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(LIMIT_BYTES + 1)
    except FileNotFoundError:
        return None
    return data if len(data) <= LIMIT_BYTES else None
