"""Finds bots in a tree of folders, and asks what a folder is that is none. Reads names of files, and next to no file.

Knows no language: each is asked whether it would build a folder, or knows it for something else.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bottool.bot_toml import FILE_NAME
from bottool.errors import BottoolError, PluginError
from bottool.language import Language
from bottool.plugins import Plugins, one_line

_SEARCH_DEPTH = 4
_SEARCH_FOLDERS = 2000
"""Below how many folders, and in how many, bots are looked for when the folder itself is none."""
_ABOVE_WITHOUT_REPOSITORY = 3
"""How many folders above are asked where nothing says at which folder a repository begins."""
_NEVER_A_BOT = frozenset({"node_modules", "__pycache__", "site-packages", "dist", "build", "target", "Lib", "Scripts"})
_ENVIRONMENT = frozenset({"pyvenv.cfg", "conda-meta"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What lies below a folder: bots, what is something else and what (as ``instead``), folders that hold nothing."""

    bots: tuple[Path, ...] = ()
    others: tuple[tuple[Path, str], ...] = ()
    empty: tuple[Path, ...] = ()


@dataclass(slots=True, kw_only=True)
class Seen:
    """One folder as it was read: names of its files and of its folders, sorted."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)


def survey(folder: Path, plugins: Plugins) -> Survey:
    """The folders below ``folder`` by what they are, sorted by path; nothing is looked for inside a bot."""
    bots: list[Path] = []
    others: list[tuple[Path, str]] = []
    empty: list[Path] = []
    for here, seen in walk(folder, lambda path: path in bots):
        if here == folder:
            continue
        if not seen.files and not seen.folders:
            empty.append(here)
        elif FILE_NAME in seen.files:
            bots.append(here)
        elif seen.files:
            found, what = _judged(here, seen, plugins)
            if found:
                bots.append(here)
            elif what:
                others.append((here, what))
    return Survey(bots=tuple(sorted(bots)), others=tuple(sorted(others)), empty=tuple(sorted(empty)))


def walk(folder: Path, is_done: Callable[[Path], bool]) -> Iterator[tuple[Path, Seen]]:
    """Folders that may hold a bot, from above, by name; not below one that the caller calls done."""
    waiting = [(folder, 0)]
    for _ in range(_SEARCH_FOLDERS):
        if not waiting:
            return
        here, depth = waiting.pop()
        seen = read(here)
        is_environment = not _ENVIRONMENT.isdisjoint({*seen.files, *seen.folders})
        if is_environment and not any(name.endswith((".py", ".toml", ".botproj")) for name in seen.files):
            continue
        yield here, seen
        if depth < _SEARCH_DEPTH and not is_environment and not is_done(here):
            waiting += [(here / name, depth + 1) for name in reversed(seen.folders) if _may_hold_bots(name)]


def read(folder: Path) -> Seen:
    seen = Seen()
    try:
        with os.scandir(folder) as found:
            for each in found:
                is_folder = each.is_dir(follow_symlinks=False)
                (seen.folders if is_folder else seen.files).append(each.name)
    except OSError:
        # What cannot be read is not empty: a name that no language looks for keeps it out of every list.
        return Seen(files=[""])
    seen.files.sort()
    seen.folders.sort()
    return seen


def _may_hold_bots(name: str) -> bool:
    return not name.startswith(".") and name not in _NEVER_A_BOT and "{{" not in name


def above(folder: Path, plugins: Plugins) -> Path | None:
    """The bot in one of whose folders ``folder`` lies: looked for up to the root of the repository."""
    parents = list(folder.parents)
    roots = [number for number, each in enumerate(parents) if (each / ".git").exists()]
    if (folder / ".git").exists():
        return None
    for each in parents[: roots[0] + 1 if roots else _ABOVE_WITHOUT_REPOSITORY]:
        if is_whole_machine(each):
            return None
        if is_bot(each, plugins):
            return each
    return None


def is_whole_machine(folder: Path) -> bool:
    """True for ``/``, the root of a drive and the person's home: too much to be one bot."""
    try:
        home = Path.home().resolve()
    except (OSError, RuntimeError):
        home = None
    return folder == Path(folder.anchor) or folder == home


def is_bot(folder: Path, plugins: Plugins) -> bool:
    return (folder / FILE_NAME).is_file() or bool(_judged(folder, read(folder), plugins)[0])


def recognisers(folder: Path, plugins: Plugins) -> list[str]:
    """The languages that would build the folder and do not know it for something else."""
    return [
        name
        for name, language in plugins.languages.items()
        if asked(plugins, language, "recognises", partial(language.recognises, folder))
        and not _otherwise(folder, language, plugins)
    ]


def instead(folder: Path, plugins: Plugins) -> str:
    """What a folder without ``bot.toml`` is, when that is known and no bot: ``a Next.js application``; else ``""``.

    A second line, where there is one, says how to run it as a bot all the same.
    """
    return _judged(folder, read(folder), plugins)[1]


def scripts(folder: Path, plugins: Plugins) -> dict[str, list[str]]:
    """By language, the files with which a bot in ``folder`` could start, the likeliest first; those that have any."""
    found = {
        name: list(asked(plugins, language, "scripts", partial(language.scripts, folder)))
        for name, language in plugins.languages.items()
    }
    return {name: files for name, files in found.items() if files}


def _judged(folder: Path, seen: Seen, plugins: Plugins) -> tuple[list[str], str]:
    """The languages that would build a folder without ``bot.toml``; when none would, what it is instead."""
    if "{{" in folder.name or any("{{" in name for name in (*seen.files, *seen.folders)):
        return [], "a template whose {{ }} are not filled in"
    found = recognisers(folder, plugins)
    if found:
        return found, ""
    said = (_otherwise(folder, language, plugins) for language in plugins.languages.values())
    return [], next(filter(None, said), "")


def _otherwise(folder: Path, language: Language, plugins: Plugins) -> str:
    return str(asked(plugins, language, "not_a_bot", lambda: language.not_a_bot(folder)))


def asked(plugins: Plugins, language: Language, method: str, call: Callable[[], Any]) -> Any:
    """What a plugin's language answers; whatever it raises that is not ours is blamed on it by name."""
    try:
        return call()
    except BottoolError:
        raise
    except Exception as error:
        plugin = plugins.owner(language.name)
        raise PluginError(f"plugin '{plugin}' failed in {language.name}.{method}: {one_line(error)}") from error


def in_repository(folder: Path) -> bool:
    return any((each / ".git").exists() for each in (folder, *folder.parents))
