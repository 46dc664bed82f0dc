"""The sentence about a folder that is no bot: what it is, what it holds, or what was looked for, and what to do.

Finds nothing itself: what lies where is known to ``discovery``, and what a folder is instead to the languages.
"""

import shlex
from collections import Counter
from pathlib import Path

from bottool.bot_toml import FILE_NAME
from bottool.discovery import Survey, in_repository, instead, read, scripts, walk
from bottool.errors import ProjectError
from bottool.plugins import Plugins, listed

_ARCHIVES = (".zip", ".jar", ".tar.gz", ".tgz", ".rar", ".7z")
_NO_CONTENT = ("readme", "license", "licence", "changelog", ".git")
"""Files that begin so say nothing about what a folder is."""
_NAMED = 12
"""So many names are listed in a message."""
_FEW = 5
_SOURCES = {
    ".cs": "C# sources",
    ".vb": "Visual Basic sources",
    ".go": "Go sources",
    ".rb": "Ruby sources",
    ".php": "PHP sources",
    ".rs": "Rust sources",
    ".clj": "Clojure sources",
    ".scala": "Scala sources",
    ".ex": "Elixir sources",
    ".dart": "Dart sources",
    ".cpp": "C++ sources",
    ".c": "C sources",
    ".lua": "Lua sources",
    ".pl": "Perl sources",
    ".r": "R sources",
    ".ps1": "PowerShell scripts",
    ".ahk": "AutoHotkey scripts",
    ".sh": "shell scripts",
    ".bat": "batch files",
    ".ipynb": "Jupyter notebooks",
    ".robot": "Robot Framework suites",
    ".xaml": "UiPath or other XAML workflows",
}
"""Only for the sentence that refuses them; what a language builds, it recognises or names itself."""


def error(folder: Path, plugins: Plugins, below: Survey) -> ProjectError:
    """The sentence about a folder that is no bot: what it is, what it holds, or what was looked for."""
    what, _, advice = instead(folder, plugins).partition("\n")
    if below.bots:
        names = _listed(folder, below.bots)
        is_what = what or "no bot"
        return ProjectError(
            f"'{folder}' is {is_what}, but holds {_count(below)}: {names}{_empty(folder, below)}",
            f"name one: '{below.bots[0]}', or take all with --all",
        )
    if what:
        return ProjectError(f"'{folder}' is {what}, not a bot", advice or _INSTEAD.get(what, _SAY_SO))
    if packages := _only_packages(folder):
        them = "them" if len(packages) > 1 else "it"
        kind = "packages" if len(packages) > 1 else "package"
        first = folder / packages[0]
        return ProjectError(
            f"'{folder}' holds only the {kind} {_cut(packages)}: deploy {them}",
            f"bottool deploy '{first}', or 'bottool inspect' to look inside",
        )
    return _nothing_found(folder, plugins, below)


_INSTEAD = {
    "a template whose {{ }} are not filled in": "make a project from it first, for example with cookiecutter",
}
_SAY_SO = 'if it is one all the same, say so in a bot.toml: language = "…"'


def _nothing_found(folder: Path, plugins: Plugins, below: Survey) -> ProjectError:
    holds = [f"{path.relative_to(folder).as_posix()} is {_first_line(what)}" for path, what in below.others]
    if not holds and (found := scripts(folder, plugins)):
        return _which_script(folder, found, plugins)
    if not holds and (what := _sources(folder)):
        return ProjectError(
            f"'{folder}' holds {what}, which no installed language builds",
            'find a plugin for it, or start what its own tools built: in a bot.toml, language = "command" and below'
            ' [command] run = ["PROGRAM", "ARGUMENT"]',
        )
    files = [f"{each.looks_for} ({each.name})" for each in plugins.languages.values() if each.looks_for]
    message = f"'{folder}' is no bot, and no folder below it is one; looked for {'; '.join([FILE_NAME, *files])}"
    if holds:
        message = f"'{folder}' is no bot and holds none: {_cut(holds)}"
    path, advice = next(
        ((path, text) for path, what in below.others if (text := what.partition("\n")[2])), (folder, "")
    )
    return ProjectError(
        message + _empty(folder, below),
        f"in '{path.relative_to(folder).as_posix()}': {advice}"
        if advice
        else f'write language = "…" into a bot.toml; installed: {listed(plugins.languages)}',
    )


def _first_line(what: str) -> str:
    return what.partition("\n")[0]


def _which_script(folder: Path, found: dict[str, list[str]], plugins: Plugins) -> ProjectError:
    """Scripts there are, and nothing says which of them is the bot."""
    language = max(found, key=lambda name: len(found[name]))
    files, title = found[language], plugins.languages[language].title
    which = f"which of its {len(files)} {title} scripts is the bot: {_cut(files, _FEW)}"
    if len(files) == 1:
        which = f"that its {title} script '{files[0]}' is a bot"
    return ProjectError(
        f"'{folder}' does not say {which}",
        f'say it in a bot.toml: language = "{language}" and entry = "{files[0]}"'
        + ("" if "/" in files[0] else f"; 'bottool adopt {shlex.quote(files[0])}' writes it"),
        scripts=found,
    )


def _sources(folder: Path) -> str:
    """``C# sources (39 files)`` where most of what lies in a folder is in a programming language that is known here."""
    counts: Counter[str] = Counter()
    for _, seen in walk(folder, lambda _path: False):
        counts.update(kind for name in seen.files if (kind := _SOURCES.get(Path(name).suffix.lower())))
    if not counts:
        return ""
    kind, files = counts.most_common(1)[0]
    return f"{kind} ({files} {'file' if files == 1 else 'files'})"


def _count(below: Survey) -> str:
    return "one" if len(below.bots) == 1 else f"{len(below.bots)} bots"


def _listed(folder: Path, paths: tuple[Path, ...]) -> str:
    return _cut([path.relative_to(folder).as_posix() for path in paths])


def _cut(names: list[str], most: int = _NAMED) -> str:
    more = len(names) - most
    return listed(names) if more <= 0 else f"{listed(names[:most])} and {more} more"


def _empty(folder: Path, below: Survey) -> str:
    """Git keeps no empty folder but the place of another repository that was not fetched along."""
    if not below.empty or not in_repository(folder):
        return ""
    names = _listed(folder, below.empty)
    them = "they stand" if len(below.empty) > 1 else "it stands"
    return f" (empty: {names}; {them} for another repository, which was not fetched)"


def _only_packages(folder: Path) -> list[str]:
    """The archives of a folder that holds nothing else, sorted."""
    seen = read(folder)
    content = [name for name in (*seen.files, *seen.folders) if not name.lower().startswith(_NO_CONTENT)]
    return content if all(name.lower().endswith(_ARCHIVES) for name in content) else []
