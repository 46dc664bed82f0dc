"""``bottool build``: a folder becomes one archive that can be deployed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool.cli import present
from bottool.cli.options import folder_argument, json_option, project_options
from bottool.cli.state import State
from bottool.cli.validate import show

if TYPE_CHECKING:
    from bottool.build import Built


@click.command("build")
@folder_argument
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the package. [default: FOLDER/dist]")
@click.option("--list", "with_names", is_flag=True, help="List the files in the package, and what was left out.")
@project_options
@json_option
@click.pass_obj
def command(state: State, /, folder: Path, out: Path | None, with_names: bool, as_json: bool, **said: str) -> None:
    """Build the bot in FOLDER into a package."""
    from bottool import project
    from bottool.build import build

    found = project.find(folder, state.plugins, **said)
    built = build(state.plugins, found, out or folder / "dist")
    names = _names(built.package.path) if with_names else ()
    if as_json:
        present.as_json(_described(built, names))
        return
    show(built.problems, err=True)
    for name in names:
        click.echo(name)
    for left_out in built.left_out if with_names else ():
        click.echo(f"left out: {left_out}", err=True)
    package = built.package
    if not with_names:
        click.echo(package.path)
    present.done(
        f"built {package.bot_id} {package.version} ({package.language}, {present.size(package.size_bytes)},"
        f" sha256 {package.sha256[:12]}…)",
        f"bottool deploy {package.path}",
    )


def _names(path: Path) -> tuple[str, ...]:
    from bottool import archive

    return archive.check(path).names


def _described(built: "Built", names: tuple[str, ...]) -> dict[str, object]:
    package = built.package
    return {
        "path": package.path,
        "bot_id": package.bot_id,
        "version": package.version,
        "language": package.language,
        "sha256": package.sha256,
        "size_bytes": package.size_bytes,
        "problems": built.problems,
        "left_out": built.left_out,
        **({"files": names} if names else {}),
    }
