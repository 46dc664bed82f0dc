"""``bottool adopt``: an existing project gets a ``bot.toml``; everything else in it stays as it is."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bottool.cli import present
from bottool.cli.located import find, find_all
from bottool.cli.options import folder_argument, json_option, project_options
from bottool.cli.state import State

if TYPE_CHECKING:
    from bottool.model import Project


@click.command("adopt")
@folder_argument
@click.option("--all", "every", is_flag=True, help="Every bot in FOLDER and below; those that have one are left alone.")
@project_options
@json_option
@click.pass_obj
def command(state: State, /, folder: Path, every: bool, as_json: bool, **said: str) -> None:
    """Write a bot.toml for the project in FOLDER, from what its own files say.

    The package that 'bottool build' makes is the same before and after, but for that file.
    """
    from bottool.adoption import adopt

    projects = _without_bot_toml(state, folder, said) if every else [find(state, folder, said)]
    written = {adopt(project, state.plugins): project for project in projects}
    if as_json:
        present.as_json([_described(path, project) for path, project in written.items()])
        return
    for path, project in written.items():
        click.echo(path)
        for note in project.notes:
            click.echo(f"  {note.severity}: {note.message} [{note.code}]", err=True)
    if written:
        what = "one bot.toml" if len(written) == 1 else f"{len(written)} files bot.toml"
        present.done(f"wrote {what}; look through before you commit", "bottool validate" + (" --all" if every else ""))


def _without_bot_toml(state: State, folder: Path, said: dict[str, str]) -> "list[Project]":
    from bottool import project

    found = []
    for each in find_all(state, folder, said):
        if (each / project.FILE_NAME).exists():
            click.echo(f"· '{each}' has a bot.toml already", err=True)
        else:
            found.append(project.find(each, state.plugins, **said))
    for problem in project.twice(found).values():
        click.echo(f"warning: {problem.message} [{problem.code}]", err=True)
    return found


def _described(path: Path, project: "Project") -> dict[str, Any]:
    return {
        "path": path,
        "bot_id": project.bot_id,
        "version": project.version,
        "language": project.language,
        "notes": project.notes,
    }
