"""The settings of a data pool as options of commands, and as they are shown."""

from collections.abc import Callable
from typing import Any

import click


def settings_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a pool can be told, as options; those that are not given stay as they are."""
    for option in reversed(
        (
            click.option("--name", help="What people call it."),
            click.option("--repository", help="Folder on the server."),
            click.option("--automation", help="What the trigger starts; '' for nothing."),
            click.option(
                "--field",
                "fields",
                multiple=True,
                metavar="LABEL[:TYPE][:unique][:shown]",
                help="A field of the entries, in order; TYPE is text, integer or double.",
            ),
            click.option("--policy", type=click.Choice(["fifo", "lifo"]), help="Which goes first of equal priority."),
            click.option("--trigger", type=click.Choice(["always", "never", "no-task-active"]), help="Starts tasks."),
            click.option("--retries", "max_auto_retry", type=click.IntRange(0), help="Tries after system errors."),
            click.option("--max-errors", type=click.IntRange(0), help="So many on end switch it off; 0: never."),
            click.option("--minutes", "limit_minutes", type=click.IntRange(0), help="For one entry; 0: no limit."),
            click.option(
                "--on-attempt-end",
                type=click.Choice(["return", "error"]),
                help="What becomes of an entry when its bot ends without a word about it.",
            ),
        )
    ):
        function = option(function)
    return function


def settings_of(said: dict[str, Any]) -> dict[str, Any]:
    """What was given, as fields of a pool."""
    fields = said.pop("fields")
    found = {name: value for name, value in said.items() if value is not None}
    if "trigger" in found:
        found["trigger"] = found["trigger"].replace("-", "_")
    return found | ({"schema": [_field(each) for each in fields]} if fields else {})


def _field(said: str) -> Any:
    """A field of ``LABEL[:TYPE][:unique][:shown]``."""
    from bottool.errors import InvalidInput
    from bottool.wire import PoolField

    label, *words = said.split(":")
    kinds = [word for word in words if word in {"text", "integer", "double"}]
    unknown = set(words) - {*kinds, "unique", "shown"}
    if unknown or len(kinds) > 1:
        raise InvalidInput(f"'{said}' is no field", "as in: cpf:text:unique, total:double, name:shown", path="--field")
    kind: Any = kinds[0] if kinds else "text"
    return PoolField(label=label, type=kind, unique="unique" in words, shown="shown" in words)


def rules_of(pool: Any) -> dict[str, object]:
    fields = [
        ":".join([field.label, field.type, *(["unique"] * field.unique), *(["shown"] * field.shown)])
        for field in pool.schema
    ]
    return {
        "switched off because": pool.note or None,
        "fields": fields,
        "policy": pool.policy,
        "trigger": pool.trigger.replace("_", " "),
        "retries": pool.max_auto_retry if pool.auto_retry else 0,
        "off after errors": pool.max_errors if pool.abort_on_error and pool.max_errors else "never",
        "minutes": pool.limit_minutes if pool.limits_time and pool.limit_minutes else "no limit",
        "when a bot ends": pool.on_attempt_end,
        "seconds on average": pool.counts.average_seconds,
    }
