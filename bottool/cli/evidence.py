"""``bottool task evidence``, and what has changed since a task's automation last worked."""

from pathlib import Path
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import server_options
from bottool.cli.state import State
from bottool.states import FINAL, TaskState

NOT_WELL = FINAL - {TaskState.SUCCEEDED}


@click.command("evidence")
@click.argument("task_id", type=int, metavar="TASK")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="[default: task-ID-evidence.zip]")
@click.option("--attempt", type=click.IntRange(1), help="Of this attempt. [default: the newest]")
@server_options
@click.pass_obj
def command(state: State, task_id: int, out: Path | None, attempt: int | None) -> None:
    """Save all that is known of a task as a zip: output, usage, processes, environment, events, screenshot."""
    from bottool.cli import rest

    client = state.client()
    target = out or Path(f"task-{task_id}-evidence.zip")
    client.download(f"{rest.path('tasks', task_id)}/evidence", target, query={"attempt": attempt})
    present.done(f"saved '{target}'")


def explanation(client: Any, task_id: int) -> Any:
    """The server's word on a task: why it waits, or what has changed."""
    from bottool.cli import rest
    from bottool.wire import Explanation

    return client.get(f"{rest.path('tasks', task_id)}/explain", type=Explanation)


def show_changes(why: Any) -> None:
    """What is different from the last task that worked; nothing where none did."""
    if why.last_worked is None:
        return
    click.echo(f"since task {why.last_worked}, the last one that worked:")
    for change in why.changes:
        click.echo(f"  {change.line}")
    if not why.changes:
        click.echo("  nothing that is known has changed")
    if why.unknown:
        click.echo(f"  not known of both: {', '.join(why.unknown)}")
