"""``bottool version``: of bottool, its plugins and the server it speaks to."""

import platform

import click

from bottool import __version__
from bottool.cli import present
from bottool.cli.options import json_option
from bottool.cli.plugins import found
from bottool.cli.state import State


@click.command("version")
@json_option
@click.pass_obj
def command(state: State, as_json: bool) -> None:
    """Say which versions are installed."""
    versions = of_this_machine(state)
    if as_json:
        present.as_json(versions)
    else:
        present.fields(versions)


def of_this_machine(state: State) -> dict[str, str]:
    """Names with versions: bottool, Python, the system, each plugin's distribution."""
    plugins = {each["distribution"] or each["name"]: each["version"] for each in found(state)}
    return {
        "bottool": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **plugins,
    }
