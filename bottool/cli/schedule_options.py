"""What is said of a schedule on a command line: when it is due, and what its tasks are like."""

from collections.abc import Callable
from typing import Any

import click

WHEN = ("cron", "unix", "once", "daily", "weekly", "monthly")


def when_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """When it is due: one of ``WHEN``, and the zone of its times."""
    for name, metavar, text in (
        ("zone", "ZONE", "Zone of its times, such as America/Sao_Paulo. [default: this machine's]"),
        ("on", "DAYS", "Days: mon,tue or weekdays; with --monthly 1,15,last."),
        ("monthly", "TIME", "At this time of the days of a month that --on names."),
        ("weekly", "TIME", "At this time of the weekdays that --on names."),
        ("daily", "TIME", "At this time of every day, such as 08:30; --on narrows it to weekdays."),
        ("once", "TIME", "Once, at this date and time, such as 2026-12-24T08:30."),
        ("unix", "EXPRESSION", "Unix cron, five fields, such as '30 8 * * 1-5'."),
        ("cron", "EXPRESSION", "Quartz cron, seconds first, such as '0 30 8 ? * MON-FRI'."),
    ):
        function = click.option(f"--{name}", name, metavar=metavar, help=text)(function)
    return function


def settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What ``create`` and ``change`` set; what is not said is ``None`` or empty."""
    for flags, options in (
        (("--description",), {"help": "What it is for."}),
        (("-p", "--parameter", "said"), {"multiple": True, "help": "NAME=VALUE, or NAME:=JSON; may be repeated."}),
        (("--parameters-file",), {"metavar": "FILE", "help": "JSON object of parameters; '-' is stdin."}),
        (("--priority",), {"type": click.IntRange(0, 10), "help": "0 to 10; 10 goes first."}),
        (("--test/--no-test",), {"default": None, "help": "Mark its tasks as tests."}),
        (
            ("--missed",),
            {
                "type": click.Choice(["skip", "once", "all"]),
                "help": "What to do with times that passed while no server ran. [default: once]",
            },
        ),
        (
            ("--missed-most",),
            {"type": click.IntRange(1, 100), "help": "With '--missed all', the newest so many. [default: 10]"},
        ),
        (("--overlap/--no-overlap",), {"default": None, "help": "Start also while a task of it waits or runs."}),
        (
            ("--until", "ends_at"),
            {"type": click.DateTime(), "help": "Nothing is due after this time, in this machine's zone."},
        ),
    ):
        function = click.option(*flags, **options)(function)
    return function


def when(said: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    """The fields of a schedule that say when; empty when nothing was said, unless it is ``required``."""
    from bottool.wire import Calendar

    given = [name for name in WHEN if said[name]]
    if len(given) > 1:
        raise click.UsageError(f"Say one of --{given[0]} and --{given[1]}.")
    if required and not given:
        raise click.UsageError("Say when: --cron, --unix, --once, --daily, --weekly or --monthly.")
    kind = given[0] if given else ""
    days = [day for day in (said["on"] or "").split(",") if day.strip()]
    if days and kind not in {"daily", "weekly", "monthly"}:
        raise click.UsageError("--on belongs to --daily, --weekly or --monthly.")
    if kind in {"daily", "weekly", "monthly"}:
        return {"calendar": Calendar(repeat=kind, time=said[kind], on=days)}  # type: ignore[arg-type]  # one of them
    dialects = {"cron": "quartz", "unix": "unix", "once": "once"}
    return {"dialect": dialects[kind], "expression": said[kind]} if kind else {}


def fields_of(client: Any, automation: str, said: dict[str, Any]) -> dict[str, Any]:
    """The other fields of a schedule, as far as they were said."""
    from bottool.cli import parameters, rest
    from bottool.wire import Automation

    plain = ("label", "description", "priority", "test", "missed", "missed_most", "overlap")
    fields = {name: said[name] for name in plain if said[name] is not None}
    if said["ends_at"]:
        fields["ends_at"] = said["ends_at"].astimezone()
    if said["parameters_file"]:
        with click.open_file(said["parameters_file"], encoding="utf-8") as file:
            fields["parameters"] = parameters.object_of(file.read(), said["parameters_file"])
    if said["said"]:
        known = client.get(rest.path("automations", automation), type=Automation)
        given = parameters.values(said["said"], known.parameters, automation)
        fields["parameters"] = fields.get("parameters", {}) | given
    return fields


def zone_here() -> str:
    """The IANA name of this machine's zone; UTC where it cannot be told."""
    from pathlib import Path

    from bottool import settings

    said = settings.base_variables().get("TZ", "").lstrip(":")
    place = said if "/" in said else str(Path("/etc/localtime").resolve())
    _, found, name = place.rpartition("zoneinfo/")
    return name if found else said or "UTC"
