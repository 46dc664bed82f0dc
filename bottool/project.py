"""Finds and reads a bot's folder: ``bot.toml``, or a layout that exactly one language recognises.

``bot.toml`` is flat: ``id``, ``version``, ``language``, ``entry``, ``exclude`` and one table per language, which only
that language understands. Nothing is written here, and nothing of the bot is run.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottool.errors import BottoolError, PluginError, ProjectError, did_you_mean
from bottool.language import Language
from bottool.model import LABEL, Project
from bottool.plugins import Plugins, listed, one_line
from bottool.settings import read_toml

FILE_NAME = "bot.toml"
KEYS = ("id", "version", "language", "entry", "exclude")
DEFAULT_VERSION = "1.0.0"
_LABEL_HINT = "letters, digits, '.', '_' and '-', starting with a letter or digit, at most 100"
_SEARCH_DEPTH = 4
_SEARCH_FOLDERS = 2000
"""Below how many folders, and in how many, bots are looked for when the folder itself is none."""
_NEVER_A_BOT = frozenset({"node_modules", "__pycache__", "site-packages", "dist", "build", "target", "Lib", "Scripts"})


def find(folder: Path, plugins: Plugins, *, language: str = "", bot_id: str = "", version: str = "") -> Project:
    """The project in ``folder``; the keywords are what a person said on the command line, and count first.

    :raises ProjectError: when the folder is no bot, could be several, or says something wrong.
    """
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise ProjectError(f"'{folder}' {what}", "give the folder that holds the bot")
    folder = folder.resolve()
    said = _read(folder, plugins)
    chosen = plugins.language(language) if language else _language(folder, said, plugins)
    own_id, own_version = _asked(plugins, chosen, "identify", lambda: chosen.identify(folder))
    return Project(
        folder=folder,
        language=chosen.name,
        bot_id=_label("bot id", "id", (bot_id, said.id, own_id, folder.name)),
        version=_label("version", "version", (version, said.version, own_version, DEFAULT_VERSION)),
        entry=said.entry,
        exclude=said.exclude,
        options=said.tables.get(chosen.name, {}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What ``bot.toml`` says; everything empty when there is none."""

    text: str = ""
    id: str = ""
    version: str = ""
    language: str = ""
    entry: str = ""
    exclude: tuple[str, ...] = ()
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _read(folder: Path, plugins: Plugins) -> _Said:
    path = folder / FILE_NAME
    if not path.exists():
        return _Said()
    values, text = read_toml(path, ProjectError)
    languages = [*plugins.languages, values.get("language")]
    tables = {name: value for name, value in values.items() if isinstance(value, dict) and name in languages}
    for name in values:
        if name not in tables:
            _check_key(name, values[name], text, plugins)
    for name in ("id", "version"):
        if name in values and not LABEL.fullmatch(values[name]):
            raise _wrong(text, name, f"{name} is '{values[name]}'", f"wanted: {_LABEL_HINT}")
    for name in (values.get("entry", ""), *values.get("exclude", ())):
        if _leads_out(name):
            key = "entry" if name == values.get("entry") else "exclude"
            raise _wrong(
                text, key, f"{key} says '{name}', which leads out of the folder", "write it relative to bot.toml"
            )
    exclude = tuple(values.get("exclude", ()))
    return _Said(text=text, tables=tables, exclude=exclude, **{key: values.get(key, "") for key in KEYS[:4]})


def _check_key(name: str, value: Any, text: str, plugins: Plugins) -> None:
    """Refuse what is unknown or of the wrong type."""
    if name not in KEYS:
        kind = "table" if isinstance(value, dict) else "key"
        known = (*KEYS, *plugins.languages)
        hint = did_you_mean(name, known) or f"known are {listed(KEYS)}, and a table for each language"
        if name in plugins.languages:
            hint = f"write it as a table: [{name}]"
        raise _wrong(text, name, f"unknown {kind} '{name}'", hint)
    if name == "exclude":
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _wrong(text, name, "exclude is no list of texts", 'write it as exclude = ["data/*", "*.tmp"]')
    elif not isinstance(value, str):
        hint = (
            f'put it in quotes: {name} = "{value}"' if isinstance(value, (int, float)) else f'write it as {name} = "…"'
        )
        raise _wrong(text, name, f"{name} is no text", hint)


def _leads_out(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return ".." in parts or name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) is not None


def _wrong(text: str, key: str, message: str, hint: str) -> ProjectError:
    """An error that points at the line of a key or table."""
    line = re.search(rf"""^\s*\[*\s*["']?{re.escape(key)}["']?\s*[=\].]""", text, re.MULTILINE)
    where = f"{FILE_NAME}:{text.count(chr(10), 0, line.end()) + 1}" if line else FILE_NAME
    return ProjectError(f"{where}: {message}", hint)


def _language(folder: Path, said: _Said, plugins: Plugins) -> Language:
    """The language that ``bot.toml`` names, or the one that recognises the folder."""
    if said.language:
        if said.language not in plugins.languages:
            message = f"language is '{said.language}'; installed: {listed(plugins.languages)}"
            raise _wrong(said.text, "language", message, plugins.hint_for(said.language))
        return plugins.languages[said.language]
    found = recognisers(folder, plugins)
    if len(found) > 1:
        raise ProjectError(
            f"'{folder}' could be a bot in {' or '.join(found)}",
            f'say which: language = "{found[0]}" in bot.toml, or --language {found[0]}',
        )
    if not found:
        raise _no_bot(folder, plugins)
    return plugins.languages[found[0]]


def recognisers(folder: Path, plugins: Plugins) -> list[str]:
    return [
        name
        for name, language in plugins.languages.items()
        if _asked(plugins, language, "recognises", lambda language=language: language.recognises(folder))
    ]


def _asked(plugins: Plugins, language: Language, method: str, call: Any) -> Any:
    """What a plugin's language answers; whatever it raises that is not ours is blamed on it by name."""
    try:
        return call()
    except BottoolError:
        raise
    except Exception as error:
        plugin = plugins.owner(language.name)
        raise PluginError(f"plugin '{plugin}' failed in {language.name}.{method}: {one_line(error)}") from error


def _no_bot(folder: Path, plugins: Plugins) -> ProjectError:
    below = [path.relative_to(folder).as_posix() for path in bots_below(folder, plugins)]
    if below:
        return ProjectError(
            f"'{folder}' is no bot, but holds some: {listed(below)}", f"name one: '{folder / below[0]}'"
        )
    files = [f"{each.looks_for} ({each.name})" for each in plugins.languages.values() if each.looks_for]
    looked_for = "; ".join([FILE_NAME, *files])
    return ProjectError(
        f"'{folder}' is no bot, and no folder below it is one; looked for {looked_for}",
        f'write language = "…" into a bot.toml; installed: {listed(plugins.languages)}',
    )


def bots_below(folder: Path, plugins: Plugins) -> Iterator[Path]:
    """The folders below ``folder`` that look like bots, by name; nothing is looked for inside a found one."""
    waiting = [(folder, 0)]
    for _ in range(_SEARCH_FOLDERS):
        if not waiting:
            return
        here, depth = waiting.pop()
        if depth and ((here / FILE_NAME).is_file() or recognisers(here, plugins)):
            yield here
        elif depth < _SEARCH_DEPTH:
            waiting += [(each, depth + 1) for each in sorted(_folders_in(here), reverse=True)]


def _folders_in(folder: Path) -> list[Path]:
    try:
        found = [each for each in folder.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []
    if (folder / "pyvenv.cfg").exists():
        return []
    return [each for each in found if not each.name.startswith(".") and each.name not in _NEVER_A_BOT]


def _label(what: str, key: str, said: tuple[str, ...]) -> str:
    """The first that says something: flag, ``bot.toml``, the project's own files, the default."""
    chosen = next(each for each in said if each)
    if not LABEL.fullmatch(chosen):
        raise ProjectError(
            f"'{chosen}' cannot be the {what}; wanted: {_LABEL_HINT}", f'say another in bot.toml: {key} = "…"'
        )
    return chosen
