"""``bottool inspect``: what can be told of a package without running it."""

from pathlib import Path

import click

from bottool.cli import present
from bottool.cli.options import json_option, project_options
from bottool.cli.state import State
from bottool.cli.validate import show


@click.command("inspect")
@click.argument("package", type=click.Path(path_type=Path))
@project_options
@json_option
@click.pass_obj
def command(state: State, /, package: Path, as_json: bool, **said: str) -> None:
    """Say what PACKAGE holds: its bot, entry and dependencies. Nothing in it is run."""
    from bottool.build import open_package

    found = open_package(package, state.plugins, **said)
    inspection = state.plugins.language(found.language).inspect(found)
    known = {
        "bot_id": found.bot_id,
        "version": found.version,
        "language": found.language,
        "sha256": found.sha256,
        "size_bytes": found.size_bytes,
        "entry": inspection.entry,
        "requires": inspection.requires,
    }
    if as_json:
        listed = {"dependencies": inspection.dependencies, "problems": inspection.problems}
        present.as_json(known | listed | {"manifest": dict(found.manifest)})
        return
    dependencies = [f"{each.name} {each.version}".strip() for each in inspection.dependencies]
    present.fields(known | {"size_bytes": present.size(found.size_bytes), "dependencies": dependencies})
    show(inspection.problems, err=True)
