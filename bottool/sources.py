"""Which files of a bot's folder go into its package.

What never belongs into one is left out by what it is, not by how it is called: a virtual environment may have any
name, and a pattern such as ``env*`` would take ``environment_variables.py`` along. Everything left out is named.
"""

import fnmatch
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from bottool.errors import ArchiveError, ProjectError
from bottool.members import Limits
from bottool.zip_reader import read_directory

_FOLDERS = {
    "node_modules": "installed packages",
    "__pycache__": "compiled Python",
    ".git": "version control",
    ".hg": "version control",
    ".svn": "version control",
    ".idea": "an editor's settings",
    ".vscode": "an editor's settings",
    ".vs": "an editor's settings",
    ".settings": "an editor's settings",
    ".pytest_cache": "a tool's cache",
    ".mypy_cache": "a tool's cache",
    ".ruff_cache": "a tool's cache",
    ".tox": "a tool's cache",
    ".nox": "a tool's cache",
}
_FILES = {
    ".env": "may hold secrets; set its values on the server",
    ".DS_Store": "a file manager's notes",
    "Thumbs.db": "a file manager's notes",
    "desktop.ini": "a file manager's notes",
}
_ENDINGS = {".pyc": "compiled Python", ".pyo": "compiled Python", ".log": "a log"}
_OF_AN_ENVIRONMENT = frozenset({"Lib", "Scripts", "Include", "lib", "lib64", "bin", "include", "share", "pyvenv.cfg"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """``files`` are pairs of name in the package and path on disk, sorted by name; ``left_out`` says what, and why."""

    files: tuple[tuple[str, Path], ...]
    left_out: tuple[str, ...]


def source_files(folder: Path, exclude: Collection[str] = (), *, keep: Collection[str] = ()) -> Sources:
    """The files to pack from ``folder``.

    ``exclude`` are glob patterns: one without ``/`` fits a file or folder at any depth, one with ``/`` counts from the
    folder, and ``*`` also stands for ``/``. ``keep`` names files or folders right in ``folder`` that are wanted
    although they would be left out by default (``("dist",)`` for a bot that is started from there).

    :raises ProjectError: when a symbolic link leads out of the folder, to nothing or in a circle.
    """
    walk = _Walk(folder.resolve(), tuple(exclude), frozenset(keep))
    files = sorted(walk.files(walk.root, ""))
    return Sources(files=tuple(files), left_out=tuple(sorted(walk.left_out)))


class _Walk:
    """One walk over a bot's folder; collects what it leaves out."""

    def __init__(self, root: Path, exclude: tuple[str, ...], keep: frozenset[str]) -> None:
        self.root = root
        self.left_out: list[str] = []
        self._exclude = tuple(pattern.removeprefix("./").rstrip("/") for pattern in exclude)
        self._keep = keep

    def files(self, folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
        for path in sorted(folder.iterdir()):
            name = prefix + path.name
            why = self._why_not(path, name)
            if why:
                self.left_out.append(f"{name}{'/' if path.is_dir() else ''} ({why})")
                continue
            target = self._target(path, name)
            if target.is_dir():
                yield from self.files(path, f"{name}/")
            elif target.is_file():
                yield name, path
            else:
                self.left_out.append(f"{name} (neither a file nor a folder)")

    def _why_not(self, path: Path, name: str) -> str:
        """Why it is left out; empty for what goes along."""
        if any(_fits(name, pattern) for pattern in self._exclude):
            return "excluded"
        if name in self._keep:
            return ""
        top = path.parent == self.root
        return _why_not_folder(path, top=top) if path.is_dir() else _why_not_file(path, top=top)

    def _target(self, path: Path, name: str) -> Path:
        if not path.is_symlink():
            return path
        target = path.resolve()
        if not target.is_relative_to(self.root):
            raise ProjectError(f"'{name}' is a link that leads out of the bot's folder", "put the file itself there")
        if not target.exists():
            raise ProjectError(f"'{name}' is a link to nothing", "remove it, or exclude it in bot.toml")
        if path.parent.resolve().is_relative_to(target):
            raise ProjectError(f"'{name}' is a link to a folder that holds it", "remove it, or exclude it in bot.toml")
        return target


def _fits(name: str, pattern: str) -> bool:
    if "/" not in pattern:
        return fnmatch.fnmatchcase(name.rsplit("/", 1)[-1], pattern)
    return fnmatch.fnmatchcase(name, pattern.removeprefix("/"))


def _why_not_folder(path: Path, *, top: bool) -> str:
    if path.name in _FOLDERS:
        return _FOLDERS[path.name]
    if path.name.endswith(".egg-info"):
        return "notes of a Python build"
    if _is_environment(path):
        return "a virtual environment"
    if top and path.name in _OF_AN_ENVIRONMENT and _is_environment(path.parent):
        return "part of a virtual environment"
    return _why_output(path) if top else ""


def _why_not_file(path: Path, *, top: bool) -> str:
    if path.name in _FILES or path.suffix in _ENDINGS:
        return _FILES.get(path.name) or _ENDINGS[path.suffix]
    if top and path.name == "pyvenv.cfg":
        return "part of a virtual environment"
    if top and path.suffix == ".zip" and _is_own_package(path):
        return "a package of this bot"
    return ""


def _is_environment(folder: Path) -> bool:
    return any(os.path.lexists(folder / sign) for sign in ("pyvenv.cfg", "Scripts/python.exe", "Lib/site-packages"))


def _why_output(folder: Path) -> str:
    """Folders that build tools write into; two of the names also serve for a bot's own data, so they need a sign."""
    signs: dict[str, Callable[[], bool]] = {
        "dist": lambda: True,
        "build": lambda: (folder / "lib").is_dir() or any(folder.glob("bdist.*")),
        "target": lambda: (folder.parent / "pom.xml").is_file() or (folder / "classes").is_dir(),
    }
    is_output = signs.get(folder.name, lambda: False)
    return "what a build wrote" if is_output() else ""


def _is_own_package(path: Path) -> bool:
    """True for a zip whose top level holds a file that also lies beside it: an earlier package of the same folder."""
    try:
        with path.open("rb") as file:
            names = {entry.name for entry in read_directory(file, Limits())}
    except ArchiveError:
        return False
    return any((path.parent / name).is_file() for name in names if name and "/" not in name)
