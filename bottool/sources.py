"""Which files of a bot's folder go into its package.

What never belongs into one is left out by what it is, not by how it is called: a virtual environment may have any
name, and a pattern such as ``env*`` would take ``environment_variables.py`` along. Then ``.gitignore`` and
``.bottoolignore`` count (``ignore_files``). Everything left out is named with its reason.
"""

import fnmatch
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import ArchiveError, ProjectError
from bottool.ignore_files import IgnoreFiles, Verdict

ENVIRONMENT = "a virtual environment"
_CACHE = "a tool's cache"
_FOLDERS = {
    "node_modules": "installed packages",
    "__pycache__": "compiled Python",
    **dict.fromkeys((".git", ".hg", ".svn"), "version control"),
    **dict.fromkeys((".idea", ".vscode", ".vs", ".settings"), "an editor's settings"),
    **dict.fromkeys((".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox", ".gradle", ".eggs"), _CACHE),
    ".ipynb_checkpoints": _CACHE,
}
_SECRETS = "may hold secrets; set its values on the server"
_FILES = {
    ".env": _SECRETS,
    ".env.local": _SECRETS,
    "credentials.toml": _SECRETS,
    **dict.fromkeys((".DS_Store", "Thumbs.db", "desktop.ini"), "a file manager's notes"),
}
_ENDINGS = {".pyc": "compiled Python", ".pyo": "compiled Python", ".log": "a log"}
_OF_AN_ENVIRONMENT = frozenset({"Lib", "Scripts", "Include", "lib", "lib64", "bin", "include", "share", "pyvenv.cfg"})
_OUTPUT = "what a build wrote"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file or folder that is not packed. ``name`` is relative to the bot's folder; a folder's ends in ``/``."""

    name: str
    why: str
    path: Path

    def __str__(self) -> str:
        return f"{self.name} ({self.why})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutGroup:
    """All that is left out for one reason, and how much that is."""

    why: str
    names: tuple[str, ...]
    files: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """``files`` are pairs of name in the package and path on disk, sorted by name; ``left_out`` says what, and why."""

    files: tuple[tuple[str, Path], ...]
    left_out: tuple[str, ...]
    omitted: tuple[LeftOut, ...] = ()
    folders: tuple[Path, ...] = ()
    """Those whose content decided: all that were walked, and environments that were recognised."""

    def left_out_by_reason(self) -> tuple[LeftOutGroup, ...]:
        """Counts what is left out, which needs a walk through it; the largest group first."""
        return grouped(self.omitted)


_known: ContextVar[tuple[Path, dict[tuple[tuple[str, ...], frozenset[str]], Sources]] | None] = ContextVar(
    "_known", default=None
)


def source_files(folder: Path, exclude: Collection[str] = (), *, keep: Collection[str] = ()) -> Sources:
    """The files to pack from ``folder``.

    ``exclude`` are glob patterns: one without ``/`` fits a file or folder at any depth, one with ``/`` counts from the
    folder, and ``*`` also stands for ``/``. ``keep`` names files or folders right in ``folder`` that are wanted
    although they would be left out by default (``("dist",)`` for a bot that is started from there).

    :raises ProjectError: when a symbolic link leads out of the folder, to nothing or in a circle, or when a folder
        cannot be read.
    """
    root, key = folder.resolve(), (tuple(exclude), frozenset(keep))
    known = _known.get()
    if known is None or known[0] != root:
        return _walked(root, *key)
    if key not in known[1]:
        known[1][key] = _walked(root, *key)
    return known[1][key]


@contextmanager
def walked_once(folder: Path) -> Iterator[None]:
    """Within, ``folder`` is taken to stay as it is: who asks for its files again gets the same answer at once."""
    token = _known.set((folder.resolve(), {}))
    try:
        yield
    finally:
        _known.reset(token)


def _walked(root: Path, exclude: tuple[str, ...], keep: frozenset[str]) -> Sources:
    walk = _Walk(root, exclude, keep)
    walk.enter(_Place(path=walk.root, prefix="", ignore=IgnoreFiles.above(walk.root), chain=(walk.root,)))
    omitted = tuple(sorted(walk.omitted, key=lambda each: each.name))
    return Sources(
        files=tuple(sorted(walk.files)),
        left_out=tuple(sorted(map(str, omitted))),
        omitted=omitted,
        folders=tuple(walk.folders),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A folder on the way. ``chain`` are the real folders that lead to it; ``rescue`` what took it back."""

    path: Path
    prefix: str
    ignore: IgnoreFiles
    chain: tuple[Path, ...]
    rescue: Verdict | None = None


class _Walk:
    """One walk over a bot's folder; collects what it finds and what it leaves out."""

    def __init__(self, root: Path, exclude: tuple[str, ...], keep: frozenset[str]) -> None:
        self.root = root
        self.files: list[tuple[str, Path]] = []
        self.folders: list[Path] = []
        self.omitted: list[LeftOut] = []
        self._excluded = _pattern(exclude)
        self._keep = keep
        self._root_is_environment = False

    def enter(self, place: _Place, entries: list[os.DirEntry[str]] | None = None) -> None:
        entries = _entries(place.path, place.prefix) if entries is None else entries
        names = {entry.name for entry in entries}
        self.folders.append(place.path)
        if place.path == self.root:
            self._root_is_environment = _is_environment(self.root, names)
        ignore = place.ignore.within(place.path, place.prefix, names)
        here = _Place(path=place.path, prefix=place.prefix, ignore=ignore, chain=place.chain, rescue=place.rescue)
        for entry in entries:
            self._take(entry, here, names)

    def _take(self, entry: os.DirEntry[str], place: _Place, beside: set[str]) -> None:
        name = place.prefix + entry.name
        is_folder = entry.is_dir()
        full = f"{name}/" if is_folder else name
        if self._excluded(name):
            self._omit(full, "excluded", entry)
            return
        own = place.ignore.by_own(full) if place.ignore.own else None
        kept = name in self._keep
        wanted = kept or (own is not None and not own.ignored and own != place.rescue)
        why = "" if wanted else self._why_not(entry, place, beside, is_folder=is_folder)
        why = why or _ignored(place.ignore, full, own, kept=kept)
        if why:
            self._omit(full, why, entry)
        elif is_folder:
            self._take_folder(entry, place, full, own, kept=kept, wanted=wanted)
        elif entry.is_file() or entry.is_symlink():
            self._check_link(entry, name, place)
            self.files.append((name, Path(entry.path)))
        else:
            self._omit(name, "neither a file nor a folder", entry)

    def _take_folder(
        self, entry: os.DirEntry[str], place: _Place, full: str, own: Verdict | None, *, kept: bool, wanted: bool
    ) -> None:
        path = Path(entry.path)
        entries = _entries(path, full)
        names = {each.name for each in entries}
        if not wanted and _is_environment(path, names):
            self.folders += [path, *(path / each for each in ("Scripts", "Lib") if each in names)]
            self._omit(full, ENVIRONMENT, entry)
            return
        real = self._check_link(entry, full.rstrip("/"), place)
        # What ignores a folder that is wanted all the same would ignore each file in it.
        ignore = IgnoreFiles() if kept else place.ignore
        chain = (*place.chain, real or place.chain[-1] / entry.name)
        self.enter(_Place(path=path, prefix=full, ignore=ignore, chain=chain, rescue=own), entries)

    def _omit(self, name: str, why: str, entry: os.DirEntry[str]) -> None:
        self.omitted.append(LeftOut(name=name, why=why, path=Path(entry.path)))

    def _why_not(self, entry: os.DirEntry[str], place: _Place, beside: set[str], *, is_folder: bool) -> str:
        """Why it is left out by what it is; empty for what goes along."""
        top = place.path == self.root
        if top and self._root_is_environment and entry.name in _OF_AN_ENVIRONMENT:
            return f"part of {ENVIRONMENT}"
        if is_folder:
            return _why_not_folder(entry, beside, top=top)
        # A link is judged by what it leads to as well: another name makes no secret fit for a package.
        meant = Path(entry.path).resolve().name if entry.is_symlink() else entry.name
        if entry.name in _FILES or meant in _FILES:
            return _FILES.get(entry.name) or _FILES[meant]
        ending = entry.name[entry.name.rfind(".") :] if "." in entry.name[1:] else ""
        if top and ending == ".zip" and _is_own_package(Path(entry.path), beside):
            return "a package of this bot"
        return _ENDINGS.get(ending, "")

    def _check_link(self, entry: os.DirEntry[str], name: str, place: _Place) -> Path | None:
        """Where a link leads; ``None`` for what is none."""
        if not (entry.is_symlink() or _is_junction(entry)):
            return None
        target = Path(entry.path).resolve()
        if not target.is_relative_to(self.root):
            raise ProjectError(f"'{name}' is a link that leads out of the bot's folder", "put the file itself there")
        if not target.exists():
            raise ProjectError(f"'{name}' is a link to nothing", "remove it, or exclude it in bot.toml")
        if target in place.chain or any(target in each.parents for each in place.chain):
            raise ProjectError(f"'{name}' is a link to a folder that holds it", "remove it, or exclude it in bot.toml")
        return target


def _entries(folder: Path, name: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError as error:
        message = f"the folder '{name or folder}' cannot be read: {error.strerror}"
        raise ProjectError(message, "allow this user into it, or exclude it in bot.toml") from error


def _is_junction(entry: os.DirEntry[str]) -> bool:
    """Windows' own kind of link between folders, which does not count as a symbolic link."""
    asked: Callable[[], bool] = getattr(entry, "is_junction", lambda: False)
    return asked()


def _ignored(ignore: IgnoreFiles, full: str, own: Verdict | None, *, kept: bool) -> str:
    """Which ignore file leaves it out; ``""`` for none."""
    if kept:
        return ""
    verdict = own or (ignore.by_git(full) if ignore.git else None)
    return f"ignored by {verdict.file}" if verdict is not None and verdict.ignored else ""


def _pattern(exclude: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a name fits one of the patterns of ``bot.toml``."""
    plain = [pattern.removeprefix("./").rstrip("/") for pattern in exclude]
    anywhere = [fnmatch.translate(each) for each in plain if each and "/" not in each]
    placed = [fnmatch.translate(each.removeprefix("/")) for each in plain if "/" in each]
    if not anywhere and not placed:
        return lambda _name: False
    by_last, by_path = (re.compile("|".join(each) or r"(?!)") for each in (anywhere, placed))
    return lambda name: bool(by_last.match(name.rsplit("/", 1)[-1]) or by_path.match(name))


def _why_not_folder(entry: os.DirEntry[str], beside: set[str], *, top: bool) -> str:
    if entry.name in _FOLDERS:
        return _FOLDERS[entry.name]
    if entry.name.endswith(".egg-info"):
        return "notes of a Python build"
    return _why_output(Path(entry.path), beside, top=top)


def _is_environment(folder: Path, names: Collection[str]) -> bool:
    """By what lies in it: made by Python, by conda, or copied from Windows without its notes."""
    if "pyvenv.cfg" in names or "conda-meta" in names:
        return True
    return ("Scripts" in names and os.path.lexists(folder / "Scripts/python.exe")) or (
        "Lib" in names and os.path.lexists(folder / "Lib/site-packages")
    )


def _why_output(folder: Path, beside: set[str], *, top: bool) -> str:
    """Folders that build tools write into; most of the names also serve for a bot's own data, so they need a sign."""
    if folder.name == "target":
        made = "pom.xml" in beside or (top and (folder / "classes").is_dir())
    elif folder.name == "build":
        made = bool(beside & {"build.gradle", "build.gradle.kts"}) or (
            top and ((folder / "lib").is_dir() or any(folder.glob("bdist.*")))
        )
    else:
        made = top and folder.name == "dist"
    return _OUTPUT if made else ""


def _is_own_package(path: Path, beside: set[str]) -> bool:
    """True for a zip whose top level holds a file that also lies beside it: an earlier package of the same folder."""
    from bottool.members import Limits
    from bottool.zip_reader import read_directory

    try:
        with path.open("rb") as file:
            names = {entry.name for entry in read_directory(file, Limits())}
    except (ArchiveError, OSError):
        return False
    return any(name in beside and (path.parent / name).is_file() for name in names if name and "/" not in name)


def grouped(omitted: Iterable[LeftOut]) -> tuple[LeftOutGroup, ...]:
    """What is left out by reason, counted; the largest group first."""
    groups: dict[str, list[LeftOut]] = {}
    for each in omitted:
        groups.setdefault(each.why, []).append(each)
    found = []
    for why, members in groups.items():
        sizes = [_size(each.path) for each in members]
        found.append(
            LeftOutGroup(
                why=why,
                names=tuple(each.name for each in members),
                files=sum(files for files, _ in sizes),
                size_bytes=sum(size for _, size in sizes),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.size_bytes, each.why)))


def _size(path: Path) -> tuple[int, int]:
    """Number of files below a path, and their bytes; links and what cannot be read count as nothing."""
    files = size_bytes = 0
    waiting = [path]
    while waiting:
        here = waiting.pop()
        try:
            if not here.is_dir() or here.is_symlink():
                return files + 1, size_bytes + here.lstat().st_size
            with os.scandir(here) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif not entry.is_symlink():
                        files, size_bytes = files + 1, size_bytes + entry.stat().st_size
        except OSError:
            continue
    return files, size_bytes
