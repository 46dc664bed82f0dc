"""``bottool automation``: what may be asked for, with which bot, on which machines."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from bottool.cli import present
from bottool.cli.amounts import LIMIT_OPTIONS, NO_LIMIT_AT_ZERO, shown_limits
from bottool.cli.options import json_option, server_options
from bottool.cli.state import State

if TYPE_CHECKING:
    from bottool.wire import Automation

COLUMNS: dict[str, Callable[[Any], object]] = {
    "AUTOMATION": lambda each: each.label,
    "BOT": lambda each: each.bot_id or "(none yet)",
    "RUNNERS": lambda each: each.runners,
    "WAITING": lambda each: each.waiting,
    "ACTIVE": lambda each: each.active,
    "PARAMETERS": lambda each: [parameter.label for parameter in each.parameters],
    "REPOSITORY": lambda each: each.repository,
}


NOTICES = ("info", "warn", "error", "failed", "timed_out", "expired", "lost", "waiting")

DISPLAYS = ("none", "virtual", "screen")
DEPTHS = ("8", "16", "24", "30")


def _number(_context: click.Context, _option: click.Parameter, said: str | None) -> int | None:
    return None if said is None else int(said)


DISPLAY_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--display",),
        {"type": click.Choice(DISPLAYS), "help": "What its bot draws on: a virtual screen, the machine's own."},
    ),
    (
        ("--display-size",),
        {"metavar": "WxH", "help": "Pixels; of the machine's own at least so many. [default: 1280x1024]"},
    ),
    (
        ("--display-depth",),
        {"type": click.Choice(DEPTHS), "callback": _number, "help": "Bits of a virtual one. [default: 24]"},
    ),
)


@click.group("automation")
def command() -> None:
    """See, create and change automations."""


def settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What ``create`` and ``update`` set; what is not said is ``None`` or empty. A limit of 0 is none."""
    every: Sequence[tuple[tuple[str, ...], dict[str, Any]]] = (
        (("--name",), {"help": "Name for people. [default: the label]"}),
        (("--description",), {"help": "What it is for."}),
        (("--bot", "bot_id"), {"help": "Bot that its tasks run."}),
        (("--runner", "runners"), {"multiple": True, "help": "Machine id of a runner; may be repeated."}),
        (
            ("-p", "--parameter", "parameters"),
            {"multiple": True, "help": "Parameter, as NAME[:TYPE][!][=DEFAULT]; may be repeated."},
        ),
        (("--priority",), {"type": click.IntRange(0, 10), "help": "0 to 10; 10 goes first."}),
        *LIMIT_OPTIONS,
        (("--max-attempts",), {"type": click.IntRange(1), "help": "1: a task is started at most once."}),
        *DISPLAY_OPTIONS,
        (
            ("--retry-on-lost/--no-retry-on-lost",),
            {"default": None, "help": "Its machine ends the bot when contact is lost; then another attempt may start."},
        ),
        (
            ("--report-required/--no-report-required",),
            {"default": None, "help": "A bot that ends without a word has failed."},
        ),
        (
            ("--notify", "notify_users"),
            {"multiple": True, "metavar": "ADDRESS", "help": "User who is told by mail; may be repeated."},
        ),
        (
            ("--channel", "notify_channels"),
            {"multiple": True, "metavar": "LABEL", "help": "Chat channel that is told; may be repeated."},
        ),
        (
            ("--notify-of", "notify_types"),
            {"multiple": True, "type": click.Choice(NOTICES), "help": "Of which alerts and ends; may be repeated."},
        ),
        (
            ("--waiting-minutes",),
            {"type": click.IntRange(1), "help": "So long may a task wait before 'waiting' is told. [default: 30]"},
        ),
        (
            ("--credential", "credentials"),
            {"multiple": True, "metavar": "LABEL", "help": "Its bots read this and no others; may be repeated."},
        ),
        (
            ("--all-credentials/--no-credentials", "all_credentials"),
            {"default": None, "help": "Its bots read all of the workspace (as at first), or none."},
        ),
    )
    for flags, options in every:
        function = click.option(*flags, **options)(function)
    return function


def _next(made: "Automation") -> str:
    """A task of an automation without bot or runner would wait for ever."""
    missing = [*([] if made.bot_id else ["--bot BOT"]), *([] if made.runners else ["--runner MACHINE_ID"])]
    if missing:
        return f"bottool automation update {made.label} {' '.join(missing)}"
    return f"bottool task create {made.label} --wait"


@command.command("create")
@click.argument("label")
@click.option("--repository", help="Folder on the server. [default: DEFAULT]")
@settings_options
@server_options
@json_option
@click.pass_obj
def create(state: State, /, label: str, as_json: bool, **said: Any) -> None:
    """Create the automation LABEL; without --bot it may exist before its bot."""
    from bottool.cli import rest
    from bottool.wire import Automation, NewAutomation

    new = NewAutomation(label=label, **_said(said))
    made = state.client().post(rest.path("automations"), new, type=Automation)
    _present(made, as_json, f"created '{made.label}'", _next(made))


@command.command("update")
@click.argument("label")
@settings_options
@server_options
@json_option
@click.pass_obj
def update(state: State, /, label: str, as_json: bool, **said: Any) -> None:
    """Change the automation LABEL; what is not said stays. Lists are replaced as a whole."""
    from bottool.cli import rest
    from bottool.errors import InvalidInput
    from bottool.wire import Automation, AutomationChange

    change = _said(said)
    if not change:
        raise InvalidInput("nothing to change is said", "'bottool automation update --help' shows what there is")
    made = state.client().patch(rest.path("automations", label), AutomationChange(**change), type=Automation)
    _present(made, as_json, f"changed '{made.label}'")


@command.command("list")
@server_options
@json_option
@click.pass_obj
def list_automations(state: State, as_json: bool) -> None:
    """List the automations."""
    from bottool.cli import rest
    from bottool.wire import Automation

    found = rest.every(state.client(), rest.path("automations"), Automation)
    present.listing(found, COLUMNS, json=as_json, empty="no automations; 'bottool automation create LABEL' makes one")


@command.command("show")
@click.argument("label")
@server_options
@json_option
@click.pass_obj
def show(state: State, label: str, as_json: bool) -> None:
    """Show the automation LABEL."""
    from bottool.cli import rest
    from bottool.wire import Automation

    found = state.client().get(rest.path("automations", label), type=Automation)
    if as_json:
        present.as_json(found)
        return
    present.fields(
        {
            "automation": found.label,
            "name": found.name,
            "description": found.description,
            "bot": found.bot_id or "(none yet)",
            "runners": found.runners or "(none yet)",
            "parameters": [_parameter(each) for each in found.parameters],
            "priority": found.priority,
            **shown_limits(found),
            "attempts": found.max_attempts,
            "tried again when lost": found.retry_on_lost,
            "report required": found.report_required,
            "screen": _screen(found),
            "tells": [*found.notify_users, *found.notify_channels],
            "tells of": found.notify_types,
            "waits at most": f"{found.waiting_minutes} min" if "waiting" in found.notify_types else "",
            "credentials": "all" if found.credentials is None else found.credentials or "none",
            "waiting": found.waiting,
            "active": found.active,
            "repository": found.repository,
        }
    )


@command.command("delete")
@click.argument("label")
@server_options
@click.pass_obj
def delete(state: State, label: str) -> None:
    """Delete the automation LABEL; its tasks stay."""
    from bottool.cli import rest

    state.client().delete(rest.path("automations", label))
    present.done(f"deleted '{label}'")


def _said(options: dict[str, Any]) -> dict[str, Any]:
    """Only what was said, as the fields of ``NewAutomation`` and ``AutomationChange``."""
    from bottool.cli.parameters import definition
    from bottool.errors import InvalidInput

    said = {name: value for name, value in options.items() if value not in {None, ()}}
    everything = said.pop("all_credentials", None)
    if everything is not None and "credentials" in said:
        raise InvalidInput("--credential goes with neither --all-credentials nor --no-credentials", "say one of them")
    if everything is not None:
        said["credentials"] = None if everything else []
    for name in ("runners", "notify_users", "notify_channels", "notify_types"):
        if name in said:
            said[name] = list(said[name])
    if isinstance(said.get("credentials"), tuple):
        said["credentials"] = list(said["credentials"])
    if "parameters" in said:
        said["parameters"] = [definition(text) for text in said["parameters"]]
    said |= {name: None for name in NO_LIMIT_AT_ZERO if said.get(name) == 0}
    return said


def _screen(automation: Any) -> str:
    if automation.display == "none":
        return ""
    depth = f", {automation.display_depth} bits" if automation.display == "virtual" else ""
    return f"{automation.display}, {automation.display_size}{depth}"


def _parameter(parameter: Any) -> str:
    kind = f"choice({'|'.join(parameter.choices)})" if parameter.type == "choice" else parameter.type
    default = "" if parameter.default is None else f"={parameter.default}"
    return f"{parameter.label}:{kind}{'!' if parameter.required else ''}{default}"


def _present(automation: Any, as_json: bool, what: str, *following: str) -> None:
    if as_json:
        present.as_json(automation)
    else:
        present.done(what, *following)
