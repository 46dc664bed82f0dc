"""``bottool plugins``: what is installed, and why something does not work."""

from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option
from bottool.cli.state import State


@click.command("plugins")
@json_option
@click.pass_obj
def command(state: State, as_json: bool) -> None:
    """List the plugins, their languages, and those that were left out."""
    present.listing(found(state), COLUMNS, json=as_json, empty="no plugin is installed")


COLUMNS = {
    "PLUGIN": lambda each: each["name"],
    "DISTRIBUTION": lambda each: each["distribution"],
    "VERSION": lambda each: each["version"],
    "LANGUAGES": lambda each: each["languages"],
    "STATE": lambda each: each["problem"] or "works",
}


def found(state: State) -> list[dict[str, Any]]:
    """One entry per plugin, by name; ``problem`` is empty for one that works."""
    from importlib.metadata import entry_points

    from bottool.plugins import GROUP

    plugins = state.plugins
    origins = {point.name: point.dist for point in entry_points(group=GROUP)}
    listed = []
    for name in sorted({*plugins.names, *plugins.broken}):
        origin = origins.get(name)
        listed.append(
            {
                "name": name,
                "distribution": origin.name if origin else "",
                "version": origin.version if origin else "",
                "languages": [each for each in plugins.languages if plugins.owner(each) == name],
                "problem": plugins.broken.get(name, ""),
            }
        )
    return listed
