"""The command ``bottool python``: what only Python bots need.

Everything heavy is imported inside the commands, so that ``bottool --help`` stays fast.
"""

from pathlib import Path

import click

from bottool.errors import ProjectError


@click.group()
def python() -> None:
    """What only Python bots need."""


@python.command()
@click.argument("package", type=click.Path(path_type=Path))
def relock(package: Path) -> None:
    """Resolve the requirements of PACKAGE anew at its next start on this machine.

    For a package without a lock, whose versions were chosen when it was first prepared here. A package with a lock is
    built anew instead: its versions are the same everywhere.
    """
    from bottool import archive
    from bottool.environments import Cache
    from bottool.model import Installation, Package
    from bottool.settings import cache_folder
    from bottool_python import environment
    from bottool_python.language import Python

    if not package.is_file():
        raise ProjectError(f"'{package}' is no file", "give the package's path")
    sha256 = archive.sha256_of(package)
    known = Package(
        path=package, bot_id="", version="", language="python", sha256=sha256, size_bytes=package.stat().st_size
    )
    store = Cache(cache_folder()).store(Python())
    environment.resolve_anew(Installation(package=known, folder=package.parent, store=store))
    click.echo(f"'{package.name}' is resolved anew at its next start on this machine")
