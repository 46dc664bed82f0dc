"""The bot that a command means, and a word to the person when it lies elsewhere than they said."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool.cli.state import State

if TYPE_CHECKING:
    from bottool.model import Project


def find(state: State, path: Path, said: Mapping[str, str]) -> "Project":
    """The one bot that ``path`` means; tells where it lies when that is not ``path`` itself.

    :raises ProjectError: when there is none, or several.
    """
    from bottool import project

    found = project.find(path, state.plugins, **said)
    meant = path.resolve() if path.is_dir() else path.resolve().parent
    if found.folder != meant:
        click.echo(f"· the bot is in '{_shown(found.folder)}'", err=True)
    return found


def find_all(state: State, folder: Path, said: Mapping[str, str]) -> list[Path]:
    """The folders of all bots in ``folder``.

    :raises ProjectError: when there is none.
    :raises UsageError: when something is said that can be true of one bot only.
    """
    from bottool import project

    if said["bot_id"]:
        raise click.UsageError("--id is for one bot; leave out --all")
    return project.find_all(folder, state.plugins)


def _shown(folder: Path) -> str:
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
