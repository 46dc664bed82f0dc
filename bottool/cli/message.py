"""``bottool message``: mail to people, and what became of it."""

from collections.abc import Callable
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import TASK_VARIABLE, json_option, server_options
from bottool.cli.state import State

STATES = ("waiting", "sent", "failed")
COLUMNS: dict[str, Callable[[Any], object]] = {
    "MESSAGE": lambda each: each.id,
    "AT": lambda each: each.at,
    "SUBJECT": lambda each: each.subject,
    "TO": lambda each: [_delivery(one) for one in each.deliveries],
    "BY": lambda each: each.created_by,
    "TASK": lambda each: each.task_id,
}


@click.group("message")
def command() -> None:
    """Messages to people."""


@command.command("send")
@click.option("--to", "emails", multiple=True, metavar="ADDRESS", help="An e-mail address; may be repeated.")
@click.option("--user", "logins", multiple=True, metavar="ADDRESS", help="A user of the workspace; may be repeated.")
@click.option("--subject", required=True)
@click.option("--body", default="", help="The text.")
@click.option("--body-file", type=click.File(encoding="utf-8"), help="File with the text; '-' is stdin.")
@click.option("--html", is_flag=True, help="The text is HTML.")
@click.option("--task", "task_id", type=int, envvar=TASK_VARIABLE, help=f"The task. [{TASK_VARIABLE}]")
@server_options
@json_option
@click.pass_obj
def send(state: State, /, as_json: bool, **said: Any) -> None:
    """Send a message; the server delivers it as soon as its mail server takes it."""
    from bottool.cli import rest
    from bottool.errors import InvalidInput
    from bottool.wire import NewMessage, SentMessage

    if said["body"] and said["body_file"]:
        raise InvalidInput("'--body' and '--body-file' are both said", "say one of them")
    new = NewMessage(
        emails=list(said["emails"]),
        logins=list(said["logins"]),
        subject=said["subject"],
        body=said["body_file"].read() if said["body_file"] else said["body"],
        type="html" if said["html"] else "text",
        task_id=said["task_id"],
    )
    made = state.client().post(rest.path("messages"), new, type=SentMessage)
    if as_json:
        present.as_json(made)
    else:
        present.done(f"message {made.id} waits to be sent", "bottool message list")


@command.command("list")
@click.option("--task", "task_id", type=int, help="Only messages of this task.")
@click.option("--state", type=click.Choice(STATES), help="Only those of which a delivery is so.")
@click.option("--search", help="Only those with this in subject, text or address.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Only messages of the last so many days.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def list_messages(state: State, /, limit: int, as_json: bool, **query: Any) -> None:
    """List messages and what became of them, newest first."""
    from bottool.cli import rest
    from bottool.wire import SentMessage

    found = rest.newest(state.client(), rest.path("messages"), SentMessage, query=query, limit=limit)
    present.listing(found, COLUMNS, json=as_json, empty="no messages")


@command.command("resend")
@click.argument("delivery_id", type=click.IntRange(min=1), metavar="DELIVERY")
@server_options
@click.pass_obj
def resend(state: State, /, delivery_id: int) -> None:
    """Let a delivery that failed, or that was sent, go out once more; 'list --json' tells its id."""
    from bottool.cli import rest

    state.client().post(f"{rest.path('deliveries', delivery_id)}/resend")
    present.done(f"delivery {delivery_id} waits again")


@command.command("channel-create")
@click.argument("label")
@click.option(
    "--address-file",
    required=True,
    type=click.File(encoding="utf-8"),
    help="File with the address, such as slack://…; '-' is stdin.",
)
@server_options
@json_option
@click.pass_obj
def channel_create(state: State, /, label: str, address_file: Any, as_json: bool) -> None:
    """Set up the chat channel LABEL; the server keeps its address sealed and shows it to nobody."""
    from bottool.cli import rest
    from bottool.wire import Channel, NewChannel

    new = NewChannel(label=label, address=address_file.read().strip())
    made = state.client().post(rest.path("channels"), new, type=Channel)
    if as_json:
        present.as_json(made)
    else:
        present.done(f"channel '{made.label}' is set up", f"bottool message channel-test {made.label}")


@command.command("channel-list")
@server_options
@json_option
@click.pass_obj
def channel_list(state: State, /, as_json: bool) -> None:
    """List the chat channels."""
    from bottool.cli import rest
    from bottool.wire import Channel

    columns: dict[str, Callable[[Any], object]] = {
        "CHANNEL": lambda each: each.label,
        "SERVICE": lambda each: each.service,
        "CREATED": lambda each: each.created_at,
        "BY": lambda each: each.created_by,
    }
    found = rest.every(state.client(), rest.path("channels"), Channel)
    present.listing(found, columns, json=as_json, empty="no channels")


@command.command("channel-test")
@click.argument("label")
@server_options
@click.pass_obj
def channel_test(state: State, /, label: str) -> None:
    """Send a short message to the chat channel LABEL."""
    from bottool.cli import rest
    from bottool.wire import SentMessage

    made = state.client().post(f"{rest.path('channels', label)}/test", type=SentMessage)
    present.done(f"message {made.id} waits to be sent", "bottool message list")


@command.command("channel-delete")
@click.argument("label")
@server_options
@click.pass_obj
def channel_delete(state: State, /, label: str) -> None:
    """Forget the chat channel LABEL and its address."""
    from bottool.cli import rest

    state.client().delete(rest.path("channels", label))
    present.done(f"forgot channel '{label}'")


def _delivery(one: Any) -> str:
    trouble = f" ({one.last_error})" if one.last_error and one.state != "sent" else ""
    return f"{one.address or one.channel or '?'}: {one.state}{trouble}"
