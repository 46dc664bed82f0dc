"""``bottool deploy``: a package goes to the server, whole or not at all."""

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool.cli import present
from bottool.cli.options import json_option, project_options, server_options
from bottool.cli.run import take
from bottool.cli.state import State
from bottool.errors import BottoolError, Conflict, InvalidInput, WaitTimeout
from bottool.model import Package

if TYPE_CHECKING:
    from bottool.client import Client
    from bottool.plugins import Plugins
    from bottool.wire import BotVersion

CHECK_SECONDS = 120.0
"""How long the server may take to look at a package."""


@click.command("deploy")
@click.argument("bot", default=".", metavar="[PACKAGE|FOLDER]", type=click.Path(path_type=Path))
@click.option("--release", "and_release", is_flag=True, help="Release the version at once.")
@click.option("--repository", default="DEFAULT", show_default=True, help="Folder on the server for the bot.")
@project_options
@server_options
@json_option
@click.pass_obj
def command(state: State, /, bot: Path, and_release: bool, repository: str, as_json: bool, **said: str) -> None:
    """Deploy a PACKAGE, or build the bot in FOLDER and deploy that."""
    client = state.client()
    with tempfile.TemporaryDirectory(prefix="bottool-deploy-") as work:
        package = take(state, bot, Path(work), said)
        for each in package.notes:
            click.echo(f"warning: {each.message}; deployed as that", err=True)
        deployed = deploy(state.plugins, client, package, repository=repository)
    if and_release:
        release(client, package.bot_id, package.version)
    if as_json:
        present.as_json({"bot_id": package.bot_id, "version": deployed, "released": and_release})
        return
    following = [] if and_release else [f"bottool release {package.bot_id} {package.version}"]
    present.done(
        f"deployed {package.bot_id} {package.version}{' and released it' if and_release else ''}",
        *following,
        f"bottool automation create LABEL --bot {package.bot_id} --runner MACHINE_ID",
    )


def deploy(plugins: "Plugins", client: "Client", package: Package, *, repository: str = "DEFAULT") -> "BotVersion":
    """Announce the version, send the file and wait until the server has looked at it.

    A version that was announced before, but never got its file, is taken up again.

    :raises Conflict: when the version is there already.
    :raises InvalidInput: when the server refuses the package.
    """
    from bottool.cli import rest
    from bottool.wire import NewVersion

    language = plugins.language(package.language)
    technology = language.technologies[0] if language.technologies else language.name.upper()
    new = NewVersion(version=package.version, technology=technology, command=package.command, repository=repository)
    where = rest.path("bots", package.bot_id, "versions")
    try:
        client.post(where, new)
    except Conflict:
        if not _waits_for_file(client, package):
            raise Conflict(
                f"version '{package.version}' of '{package.bot_id}' is on the server already",
                "give another with --version, or write it into the project",
            ) from None
    try:
        client.upload(f"{rest.path('bots', package.bot_id, 'versions', package.version)}/package", package.path)
    except BottoolError:
        _take_back(client, package)
        raise
    return _looked_at(client, package)


def release(client: "Client", bot_id: str, version: str) -> None:
    from bottool.cli import rest
    from bottool.wire import Release

    client.post(rest.path("bots", bot_id, "release"), Release(version=version))


def _version(client: "Client", package: Package) -> "BotVersion | None":
    from bottool.cli import rest
    from bottool.wire import Bot

    bot = client.get(rest.path("bots", package.bot_id), type=Bot)
    return next((each for each in bot.versions if each.version == package.version), None)


def _waits_for_file(client: "Client", package: Package) -> bool:
    found = _version(client, package)
    return found is not None and found.state == "empty"


def _take_back(client: "Client", package: Package) -> None:
    """Leave no version behind that will never get its file."""
    from bottool.cli import rest

    try:
        client.delete(rest.path("bots", package.bot_id, "versions", package.version))
    except BottoolError as error:
        click.echo(f"warning: {package.bot_id} {package.version} is left without a file: {error}", err=True)


def _looked_at(client: "Client", package: Package) -> "BotVersion":
    deadline = time.monotonic() + CHECK_SECONDS
    while time.monotonic() < deadline:
        found = _version(client, package)
        if found is not None and found.state == "refused":
            raise InvalidInput(
                f"the server refuses {package.bot_id} {package.version}: {'; '.join(found.findings)}",
                "'bottool inspect' may say more about the package",
            )
        if found is not None and found.state == "ready":
            if found.sha256 != package.sha256:
                raise InvalidInput(
                    f"the server refuses {package.bot_id} {package.version}: {'; '.join(found.findings)}"
                )
            return found
        time.sleep(0.2)
    raise WaitTimeout(
        f"the server still checks {package.bot_id} {package.version} after {CHECK_SECONDS:.0f} s",
        f"'bottool bot show {package.bot_id}' says how it stands",
    )
