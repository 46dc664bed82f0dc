"""Writes the ``bot.toml`` of a project that has none: what was found out about it, and from where, so that it stays.

Touches nothing else, and overwrites nothing.
"""

import json
from dataclasses import replace
from pathlib import Path

from bottool import discovery
from bottool.bot_toml import FILE_NAME
from bottool.errors import Conflict, ProjectError
from bottool.model import Problem, Project
from bottool.plugins import Plugins
from bottool.project import DEFAULT_VERSION

_PLAIN_VERSION = f"no file says a version, so it starts with {DEFAULT_VERSION}"


def adopt(project: Project, plugins: Plugins) -> Path:
    """Write the ``bot.toml`` of ``project``; returns its path.

    :raises Conflict: when there is one already.
    :raises ProjectError: when it cannot be written.
    """
    path = project.folder / FILE_NAME
    text = text_of(project, plugins)
    try:
        # "x": it never takes the place of a file.
        with path.open("xb") as file:
            file.write(text.encode())
    except FileExistsError:
        raise Conflict(f"'{path}' is there already", "change it by hand; it is not overwritten") from None
    except OSError as error:
        raise ProjectError(f"'{path}' cannot be written: {error.strerror}", "may you write in this folder?") from error
    return path


def text_of(project: Project, plugins: Plugins) -> str:
    """The file, with a comment above each decision."""
    language = plugins.language(project.language)
    entry = project.entry or str(
        discovery.asked(plugins, language, "entry_of", lambda: language.entry_of(replace(project, entry="")))
    )
    lines = [
        "# What bottool found out about this bot. Change what does not fit: this file counts before all others.",
        "",
        *_noted(project.notes),
        f"id = {_quoted(project.bot_id)}",
        *([f"# {_PLAIN_VERSION}"] if project.version == DEFAULT_VERSION else []),
        f"version = {_quoted(project.version)}",
        f"language = {_quoted(project.language)}",
    ]
    lines += ["", "# what the bot starts with", f"entry = {_quoted(entry)}"] if entry else []
    return "\n".join(lines) + "\n"


def _noted(notes: tuple[Problem, ...]) -> list[str]:
    return [f"# {' '.join(note.message.split())}" for note in notes]


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
