"""``bottool runner``: the machines that run bots. The runner's own distribution adds ``start`` here."""

from typing import TYPE_CHECKING

import click

from bottool.cli import present
from bottool.cli.groups import PluggableGroup
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State

if TYPE_CHECKING:
    from bottool.wire import Runner


@click.group("runner", cls=PluggableGroup)
def command() -> None:
    """See the machines that run bots, let a new one in, and be one."""


@command.command("list")
@server_options
@json_option
@click.pass_obj
def list_runners(state: State, as_json: bool) -> None:
    """List the runners and what they do."""
    from bottool.cli import rest
    from bottool.wire import Runner

    columns = {
        "MACHINE ID": lambda runner: runner.machine_id,
        "STATE": _state,
        "SEEN": lambda runner: present.ago(runner.last_seen_at),
        "HOST": lambda runner: runner.hostname,
        "SLOTS": lambda runner: f"{len(runner.running)}/{runner.slots}",
        "LANGUAGES": lambda runner: runner.languages,
        "AUTOMATIONS": lambda runner: runner.automations,
    }
    runners = rest.every(state.client(), rest.path("runners"), Runner)
    present.listing(runners, columns, json=as_json, empty="no runners; 'bottool runner code MACHINE_ID' lets one in")


@command.command("code")
@click.argument("machine_id")
@server_options
@json_option
@click.pass_obj
def code(state: State, machine_id: str, as_json: bool) -> None:
    """Make a code, usable once, with which the machine MACHINE_ID may register."""
    from bottool.cli import rest
    from bottool.wire import EnrolmentCode, NewRunner

    client = state.client()
    made = client.post(rest.path("runners", "codes"), NewRunner(machine_id=machine_id), type=EnrolmentCode)
    if as_json:
        present.as_json(made)
        return
    click.echo(made.code)
    present.done(
        f"valid until {present.moment(made.expires_at)}, once; on that machine:",
        f"bottool runner start --server {state.client_settings().server} --machine-id {machine_id} --code {made.code}",
    )


def _state(runner: "Runner") -> str:
    said = runner.state
    if runner.draining and runner.state != "offline":
        said = "paused" if runner.paused else "draining"
        said = f"{said}: {runner.reason}" if runner.reason else said
    return "; ".join([said, *runner.unready])
