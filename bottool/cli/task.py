"""``bottool task``: ask for work, see it, steer it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bottool.cli import ending, evidence, present
from bottool.cli.ending import counting_options, ending_options
from bottool.cli.options import json_option, server_options, task_argument
from bottool.cli.state import State
from bottool.states import FINAL, TaskState

COLUMNS: dict[str, Callable[[Any], object]] = {
    "TASK": lambda task: task.id,
    "AUTOMATION": lambda task: task.automation,
    "STATE": lambda task: task.state,
    "ITEMS": present.items_of,
    "TOOK": present.took,
    "RUNNER": lambda task: task.machine_id,
    "CREATED": lambda task: task.created_at,
    "MESSAGE": lambda task: task.cause,
}
id_argument = click.argument("task_id", type=int, metavar="TASK")


@click.group("task")
def command() -> None:
    """Create tasks, see them, and steer them."""


@command.command("create")
@click.argument("automation")
@click.option("-p", "--parameter", "said", multiple=True, help="NAME=VALUE, or NAME:=JSON; may be repeated.")
@click.option("--parameters-file", metavar="FILE", help="JSON object of parameters; '-' is stdin.")
@click.option("--priority", type=click.IntRange(0, 10), help="0 to 10; 10 goes first. [default: the automation's]")
@click.option("--at", "earliest_at", type=click.DateTime(), help="Not before this time, in this machine's zone.")
@click.option("--test", is_flag=True, help="Mark it as a test.")
@click.option("--wait", is_flag=True, help="Wait for its end; exit status 9 when it did not succeed.")
@click.option("--follow", is_flag=True, help="As --wait, and show what the bot prints.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Seconds to wait at most; then exit status 8.")
@server_options
@json_option
@click.pass_obj
def create(state: State, /, automation: str, as_json: bool, **options: Any) -> None:
    """Create a task of AUTOMATION."""
    from bottool.cli import rest, waiting
    from bottool.wire import Task

    client = state.client()
    new = _new_task(client, automation, options)
    task = client.post(rest.path("tasks"), new, type=Task)
    waits = options["wait"] or options["follow"]
    if not as_json:
        following = [] if waits else [f"bottool task output {task.id} --follow", f"bottool task explain {task.id}"]
        present.done(f"created task {task.id}", *following)
    if waits:
        task = waiting.until_end(client, task.id, follow=options["follow"], timeout_seconds=options["timeout"])
    if as_json:
        present.as_json(task)
    if waits:
        waiting.judge(task)


def _new_task(client: Any, automation: str, options: dict[str, Any]) -> Any:
    from bottool.cli import parameters, rest
    from bottool.wire import Automation, NewTask

    given: dict[str, Any] = {}
    if options["parameters_file"]:
        with click.open_file(options["parameters_file"], encoding="utf-8") as file:
            given = parameters.object_of(file.read(), options["parameters_file"])
    if options["said"]:
        known = client.get(rest.path("automations", automation), type=Automation)
        given |= parameters.values(options["said"], known.parameters, automation)
    earliest_at = options["earliest_at"].astimezone() if options["earliest_at"] else None
    return NewTask(
        automation=automation,
        parameters=given,
        priority=options["priority"],
        earliest_at=earliest_at,
        test=options["test"],
    )


@command.command("list")
@click.option("--state", "states", multiple=True, type=click.Choice([each.value for each in TaskState]))
@click.option("--automation", help="Only tasks of this automation.")
@click.option("--machine", help="Only tasks of this runner.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def list_tasks(state: State, states: tuple[str, ...], automation: str, machine: str, limit: int, as_json: bool) -> None:
    """List tasks, newest first."""
    from bottool.cli import rest
    from bottool.wire import Task

    query = {"state": list(states), "automation": automation, "machine": machine}
    tasks = rest.newest(state.client(), rest.path("tasks"), Task, query=query, limit=limit)
    present.listing(tasks, COLUMNS, json=as_json, empty="no tasks; 'bottool task create AUTOMATION' makes one")


@command.command("show")
@task_argument
@server_options
@json_option
@click.pass_obj
def show(state: State, task_id: int, as_json: bool) -> None:
    """Show one task."""
    from bottool.cli import rest
    from bottool.wire import Task

    client = state.client()
    task = client.get(rest.path("tasks", task_id), type=Task)
    _present(task, as_json)
    if not as_json and task.state in evidence.NOT_WELL:
        evidence.show_changes(evidence.explanation(client, task_id))


@command.command("output")
@id_argument
@click.option("--follow", "-f", is_flag=True, help="Go on until the task has ended.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
@server_options
@click.pass_obj
def output(state: State, task_id: int, follow: bool, out: Path | None) -> None:
    """Show what the bot of a task printed, as it printed it."""
    from bottool.cli import rest, waiting
    from bottool.wire import Task

    client = state.client()
    client.get(rest.path("tasks", task_id), type=Task)
    if out is None:
        waiting.show_output(client, task_id, follow=follow)
        return
    with out.open("wb") as file:
        waiting.show_output(client, task_id, follow=follow, write=lambda frame: file.write(frame.data))


@command.command("events")
@id_argument
@server_options
@json_option
@click.pass_obj
def events(state: State, task_id: int, as_json: bool) -> None:
    """List what happened to a task."""
    from bottool.cli import rest
    from bottool.wire import Event

    columns = {
        "AT": lambda event: event.at,
        "ATTEMPT": lambda event: event.attempt,
        "EVENT": lambda event: event.kind,
        "STATE": lambda event: f"{event.old} → {event.new}" if event.old and event.new else event.new,
        "BY": lambda event: event.actor,
        "DETAIL": lambda event: [f"{name}={value}" for name, value in event.detail.items()],
    }
    found = rest.every(state.client(), f"{rest.path('tasks', task_id)}/events", Event)
    present.listing(found, columns, json=as_json, empty="nothing happened yet")


@command.command("explain")
@id_argument
@server_options
@json_option
@click.pass_obj
def explain(state: State, task_id: int, as_json: bool) -> None:
    """Say why a task waits; of one that did not succeed, what has changed since it last worked."""
    from bottool.cli import rest
    from bottool.wire import Explanation, Task

    why = state.client().get(f"{rest.path('tasks', task_id)}/explain", type=Explanation)
    if as_json:
        present.as_json(why)
        return
    click.echo(why.summary)
    for machine_id, reason in why.runners.items():
        click.echo(f"  {machine_id}: {reason}")
    evidence.show_changes(why)
    task = state.client().get(rest.path("tasks", task_id), type=Task)
    if task.fault is not None:
        click.echo(f"attempt {task.attempt} failed {task.fault.when}:")
        present.fields(_fault(task.fault))
        for line in task.fault.output.splitlines():
            click.echo(f"  {present.printable(line)}")


command.add_command(evidence.command)


@command.command("parameters")
@task_argument
@click.argument("name", default="")
@server_options
@click.pass_obj
def parameters_of(state: State, task_id: int, name: str) -> None:
    """Print the parameters of a task as a JSON object, or the value of one: a text as it is, all else as JSON."""
    from bottool.cli import rest
    from bottool.errors import NotFound, did_you_mean
    from bottool.wire import Task

    given = state.client().get(rest.path("tasks", task_id), type=Task).parameters
    if not name:
        present.as_json(given)
    elif name not in given:
        raise NotFound(f"task {task_id} has no parameter '{name}'", did_you_mean(name, given))
    elif isinstance(given[name], str):
        click.echo(given[name])
    else:
        present.as_json(given[name])


@command.command("finish")
@task_argument
@ending_options
@server_options
@json_option
@click.pass_obj
def finish(state: State, /, task_id: int, as_json: bool, **said: Any) -> None:
    """Store a result: of the bot's own task in a bot, else in its stead."""
    _present(ending.send(state, task_id, **said), as_json)


@command.command("report")
@task_argument
@counting_options
@server_options
@json_option
@click.pass_obj
def report(state: State, /, task_id: int, as_json: bool, **said: Any) -> None:
    """Say how far a task is; it goes on."""
    _present(ending.report(state, task_id, **said), as_json)


def _steer(verb: str, text: str) -> None:
    """A command that sends one word for one task."""

    @command.command(verb, help=text)
    @id_argument
    @server_options
    @json_option
    @click.pass_obj
    def steer(state: State, task_id: int, as_json: bool) -> None:
        from bottool.cli import rest
        from bottool.wire import Task

        _present(state.client().post(f"{rest.path('tasks', task_id)}/{verb}", type=Task), as_json)


_steer("restart", "Run a task again: under its own id if it never started, else as a new task.")
_steer("cancel", "Cancel a task that has not started.")
_steer("interrupt", "Ask the bot of a task to end by itself.")
_steer("stop", "End a task's bot now: signal, grace time, kill.")


def _fault(fault: Any) -> dict[str, object]:
    status = "" if fault.exit_status is None else f", exit status {fault.exit_status}"
    return {
        "reason": fault.reason,
        "hint": fault.hint,
        "tool": f"{fault.tool}{status}",
    }


def _present(task: Any, as_json: bool) -> None:
    if as_json:
        present.as_json(task)
        return
    present.fields(
        {
            "task": task.id,
            "automation": task.automation,
            "state": task.state + ("" if task.state in FINAL or not task.interrupted else " (asked to end)"),
            "message": task.message,
            "items": present.items_of(task),
            "took": present.took(task),
            "bot": f"{task.bot_id} {task.version}",
            "runner": task.machine_id,
            "attempt": task.attempt or "",
            "exit code": task.exit_code,
            "reason": task.reason,
            "not made ready": f"{task.fault.reason} ({task.fault.when})" if task.fault else "",
            **({name: value for name, value in _fault(task.fault).items() if name != "reason"} if task.fault else {}),
            "left behind": task.left_behind,
            "parameters": [f"{name}={value!r}" for name, value in task.parameters.items()],
            "priority": task.priority,
            "created": f"{present.moment(task.created_at)} by {task.created_by}",
            "not before": task.earliest_at,
            "ended": task.ended_at,
            "retry of": task.retry_of,
        }
    )
