"""Finds and reads a bot's folder: ``bot.toml``, BotCity's project file, or a layout that one language recognises.

Which folders are bots is known to ``discovery``, what they are called to ``names``. Nothing is written here, and
nothing of the bot is run.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from bottool import bot_toml, discovery, names, no_bot
from bottool.bot_toml import FILE_NAME, KEYS, LABEL_HINT, Said
from bottool.discovery import recognisers
from bottool.errors import ProjectError
from bottool.language import Language
from bottool.model import LABEL, Problem, Project, Severity
from bottool.plugins import Plugins, listed

__all__ = ["DEFAULT_VERSION", "FILE_NAME", "KEYS", "find", "find_all", "recognisers", "twice"]

DEFAULT_VERSION = "1.0.0"
_ARCHIVES = (".zip", ".jar", ".tar.gz", ".tgz")
_DESCRIPTIONS = frozenset(
    {FILE_NAME, "pyproject.toml", "requirements.txt", "setup.py", "pom.xml", "package.json", "robot.yaml", "conda.yaml"}
)
"""Files that a person may point at to mean their folder; any other file is what the bot starts with."""


def find(path: Path, plugins: Plugins, *, language: str = "", bot_id: str = "", version: str = "") -> Project:
    """The project in a folder; the keywords are what a person said on the command line, and count first.

    The one bot below a folder that is none is taken; so is, for the current folder (``Path()``), the bot in which it
    lies: then ``folder`` differs from ``path``, and whoever shows results says so. A file stands for its folder, and
    is the entry unless it describes the project.

    :raises ProjectError: when there is no bot, when there are several, or when something wrong is said.
    """
    folder, entry = _folder_and_entry(path)
    said = bot_toml.read(folder, plugins)
    if entry and not said.is_there and not language:
        language = _language_of(folder, entry, plugins)
    if not said.is_there and not language:
        folder = _located(folder, plugins, is_current=path == Path())
        said = bot_toml.read(folder, plugins)
    if entry:
        said = replace(said, entry=entry)
    chosen = plugins.language(language) if language else _language(folder, said, plugins)
    return _read(folder, said, chosen, plugins, (bot_id, version))


def find_all(folder: Path, plugins: Plugins) -> list[Path]:
    """The folders of all bots in a folder, sorted: itself when it is one, otherwise those below it.

    :raises ProjectError: when there is none; says what is there instead.
    """
    folder, _ = _folder_and_entry(folder)
    if discovery.is_bot(folder, plugins):
        return [folder]
    below = discovery.survey(folder, plugins)
    if not below.bots:
        raise no_bot.error(folder, plugins, below)
    return list(below.bots)


def twice(projects: list[Project]) -> dict[Path, Problem]:
    """By its folder, the complaint about each bot whose id another one in ``projects`` has too."""
    ids = Counter(project.bot_id.casefold() for project in projects)
    return {
        project.folder: Problem(
            severity=Severity.WARNING,
            code="id_taken",
            message=f"the id '{project.bot_id}' is used by {ids[project.bot_id.casefold()]} bots of this repository",
            hint='give each its own in its bot.toml: id = "…"',
        )
        for project in projects
        if ids[project.bot_id.casefold()] > 1
    }


def _folder_and_entry(path: Path) -> tuple[Path, str]:
    """The folder that ``path`` means, and the entry when it is a file to start with."""
    if not path.exists():
        raise ProjectError(f"'{path}' does not exist", "give the folder that holds the bot")
    if path.is_dir():
        folder, entry = path.resolve(), ""
    elif path.name.lower().endswith(_ARCHIVES):
        raise ProjectError(
            f"'{path}' is a file, not a folder",
            f"a package is deployed as it is: bottool deploy '{path}'; 'bottool inspect' looks inside",
        )
    else:
        path = path.resolve()
        is_description = path.name in _DESCRIPTIONS or path.suffix == ".botproj"
        folder, entry = path.parent, "" if is_description else path.name
    if discovery.is_whole_machine(folder):
        raise ProjectError(f"'{folder}' is too much to be one bot", "give the folder that holds the bot")
    return folder, entry


def _language_of(folder: Path, entry: str, plugins: Plugins) -> str:
    """The one language that could start ``entry``, in a folder that no language recognises; else ``""``."""
    if discovery.is_bot(folder, plugins):
        return ""
    fitting = [name for name, files in discovery.scripts(folder, plugins).items() if entry in files]
    return fitting[0] if len(fitting) == 1 else ""


def _located(folder: Path, plugins: Plugins, *, is_current: bool) -> Path:
    """The folder itself, the one bot below it, or the bot in which it lies."""
    if discovery.is_bot(folder, plugins):
        return folder
    below = discovery.survey(folder, plugins)
    if len(below.bots) == 1:
        return below.bots[0]
    found = discovery.above(folder, plugins) if is_current and not below.bots else None
    if found is None:
        raise no_bot.error(folder, plugins, below)
    return found


def _language(folder: Path, said: Said, plugins: Plugins) -> Language:
    """The language that ``bot.toml`` names, or the one that recognises the folder."""
    if said.language:
        if said.language not in plugins.languages:
            message = f"language is '{said.language}'; installed: {listed(plugins.languages)}"
            raise bot_toml.wrong(said.text, "language", message, plugins.hint_for(said.language))
        return plugins.languages[said.language]
    found = recognisers(folder, plugins)
    if len(found) > 1:
        raise ProjectError(
            f"'{folder}' could be a bot in {' or '.join(found)}",
            f'say which: language = "{found[0]}" in bot.toml, or --language {found[0]}',
        )
    if not found:
        raise no_bot.error(folder, plugins, discovery.survey(folder, plugins))
    return plugins.languages[found[0]]


def _read(folder: Path, said: Said, language: Language, plugins: Plugins, typed: tuple[str, str]) -> Project:
    own_id, own_version = discovery.asked(plugins, language, "identify", lambda: language.identify(folder))
    around = names.read(folder)
    decided = typed[0] or said.id
    derived = next(each for each in (around.project_file, own_id, folder.name) if each)
    bot_id = _label("bot id", "id", decided or names.as_label(derived) or derived)
    notes: list[Problem] = []
    if not decided:
        if bot_id != derived:
            notes.append(names.changed(bot_id, derived))
        notes += names.notes(bot_id, _said_names(folder, own_id, around), around)
    return Project(
        folder=folder,
        language=language.name,
        bot_id=bot_id,
        version=_label(
            "version", "version", next(filter(None, (typed[1], said.version, own_version)), DEFAULT_VERSION)
        ),
        entry=said.entry,
        exclude=said.exclude,
        options=said.tables.get(language.name, {}),
        notes=tuple(notes),
    )


def _said_names(folder: Path, own_id: str, around: names.Names) -> dict[str, str]:
    """The names of a bot by who says them. A folder counts inside a repository only: a copy may have any name."""
    said = {"its .botproj": around.project_file, "its own description": own_id, **around.packages}
    if not (folder / ".git").exists() and discovery.in_repository(folder):
        said["its folder"] = folder.name
    return {who: name for who, name in said.items() if name}


def _label(what: str, key: str, chosen: str) -> str:
    if not LABEL.fullmatch(chosen):
        raise ProjectError(
            f"'{chosen}' cannot be the {what}; wanted: {LABEL_HINT}", f'say another in bot.toml: {key} = "…"'
        )
    return chosen
