"""``bottool schedule``: let automations run by themselves."""

from collections.abc import Callable
from typing import Any

import click

from bottool.cli import present
from bottool.cli.options import json_option, server_options
from bottool.cli.schedule_options import fields_of, settings_options, when, when_options, zone_here
from bottool.cli.state import State

COLUMNS: dict[str, Callable[[Any], object]] = {
    "SCHEDULE": lambda each: each.label,
    "AUTOMATION": lambda each: each.automation,
    "WHEN": lambda each: f"{each.words or each.expression} ({each.zone})",
    "STATE": lambda each: each.state,
    "NEXT": lambda each: each.next_at,
    "LAST": lambda each: _came_of(each.last_run) if each.last_run else "",
}
argument = click.argument("schedule")


@click.group("schedule")
def command() -> None:
    """Let automations run by themselves: schedules."""


@command.command("create")
@click.argument("automation")
@click.option("--label", help="Its label. [default: the automation's]")
@when_options
@settings_options
@click.option("--paused", is_flag=True, help="Let it not fire yet.")
@server_options
@json_option
@click.pass_obj
def create(state: State, /, automation: str, as_json: bool, paused: bool, **said: Any) -> None:
    """Let AUTOMATION run by itself."""
    from bottool.cli import rest
    from bottool.wire import NewSchedule, Schedule

    client = state.client()
    due = when(said, required=True)
    fields = fields_of(client, automation, said)
    zone = said["zone"] or zone_here()
    new = NewSchedule(automation=automation, **(due | fields | {"zone": zone, "enabled": not paused}))
    made = client.post(rest.path("schedules"), new, type=Schedule)
    _present(
        made, as_json, f"created '{made.label}': {made.words} ({made.zone})", f"bottool schedule show {made.label}"
    )


@command.command("change")
@argument
@click.option("--label", help="A new label.")
@click.option("--automation", help="Let another automation run.")
@when_options
@settings_options
@server_options
@json_option
@click.pass_obj
def change(state: State, /, schedule: str, as_json: bool, **said: Any) -> None:
    """Change SCHEDULE; what is not said stays. Parameters are replaced as a whole."""
    from bottool.cli import rest
    from bottool.errors import InvalidInput
    from bottool.wire import Schedule, ScheduleChange

    client = state.client()
    automation = said["automation"]
    if said["said"] and not automation:
        automation = client.get(rest.path("schedules", schedule), type=Schedule).automation
    fields = when(said) | fields_of(client, automation, said)
    fields |= {name: said[name] for name in ("zone", "automation") if said[name]}
    if not fields:
        raise InvalidInput("nothing to change is said", "'bottool schedule change --help' shows what there is")
    made = client.patch(rest.path("schedules", schedule), ScheduleChange(**fields), type=Schedule)
    _present(made, as_json, f"changed '{made.label}': {made.words} ({made.zone})")


@command.command("list")
@click.option("--automation", help="Only those of this automation.")
@click.option("--state", "wanted", type=click.Choice(["active", "paused", "over"]), help="Only those in this state.")
@click.option("--search", help="Only those that have this somewhere.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def list_schedules(state: State, automation: str, wanted: str, search: str, limit: int, as_json: bool) -> None:
    """List the schedules, newest first."""
    from bottool.cli import rest
    from bottool.wire import Schedule

    query = {"automation": automation, "state": wanted, "search": search}
    found = rest.newest(state.client(), rest.path("schedules"), Schedule, query=query, limit=limit)
    empty = "no schedules; 'bottool schedule create AUTOMATION --daily 08:30' makes one"
    present.listing(found, COLUMNS, json=as_json, empty=empty)


@command.command("show")
@argument
@server_options
@json_option
@click.pass_obj
def show(state: State, schedule: str, as_json: bool) -> None:
    """Show SCHEDULE, a label or an id, and when it is due next."""
    from bottool.cli import rest
    from bottool.wire import Preview, Schedule, Wish

    client = state.client()
    found = client.get(rest.path("schedules", schedule), type=Schedule)
    if as_json:
        present.as_json(found)
        return
    following: list[str] = []
    if found.next_at:
        wish = Wish(dialect=found.dialect, expression=found.expression, zone=found.zone)
        following = client.post(rest.path("schedule-preview"), wish, type=Preview).local
    _show(found, following)


@command.command("preview")
@when_options
@click.option("--count", type=click.IntRange(1, 100), default=5, show_default=True, help="So many due times.")
@server_options
@json_option
@click.pass_obj
def preview(state: State, /, count: int, as_json: bool, **said: Any) -> None:
    """Show when something would be due; nothing is made."""
    from bottool.cli import rest
    from bottool.wire import Preview, Wish

    due = when(said, required=True)
    wish = Wish(**(due | {"zone": said["zone"] or zone_here(), "count": count}))
    found = state.client().post(rest.path("schedule-preview"), wish, type=Preview)
    if as_json:
        present.as_json(found)
        return
    click.echo(f"{found.words} ({found.zone}), as {found.dialect}: {found.expression}")
    for line in found.local or ["nothing lies ahead"]:
        click.echo(f"  {line}")
    for note in found.notes:
        click.echo(f"note: {note}", err=True)


@command.command("runs")
@argument
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="The newest so many.")
@server_options
@json_option
@click.pass_obj
def runs(state: State, schedule: str, limit: int, as_json: bool) -> None:
    """List what came of the due times of SCHEDULE, newest first."""
    from bottool.cli import rest
    from bottool.wire import ScheduleRun

    where = f"{rest.path('schedules', schedule)}/runs"
    columns: dict[str, Callable[[Any], object]] = {
        "DUE": lambda run: run.at,
        "OUTCOME": lambda run: run.outcome,
        "TIMES": lambda run: run.times,
        "TASK": lambda run: run.task_id,
        "STATE": lambda run: run.task_state,
        "REASON": lambda run: run.reason,
    }
    found = rest.newest(state.client(), where, ScheduleRun, query={}, limit=limit)
    present.listing(found, columns, json=as_json, empty="nothing was due yet")


@command.command("run")
@argument
@server_options
@json_option
@click.pass_obj
def run(state: State, schedule: str, as_json: bool) -> None:
    """Make a task of SCHEDULE now, beside its due times."""
    from bottool.cli import rest
    from bottool.wire import Task

    task = state.client().post(f"{rest.path('schedules', schedule)}/run", type=Task)
    _present(task, as_json, f"created task {task.id}", f"bottool task output {task.id} --follow")


@command.command("delete")
@argument
@server_options
@click.pass_obj
def delete(state: State, schedule: str) -> None:
    """Delete SCHEDULE; its tasks stay."""
    from bottool.cli import rest

    state.client().delete(rest.path("schedules", schedule))
    present.done(f"deleted '{schedule}'")


def _switch(verb: str, done: str, text: str) -> None:
    """A command that pauses or resumes."""

    @command.command(verb, help=text)
    @argument
    @server_options
    @json_option
    @click.pass_obj
    def switch(state: State, schedule: str, as_json: bool) -> None:
        from bottool.cli import rest
        from bottool.wire import Schedule

        made = state.client().post(f"{rest.path('schedules', schedule)}/{verb}", type=Schedule)
        _present(made, as_json, f"{done} '{made.label}'")


_switch("pause", "paused", "Let SCHEDULE not fire until it is resumed.")
_switch("resume", "resumed", "Let SCHEDULE fire again, from its next due time on.")


def _came_of(run: Any) -> str:
    return f"#{run.task_id} {run.task_state}" if run.task_id else f"skipped: {run.reason}"


def _show(found: Any, following: list[str]) -> None:
    rules = {"all": f"make up for the newest {found.missed_most}", "once": "make up for the newest", "skip": "skip"}
    present.fields(
        {
            "schedule": f"{found.label} (id {found.id})",
            "automation": found.automation,
            "description": found.description,
            "when": found.words,
            "expression": f"{found.expression} ({found.dialect})",
            "zone": found.zone,
            "state": f"{found.state}{': ' + found.note if found.note else ''}",
            "until": found.ends_at,
            "last": f"{present.moment(found.last_run.at)}: {_came_of(found.last_run)}" if found.last_run else "",
            "missed times": rules[found.missed],
            "overlap": found.overlap,
            "parameters": [f"{name}={value!r}" for name, value in found.parameters.items()],
            "priority": found.priority,
            "test": found.test or "",
            "created": f"{present.moment(found.created_at)} by {found.created_by}",
        }
    )
    for number, line in enumerate(following):
        click.echo(f"{'next' if not number else '    '}  {line}")


def _present(made: Any, as_json: bool, what: str, *following: str) -> None:
    if as_json:
        present.as_json(made)
    else:
        present.done(what, *following)
