"""``bottool bot``: the bots on the server."""

from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State


@click.group("bot")
def command() -> None:
    """See the bots on the server."""


@command.command("list")
@server_options
@json_option
@click.pass_obj
def list_bots(state: State, as_json: bool) -> None:
    """List the bots."""
    from bottool.cli import rest
    from bottool.wire import Bot

    columns = {
        "BOT": lambda bot: bot.bot_id,
        "TECHNOLOGY": lambda bot: bot.technology,
        "RELEASE": lambda bot: bot.release,
        "VERSIONS": lambda bot: len(bot.versions),
        "AUTOMATIONS": lambda bot: bot.automations,
        "REPOSITORY": lambda bot: bot.repository,
    }
    bots = rest.every(state.client(), rest.path("bots"), Bot)
    present.listing(bots, columns, json=as_json, empty="no bots; 'bottool deploy' brings one")


@command.command("show")
@click.argument("bot")
@server_options
@json_option
@click.pass_obj
def show(state: State, bot: str, as_json: bool) -> None:
    """Show BOT with its versions, newest first."""
    from bottool.cli import rest
    from bottool.wire import Bot

    found = state.client().get(rest.path("bots", bot), type=Bot)
    if as_json:
        present.as_json(found)
        return
    present.fields(
        {
            "bot": found.bot_id,
            "technology": found.technology,
            "release": found.release,
            "repository": found.repository,
            "automations": found.automations,
        }
    )
    columns = {
        "VERSION": lambda each: each.version,
        "STATE": lambda each: "released" if each.released else each.state,
        "FILE": lambda each: each.file_name,
        "SIZE": lambda each: present.size(each.size_bytes),
        "DEPENDENCIES": lambda each: each.dependencies if each.inspection == "done" else each.inspection,
        "DEPLOYED": lambda each: each.created_at,
        "BY": lambda each: each.created_by,
        "FINDINGS": lambda each: each.findings,
    }
    present.listing(found.versions, columns, json=False, empty="no version yet")


@command.command("download")
@click.argument("bot")
@click.argument("version")
@click.option("--out", default=Path(), type=click.Path(path_type=Path, file_okay=False), help="Folder. [default: .]")
@server_options
@click.pass_obj
def download(state: State, bot: str, version: str, out: Path) -> None:
    """Fetch the package of VERSION."""
    from bottool.cli import rest
    from bottool.errors import NotFound
    from bottool.wire import Bot

    client = state.client()
    found = client.get(rest.path("bots", bot), type=Bot)
    chosen = next((each for each in found.versions if each.version == version), None)
    if chosen is None:
        raise NotFound(f"'{bot}' has no version '{version}'", f"'bottool bot show {bot}' lists them")
    target = out / Path(chosen.file_name or f"{bot}-{version}").name
    client.download(f"{rest.path('bots', bot, 'versions', version)}/package", target)
    click.echo(target)


@command.command("revisions")
@click.argument("bot")
@click.argument("version")
@server_options
@json_option
@click.pass_obj
def revisions(state: State, bot: str, version: str, as_json: bool) -> None:
    """List every file that lies or lay under VERSION, newest first."""
    from bottool.cli import rest
    from bottool.wire import Revision

    found = rest.every(state.client(), rest.path("bots", bot, "versions", version, "revisions"), Revision)
    columns = {
        "REVISION": lambda each: each.number,
        "STATE": lambda each: "current" if each.current else each.state,
        "FILE": lambda each: each.file_name,
        "SIZE": lambda each: present.size(each.size_bytes),
        "SHA256": lambda each: each.sha256[:12],
        "FROM": lambda each: f"revision {each.restored_from}" if each.restored_from else "upload",
        "SINCE": lambda each: each.created_at,
        "BY": lambda each: each.created_by,
    }
    present.listing(found, columns, json=as_json, empty="no file yet; 'bottool deploy' brings one")


@command.command("restore")
@click.argument("bot")
@click.argument("version")
@click.argument("revision", required=False, type=click.IntRange(min=1))
@server_options
@json_option
@click.pass_obj
def restore(state: State, /, bot: str, version: str, revision: int | None, as_json: bool) -> None:
    """Put an older file back under VERSION: REVISION, or the one before the current, which undoes an update."""
    from bottool.cli import rest
    from bottool.wire import Bot, RestoreRevision

    where = rest.path("bots", bot, "versions", version, "restore")
    restored = state.client().post(where, RestoreRevision(revision=revision), type=Bot)
    if as_json:
        present.as_json(restored)
        return
    now = next(each for each in restored.versions if each.version == version)
    present.done(f"{bot} {version} is '{now.file_name}' again", f"bottool bot revisions {bot} {version}")


@command.command("delete")
@click.argument("bot")
@click.argument("version")
@server_options
@click.pass_obj
def delete(state: State, bot: str, version: str) -> None:
    """Delete VERSION of BOT; a released one is refused."""
    from bottool.cli import rest

    state.client().delete(rest.path("bots", bot, "versions", version))
    present.done(f"deleted {bot} {version}")


@command.command("uses")
@click.argument("name")
@click.option("--below", default="", metavar="VERSION", help="Only older versions of it.")
@click.option("--ecosystem", default="", help="pypi, maven, npm or gem. [default: all of them]")
@click.option("--released", is_flag=True, help="Only the versions that new tasks run.")
@server_options
@json_option
@click.pass_obj
def uses(state: State, /, name: str, below: str, ecosystem: str, released: bool, as_json: bool) -> None:
    """Say which bots depend on NAME, such as openpyxl, group:artifact or @scope/name.

    A version that is not known or cannot be compared is listed as unknown: it may be older.
    """
    import msgspec

    from bottool.cli import rest
    from bottool.wire import Dependent, Page

    asked = {"name": name, "below": below, "ecosystem": ecosystem, "released": "true" if released else ""}
    query = {key: value for key, value in asked.items() if value}
    page = state.client().get(rest.path("dependencies"), query=query, type=Page)
    found = msgspec.convert(page.items, list[Dependent])
    columns = {
        "BOT": lambda each: each.bot_id,
        "VERSION": lambda each: each.version,
        "STATE": lambda each: "released" if each.released else "",
        "DEPENDENCY": lambda each: f"{each.dependency.name} {each.dependency.version or '(any)'}",
        "ASKED FOR": lambda each: each.dependency.direct,
        "VERDICT": lambda each: f"below {below}" if each.verdict == "below" else each.verdict,
        "AUTOMATIONS": lambda each: each.automations,
    }
    limit = f" below {below}" if below else ""
    present.listing(found, columns, json=as_json, empty=f"no bot that was inspected depends on '{name}'{limit}")


@command.command("sbom")
@click.argument("bot")
@click.argument("version")
@server_options
@click.pass_obj
def sbom(state: State, bot: str, version: str) -> None:
    """Print the bill of materials of VERSION: CycloneDX 1.6 as JSON."""
    from bottool import sbom as bills
    from bottool.cli import rest

    made = state.client().get(rest.path("bots", bot, "versions", version, "sbom"), type=dict[str, Any])
    click.echo(bills.text(made), nl=False)
