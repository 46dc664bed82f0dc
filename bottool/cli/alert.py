"""``bottool alert``: what people should see of a task, raised and found."""

from collections.abc import Callable
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options, task_option
from bottool.cli.state import State

TYPES = ("info", "warn", "error")
COLUMNS: dict[str, Callable[[Any], object]] = {
    "ALERT": lambda alert: alert.id,
    "AT": lambda alert: alert.at,
    "TYPE": lambda alert: alert.type,
    "TASK": lambda alert: alert.task_id,
    "AUTOMATION": lambda alert: alert.automation,
    "TITLE": lambda alert: alert.title,
    "MESSAGE": lambda alert: alert.message,
}


@click.group("alert")
def command() -> None:
    """Alerts of bots."""


@command.command("create")
@task_option
@click.option("--type", "kind", type=click.Choice(TYPES), default="info", show_default=True)
@click.option("--title", required=True, help="A few words.")
@click.option("--message", default="", help="What happened.")
@server_options
@json_option
@click.pass_obj
def create(state: State, /, as_json: bool, kind: str, **said: Any) -> None:
    """Raise an alert; whoever the task's automation tells of such gets it by mail."""
    from bottool.cli import rest
    from bottool.wire import Alert, NewAlert

    made = state.client().post(rest.path("alerts"), NewAlert(type=kind, **said), type=Alert)  # type: ignore[arg-type]
    if as_json:
        present.as_json(made)
    else:
        present.done(f"alert {made.id} of task {made.task_id}")


@command.command("list")
@click.option("--task", "task_id", type=int, help="Only alerts of this task.")
@click.option("--automation", help="Only alerts of this automation's tasks.")
@click.option("--type", type=click.Choice(TYPES), help="Only alerts of this type.")
@click.option("--search", help="Only alerts with this in their title or message.")
@click.option("--days", type=click.IntRange(1, 36_500), help="Only alerts of the last so many days.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def list_alerts(state: State, /, limit: int, as_json: bool, **query: Any) -> None:
    """List alerts, newest first."""
    from bottool.cli import rest
    from bottool.wire import Alert

    found = rest.newest(state.client(), rest.path("alerts"), Alert, query=query, limit=limit)
    present.listing(found, COLUMNS, json=as_json, empty="no alerts")
