"""``bottool doctor``: what this machine can do, and why a bot does not run on it."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bottool import settings, sqlite_build
from bottool.cli import present
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State
from bottool.cli.version import of_this_machine

if TYPE_CHECKING:
    from bottool.cli.questions import Answer
    from bottool.cli.toolchains import Ability

SERVER = "bottool-web"
"""The distribution that keeps a database on this machine."""
ENOUGH_BYTES = 500_000_000
TIGHT_BYTES = 5_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """``state`` is ``ok``, ``warn`` or ``fail``; ``hint`` says what to do."""

    name: str
    state: str
    message: str
    hint: str = ""


@click.command("doctor")
@click.option("--automation", default="", metavar="LABEL", help="Say why the tasks of this automation do not run.")
@click.option("--machine-id", default="", metavar="ID", help="Runner that should run them.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), help="Folder of the runner on this machine.")
@click.option("--offline", is_flag=True, help="Do not speak to the server.")
@server_options
@json_option
@click.pass_context
def command(
    ctx: click.Context, automation: str, machine_id: str, home: Path | None, offline: bool, as_json: bool
) -> None:
    """Say which languages this machine can build and run, and what is missing.

    With --automation and --machine-id it answers why a runner does not run a bot.
    Exit status 1 when something must be mended.
    """
    from bottool.cli import toolchains

    state = ctx.ensure_object(State)
    abilities = toolchains.of(state.plugins)
    versions = of_this_machine(state)
    checks = [*_folders(), *_plugins(state), *_database(versions), *([] if offline else _server(state))]
    answers = _answers(state, automation, machine_id, home) if automation or machine_id else []
    if as_json:
        languages = [_as_object(each) for each in abilities]
        present.as_json({"versions": versions, "languages": languages, "checks": checks, "questions": answers})
    else:
        _show(versions, abilities, checks, answers)
    if any(check.state == "fail" for check in checks) or any(answer.answer == "no" for answer in answers):
        ctx.exit(1)


def _answers(state: State, automation: str, machine_id: str, home: Path | None) -> "list[Answer]":
    from bottool.cli import questions

    return questions.ask(state, automation, machine_id, home)


def _folders() -> list[Check]:
    """Are the cache and the data folder there to be written, and is there room?"""
    return [
        _folder("cache folder", settings.cache_folder(), _cache_use()),
        _folder("data folder", settings.data_folder()),
    ]


def _folder(name: str, folder: Path, used: str = "") -> Check:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(there).free
    said = f"{folder}, {present.size(free)} free{used}"
    if not _is_writable(there):
        return Check(
            name=name, state="fail", message=f"{folder} cannot be written", hint=f"allow this user into {there}"
        )
    if free < ENOUGH_BYTES:
        return Check(name=name, state="fail", message=said, hint="make room: environments and packages lie there")
    return Check(name=name, state="warn" if free < TIGHT_BYTES else "ok", message=said)


def _cache_use() -> str:
    """What the cache takes, as a runner's last look found it; ``""`` where none has looked."""
    from bottool import cache_use

    found = cache_use.summary(settings.cache_folder())
    if found is None:
        return ""
    when = present.ago(datetime.fromtimestamp(found.at, UTC))
    return f", {present.size(found.size_bytes)} in {found.things} things ({when}; see 'bottool runner cache')"


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def _plugins(state: State) -> list[Check]:
    return [
        Check(name=f"plugin {name}", state="fail", message=reason, hint="mend or remove its distribution")
        for name, reason in state.plugins.broken.items()
    ]


def _database(versions: dict[str, str]) -> list[Check]:
    """Is this machine's SQLite sound? Nothing where no server is installed."""
    if SERVER not in versions:
        return []
    try:
        found = sqlite_build.module()
    except ImportError:
        return [Check(name="SQLite", state="warn", message="this Python has none", hint="use PostgreSQL for a server")]
    version = found.sqlite_version
    if not sqlite_build.has_wal_reset_bug(found.sqlite_version_info):
        return [Check(name="SQLite", state="ok", message=f"version {version}")]
    message = f"version {version} can lose writes in its write-ahead log; a server here works without that log, slower"
    return [Check(name="SQLite", state="warn", message=message, hint="use SQLite 3.51.3 or newer, or PostgreSQL")]


def _server(state: State) -> list[Check]:
    """Is the server that is set up there, and of a version that fits? Nothing when none is set up."""
    from bottool.client import Client
    from bottool.errors import BottoolError
    from bottool.wire import PROTOCOL, Status

    address = state.client_settings().server
    if not address:
        return []
    try:
        status = Client(address, timeout_seconds=5).get("/rest/v1/status", type=Status)
    except BottoolError as error:
        return [Check(name="server", state="fail", message=str(error), hint=error.hint)]
    fits = status.protocol in {PROTOCOL, PROTOCOL + 1}
    message = f"{address} answers, version {status.version}"
    return [
        Check(name="server", state="ok" if fits else "warn", message=message, hint="" if fits else "update bottool")
    ]


def _as_object(ability: "Ability") -> dict[str, object]:
    return {
        "name": ability.name,
        "title": ability.title,
        "technologies": ability.technologies,
        "can_build": ability.can_build,
        "can_run": ability.can_run,
        "problem": ability.problem,
        "tools": ability.tools,
    }


def _show(
    versions: dict[str, str], abilities: "Sequence[Ability]", checks: Sequence[Check], answers: "Sequence[Answer]"
) -> None:
    present.fields(versions)
    click.echo()
    columns = {
        "LANGUAGE": lambda each: each.title,
        "BUILDS": lambda each: each.can_build,
        "RUNS": lambda each: each.can_run,
        "FOUND": lambda each: [f"{tool.name} {tool.version}".strip() for tool in each.tools if tool.found],
        "MISSING": lambda each: each.missing,
        "TYPE": lambda each: each.hints,
    }
    present.listing(abilities, columns, json=False, empty="no language is installed; see 'bottool plugins'")
    click.echo()
    for check in checks:
        click.echo(f"{check.state:<4} {check.name}: {check.message}")
        if check.hint:
            click.echo(f"     {check.hint}")
    for answer in answers:
        click.echo(f"{answer.answer:<7} {answer.question}: {answer.message}")
        if answer.hint:
            click.echo(f"        {answer.hint}")
