"""``bottool new``: a folder with a minimal bot that runs."""

import tempfile
from pathlib import Path

import click

from bottool.cli import present
from bottool.cli.state import State
from bottool.errors import Conflict, ProjectError
from bottool.model import LABEL


@click.command("new")
@click.argument("language")
@click.argument("name")
@click.option("--template", default="", help="Another template than the language's usual one.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to write it. [default: ./NAME]")
@click.pass_obj
def command(state: State, language: str, name: str, template: str, folder: Path | None) -> None:
    """Write a minimal bot NAME in LANGUAGE into a new folder."""
    if not LABEL.fullmatch(name):
        raise ProjectError(f"'{name}' cannot be a bot's id", "letters, digits, '.', '_' and '-', at most 100")
    target = (folder or Path(name)).absolute()
    scaffold(state, language, name, template, target)
    shown = _shown(target)
    present.done(f"wrote the bot '{name}' into {shown}", f"bottool run {shown}", f"bottool deploy {shown} --release")


def scaffold(state: State, language: str, name: str, template: str, target: Path) -> None:
    """Write the bot, whole or not at all.

    :raises Conflict: when ``target`` is there already and is no empty folder.
    """
    chosen = state.plugins.language(language)
    is_there = target.exists()
    if is_there and (not target.is_dir() or any(target.iterdir())):
        raise Conflict(f"'{target}' is there already and is not empty", "use another name or --folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as work:
        fresh = Path(work) / target.name
        fresh.mkdir()
        chosen.scaffold(fresh, name, template)
        if is_there:
            target.rmdir()
        fresh.rename(target)


def _shown(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
