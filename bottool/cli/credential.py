"""``bottool credential``: secrets for bots. Values come by prompt, from a file or from stdin, never as arguments."""

from collections.abc import Callable
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State

COLUMNS: dict[str, Callable[[Any], object]] = {
    "CREDENTIAL": lambda each: each.label,
    "KEYS": lambda each: each.keys,
    "REPOSITORY": lambda each: each.repository,
    "CHANGED": lambda each: each.changed_at,
    "BY": lambda each: each.created_by,
}
label_argument = click.argument("label", metavar="CREDENTIAL")
key_argument = click.argument("key", metavar="KEY")


@click.group("credential")
def command() -> None:
    """Secrets for bots."""


@command.command("create")
@label_argument
@click.option("--repository", default="DEFAULT", show_default=True, help="Folder on the server.")
@server_options
@json_option
@click.pass_obj
def create(state: State, /, label: str, repository: str, as_json: bool) -> None:
    """Make CREDENTIAL, without keys yet."""
    from bottool.cli import rest
    from bottool.wire import Credential, NewCredential

    new = NewCredential(label=label, repository=repository)
    made = state.client().post(rest.path("credentials"), new, type=Credential)
    if as_json:
        present.as_json(made)
    else:
        present.done(f"created '{made.label}'", f"bottool credential set {made.label} KEY")


@command.command("list")
@server_options
@json_option
@click.pass_obj
def list_credentials(state: State, /, as_json: bool) -> None:
    """List credentials and their keys."""
    from bottool.cli import rest
    from bottool.wire import Credential

    found = rest.every(state.client(), rest.path("credentials"), Credential)
    present.listing(found, COLUMNS, json=as_json, empty="no credentials; 'bottool credential create CREDENTIAL'")


@command.command("show")
@label_argument
@server_options
@json_option
@click.pass_obj
def show(state: State, /, label: str, as_json: bool) -> None:
    """Show the keys of CREDENTIAL."""
    from bottool.cli import rest
    from bottool.wire import Credential

    found = state.client().get(rest.path("credentials", label), type=Credential)
    if as_json:
        present.as_json(found)
    else:
        present.fields({title.lower(): read(found) for title, read in COLUMNS.items()})


@command.command("set")
@label_argument
@key_argument
@click.option("--value-file", metavar="FILE", help="File with the value, as it is; '-' is stdin. [default: ask]")
@server_options
@click.pass_obj
def set_value(state: State, /, label: str, key: str, value_file: str | None) -> None:
    """Set the value of KEY, also of a new one."""
    from bottool.cli import rest
    from bottool.cli.secret import ask_secret
    from bottool.wire import Credential, SecretValue

    value = _whole(value_file) if value_file else ask_secret("value", "--value-file")
    where = rest.path("credentials", label, "secrets", key)
    changed = state.client().patch(where, SecretValue(value=value), type=Credential)
    present.done(f"'{changed.label}' has {present.count(len(changed.keys), 'key')}")


@command.command("get")
@label_argument
@key_argument
@server_options
@click.pass_obj
def get(state: State, /, label: str, key: str) -> None:
    """Print the value of KEY, as it is. That is written down on the server."""
    from bottool.cli import rest
    from bottool.wire import SecretValue

    where = f"{rest.path('credentials', label, 'secrets', key)}/reveal"
    click.echo(state.client().post(where, type=SecretValue).value)


@command.command("remove")
@label_argument
@key_argument
@server_options
@click.pass_obj
def remove(state: State, /, label: str, key: str) -> None:
    """Take KEY away."""
    from bottool.cli import rest

    state.client().delete(rest.path("credentials", label, "secrets", key))
    present.done(f"'{label}' has no key '{key}' any more")


@command.command("delete")
@label_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@server_options
@click.pass_obj
def delete(state: State, /, label: str, yes: bool) -> None:
    """Delete CREDENTIAL and its values."""
    from bottool.cli import rest

    if not yes:
        click.confirm(f"Delete '{label}' and its values?", abort=True)
    state.client().delete(rest.path("credentials", label))
    present.done(f"deleted '{label}'")


def _whole(file: str) -> str:
    """The file's text without the line break at its end: a private key has lines of its own."""
    with click.open_file(file, encoding="utf-8") as opened:
        text: str = opened.read()
    return text.removesuffix("\n").removesuffix("\r")
