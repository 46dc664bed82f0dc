"""``bottool error``: report an error of a bot, find it, resolve it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options, task_option
from bottool.cli.state import State

STATUSES = ("open", "resolved", "ignored")
COLUMNS: dict[str, Callable[[Any], object]] = {
    "ERROR": lambda each: each.id,
    "AT": lambda each: each.at,
    "GROUP": lambda each: each.group_id,
    "TASK": lambda each: each.task_id,
    "AUTOMATION": lambda each: each.automation,
    "TYPE": lambda each: each.type,
    "PLACE": lambda each: each.place,
    "MESSAGE": lambda each: each.message,
}
GROUP_COLUMNS: dict[str, Callable[[Any], object]] = {
    "GROUP": lambda each: each.id,
    "STATUS": lambda each: each.status,
    "TIMES": lambda each: each.count,
    "LAST": lambda each: each.last_at,
    "TYPE": lambda each: each.type,
    "PLACE": lambda each: each.place,
    "14 DAYS": lambda each: sum(each.trend),
    "AUTOMATIONS": lambda each: each.automations,
    "BOTS": lambda each: [bot.bot_id for bot in each.bots],
    "MESSAGE": lambda each: each.message,
}
an_existing_file = click.Path(path_type=Path, exists=True, dir_okay=False)
error_argument = click.argument("error_id", type=click.IntRange(min=1), metavar="ERROR")
group_argument = click.argument("group_id", type=click.IntRange(min=1), metavar="GROUP")


@click.group("error")
def command() -> None:
    """Error reports of bots."""


@command.command("create")
@task_option
@click.option("--type", "kind", required=True, help="The exception's class, or another name of the error.")
@click.option("--message", default="", help="What happened.")
@click.option("--trace-file", type=an_existing_file, help="File that holds the stack trace.")
@click.option("--language", default="", help="Language of the bot.")
@click.option("--screenshot", type=an_existing_file, help="A picture of the screen.")
@click.option("--attach", type=an_existing_file, multiple=True, help="A file to go with it; may be repeated.")
@click.option("--tag", multiple=True, metavar="NAME=VALUE", help="May be repeated.")
@server_options
@json_option
@click.pass_obj
def create(  # noqa: PLR0913  # one for each option
    state: State,
    /,
    *,
    kind: str,
    trace_file: Path | None,
    screenshot: Path | None,
    attach: tuple[Path, ...],
    tag: tuple[str, ...],
    as_json: bool,
    **said: Any,
) -> None:
    """Report an error of a task, with the files that tell of it."""
    from bottool.cli import rest
    from bottool.wire import ErrorReport, NewErrorReport

    trace = trace_file.read_text("utf-8", "replace") if trace_file else ""
    new = NewErrorReport(type=kind, stack_trace=trace, tags=_tags(tag), **said)
    client = state.client()
    made = client.post(rest.path("errors"), new, type=ErrorReport)
    _send(client, made.id, attach, screenshot)
    if as_json:
        present.as_json(client.get(rest.path("errors", made.id), type=ErrorReport))
        return
    present.done(f"error {made.id} of task {made.task_id}", f"bottool error attach {made.id} FILE")
    # Alone on stdout, for a script that goes on with it.
    click.echo(made.id)


@command.command("attach")
@error_argument
@click.argument("files", nargs=-1, type=an_existing_file, metavar="FILE…")
@click.option("--screenshot", type=an_existing_file, help="A picture of the screen, in place of the one before.")
@server_options
@json_option
@click.pass_obj
def attach_files(
    state: State, /, error_id: int, files: tuple[Path, ...], screenshot: Path | None, as_json: bool
) -> None:
    """Put FILE, or several, beside ERROR; one that is there already is kept once."""
    from bottool.cli import rest
    from bottool.errors import InvalidInput
    from bottool.wire import ErrorReport

    if not files and screenshot is None:
        raise InvalidInput("no file is said", "name a file, or say --screenshot")
    client = state.client()
    _send(client, error_id, files, screenshot)
    found = client.get(rest.path("errors", error_id), type=ErrorReport)
    if as_json:
        present.as_json(found)
    else:
        files_there = present.count(len(found.files), "file")
        present.done(f"error {error_id} has {files_there}", f"bottool error show {error_id}")


@command.command("list")
@click.option("--task", "task_id", type=int, help="Only errors of this task.")
@click.option("--group", "group_id", type=int, help="Only errors of this group.")
@click.option("--automation", help="Only errors of this automation's tasks.")
@click.option("--bot", help="Only errors of this bot; among the newest, or those of the group.")
@click.option("--search", help="Only errors with this in their type, place or message.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Only errors of the last so many days.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def list_errors(state: State, /, limit: int, as_json: bool, **query: Any) -> None:
    """List error reports, newest first."""
    from bottool.cli import rest
    from bottool.wire import ErrorReport

    found = rest.newest(state.client(), rest.path("errors"), ErrorReport, query=query, limit=limit)
    present.listing(found, COLUMNS, json=as_json, empty="no errors")


@command.command("show")
@error_argument
@server_options
@json_option
@click.pass_obj
def show(state: State, /, error_id: int, as_json: bool) -> None:
    """Show one error report with its stack trace."""
    from bottool.cli import rest
    from bottool.wire import ErrorReport

    found = state.client().get(rest.path("errors", error_id), type=ErrorReport)
    if as_json:
        present.as_json(found)
        return
    present.fields(
        {
            "error": found.id,
            "group": found.group_id,
            "task": found.task_id,
            "automation": found.automation,
            "version": f"{found.bot_id} {found.version}".strip(),
            "type": found.type,
            "place": found.place,
            "message": found.message,
            "language": found.language,
            "known": "of an older version: its group stays resolved" if found.known else "",
            "at": f"{present.moment(found.at)} by {found.created_by}",
            **found.tags,
            "files": ", ".join(f"{file.name} ({present.size(file.size_bytes)})" for file in found.files),
        }
    )
    for line in found.stack_trace.splitlines():
        click.echo(present.printable(line))


@command.command("groups")
@click.option("--status", type=click.Choice(STATUSES), help="Only groups with this status.")
@click.option("--automation", help="Only groups with errors of this automation's tasks.")
@click.option("--bot", help="Only groups with errors of this bot.")
@click.option("--search", help="Only groups with this in their type, place or newest message.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="So many that came last.")
@server_options
@json_option
@click.pass_obj
def groups(state: State, /, limit: int, as_json: bool, **query: Any) -> None:
    """List errors by type and place; those that came last first."""
    from bottool.cli import rest
    from bottool.wire import ErrorGroup

    found = rest.newest(state.client(), rest.path("error-groups"), ErrorGroup, query=query, limit=limit)
    present.listing(found, GROUP_COLUMNS, json=as_json, empty="no errors")


@command.command("group")
@group_argument
@server_options
@json_option
@click.pass_obj
def show_group(state: State, /, group_id: int, as_json: bool) -> None:
    """Show one group: its bots and versions, and how often it came on each of the last 14 days."""
    from bottool.cli import rest
    from bottool.wire import ErrorGroup

    found = state.client().get(rest.path("error-groups", group_id), type=ErrorGroup)
    if as_json:
        present.as_json(found)
        return
    changed = f" since {present.moment(found.changed_at)} by {found.changed_by}" if found.changed_at else ""
    present.fields(
        {
            "group": found.id,
            "type": found.type,
            "place": found.place,
            "message": found.message,
            "status": found.status + changed,
            "resolved at": _resolved_at(found),
            "times": f"{found.count}, {present.moment(found.first_at)} to {present.moment(found.last_at)}",
            "last 14 days": " ".join(map(str, found.trend)),
            "automations": found.automations,
            "bots": [f"{_version(bot.bot_id, bot.version, bot.revision)}: {bot.count}" for bot in found.bots],
        }
    )


@command.command("resolve")
@group_argument
@server_options
@click.pass_obj
def resolve(state: State, /, group_id: int) -> None:
    """Say that the errors of GROUP are dealt with; it opens again when one comes from a newer version."""
    _change(state, group_id, "resolved")


@command.command("ignore")
@group_argument
@server_options
@click.pass_obj
def ignore(state: State, /, group_id: int) -> None:
    """Keep GROUP out of the open errors, also when one comes again."""
    _change(state, group_id, "ignored")


@command.command("reopen")
@group_argument
@server_options
@click.pass_obj
def reopen(state: State, /, group_id: int) -> None:
    """Open GROUP again."""
    _change(state, group_id, "open")


def _change(state: State, group_id: int, status: Any) -> None:
    from bottool.cli import rest
    from bottool.wire import ErrorGroup, ErrorGroupChange

    changed = state.client().patch(
        rest.path("error-groups", group_id), ErrorGroupChange(status=status), type=ErrorGroup
    )
    present.done(f"error group {changed.id} is {changed.status}: {changed.type} {changed.place}".rstrip())
    if at := _resolved_at(changed):
        present.done(f"it opens again for a version newer than {at}")


def _send(client: Any, error_id: int, files: tuple[Path, ...], screenshot: Path | None) -> None:
    from bottool.cli import rest

    if screenshot:
        client.upload(rest.path("errors", error_id, "screenshot"), screenshot)
    for file in files:
        client.upload(rest.path("errors", error_id, "attachments"), file)


def _resolved_at(group: Any) -> str:
    """The versions at which a group was resolved."""
    if group.status != "resolved":
        return ""
    known = (bot for bot in group.bots if bot.resolved_version)
    return ", ".join(_version(bot.bot_id, bot.resolved_version, bot.resolved_revision) for bot in known)


def _version(bot_id: str, version: str, revision: int) -> str:
    return f"{bot_id} {version}".rstrip() + (f" (revision {revision})" if revision > 1 else "")


def _tags(said: tuple[str, ...]) -> dict[str, str]:
    from bottool.errors import InvalidInput

    found = {}
    for each in said:
        key, sign, value = each.partition("=")
        if not key or not sign:
            raise InvalidInput(f"'{each}' is no tag", "write it as NAME=VALUE")
        found[key] = value
    return found
