"""The kinds of things that move, each read there and written here: bots, automations, schedules, logs, credentials.

What could start a bot comes over switched off: while both servers are on, nothing may run twice.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

from bottool import wire
from bottool.errors import BottoolError
from bottool.model import LABEL
from bottool.moving.origin import Item, Origin, flag, items, text, texts, whole, why
from bottool.moving.target import Target

TYPES = {"INTEGER": "integer", "DOUBLE": "decimal", "DECIMAL": "decimal", "BOOLEAN": "boolean", "DATE": "date"}
"""What Maestro calls a parameter's type; all others are texts."""
DEPLOY = "its package does not come over: 'bottool deploy' brings it"
PAUSED = "paused, so that nothing runs twice: 'bottool schedule resume' when Maestro's is off"


def read(origin: Origin, target: Target, kind: str, path: str) -> list[Item]:
    """All that is there of a kind; what cannot be read is said, and what came before counts."""
    found: list[Item] = []
    try:
        found.extend(origin.every(path))
    except BottoolError as error:
        target.told.add(kind, "(list)", "failed", f"could not be read: {why(error)}")
    return found


def with_label(target: Target, kind: str, found: Iterable[Item], *names: str) -> Iterator[tuple[str, Item]]:
    """Each with its label; those whose label may not be here are said."""
    for each in found:
        label = next((text(each.get(name)) for name in names if text(each.get(name))), "")
        if LABEL.fullmatch(label):
            yield label, each
        else:
            target.told.add(kind, label or "(without a label)", "failed", "this label may not be here")


def bots(origin: Origin, target: Target) -> None:
    """Bots by their ids, with the version that it shows; automations name a few more."""
    known = set(target.known("bots", wire.Bot, lambda bot: bot.bot_id))
    before = frozenset(known)
    for bot_id, each in with_label(target, "bot", read(origin, target, "bot", "bot/pagination"), "botId", "id"):
        # The same id may come once for each of its versions.
        if bot_id not in known:
            known.add(bot_id)
            _announce(target, bot_id, each)
        elif bot_id in before:
            target.told.add("bot", bot_id, "there")


def _announce(target: Target, bot_id: str, each: Item) -> None:
    new = wire.NewVersion(
        version=text(each.get("version")) or "1.0.0",
        technology=(text(each.get("technology")) or "PYTHON").upper(),
        command=text(each.get("command")),
    )
    target.make("bot", bot_id, f"bots/{quote(bot_id, safe='')}/versions", new, DEPLOY)


def automations(origin: Origin, target: Target) -> None:
    known = target.known("automations", wire.Automation, lambda each: each.label)
    bot_ids = set(target.known("bots", wire.Bot, lambda bot: bot.bot_id))
    for label, short in with_label(target, "automation", read(origin, target, "automation", "activity"), "label"):
        try:
            each = short | origin.one("activity", label)
        except BottoolError as error:
            target.told.add("automation", label, "failed", f"could not be read whole: {why(error)}")
            continue
        new = _automation(label, each)
        if label in known:
            wanted = {name: getattr(new, name) for name in ("name", "bot_id", "parameters")}
            target.compare("automation", label, known[label], wanted)
            continue
        note = "" if new.bot_id else "it names no bot"
        if new.bot_id and new.bot_id not in bot_ids and not target.dry:
            bot_ids.add(new.bot_id)
            _announce(target, new.bot_id, {"technology": each.get("technology")})
        target.make("automation", label, "automations", new, note)


def _automation(label: str, each: Item) -> wire.NewAutomation:
    bot_id = text(each.get("agentId"))
    return wire.NewAutomation(
        label=label,
        name=text(each.get("name")) or label,
        description=text(each.get("description")),
        bot_id=bot_id if LABEL.fullmatch(bot_id) else "",
        runners=[name for name in texts(each.get("machines")) if LABEL.fullmatch(name)],
        parameters=[_parameter(item) for item in items(each.get("parameters")) if text(item.get("label"))],
        priority=min(whole(each.get("priority")), 10),
    )


def _parameter(item: Item) -> wire.Parameter:
    kind: Any = TYPES.get(text(item.get("type")).upper(), "text")
    default = item.get("defaultValue")
    return wire.Parameter(
        label=text(item.get("label")),
        type=kind,
        required=flag(item.get("required"), default=False),
        default=default if isinstance(default, str | int | float) and default != "" else None,
        help=text(item.get("description")),
    )


def schedules(origin: Origin, target: Target) -> None:
    known = target.known("schedules", wire.Schedule, lambda each: each.label)
    for each in read(origin, target, "schedule", "scheduling"):
        label = _schedule_label(each)
        new = wire.NewSchedule(
            automation=text(each.get("activityLabel")),
            label=label,
            description=text(each.get("name")),
            expression=text(each.get("cron")),
            zone=text(each.get("timeZone")) or "UTC",
            parameters=each["parameters"] if isinstance(each.get("parameters"), dict) else {},
            undeclared_parameters=True,
            priority=min(whole(each.get("priority")), 10) or None,
            enabled=False,
        )
        if label in known:
            target.compare("schedule", label, known[label], {"automation": new.automation})
            continue
        target.make("schedule", label, "schedules", new, PAUSED)


def _schedule_label(each: Item) -> str:
    """The same at every repetition: its own, or made of its id."""
    own = text(each.get("label"))
    return own if LABEL.fullmatch(own) else f"maestro-{whole(each.get('id'))}"


def logs(origin: Origin, target: Target) -> None:
    """Their columns; entries stay where they are."""
    known = target.known("logs", wire.Log, lambda each: each.label)
    for label, each in with_label(target, "log", read(origin, target, "log", "log"), "label", "activityLabel"):
        columns = [
            wire.LogColumn(
                label=text(item.get("label")),
                name=text(item.get("name")),
                width=min(whole(item.get("width"), 150), 10_000),
                visible=flag(item.get("visible"), default=True),
            )
            for item in items(each.get("columns"))
            if text(item.get("label"))
        ]
        if label in known:
            target.compare("log", label, known[label], {"columns": columns})
            continue
        new = wire.NewLog(label=label, columns=columns)
        note = "its entries stay there: export them as CSV"
        target.make("log", label, "logs", new, note)


def credentials(origin: Origin, target: Target, *, values: bool) -> None:
    """Labels and keys; the values only where it is asked for and the other server gives them."""
    known = target.known("credentials", wire.Credential, lambda each: each.label)
    for label, each in with_label(target, "credential", read(origin, target, "credential", "credential"), "label"):
        keys = [text(item.get("key")) for item in items(each.get("secrets")) if text(item.get("key"))]
        if label in known:
            missing = sorted(set(keys) - set(known[label].keys))
            if missing:
                target.told.add("credential", label, "by hand", f"its values are missing: {', '.join(missing)}")
            else:
                target.told.add("credential", label, "there")
            continue
        secrets, missing = _secrets(origin, label, keys) if values and not target.dry else ([], keys)
        new = wire.NewCredential(label=label, secrets=secrets)
        note = f"set by hand: {', '.join(missing)}" if missing else ""
        target.make("credential", label, "credentials", new, note)


def _secrets(origin: Origin, label: str, keys: list[str]) -> tuple[list[wire.Secret], list[str]]:
    """What the other server gives, and the keys whose values it does not."""
    found, missing = [], []
    for key in keys:
        try:
            value = origin.text(f"credential/{quote(label, safe='')}/key/{quote(key, safe='')}")
            found.append(wire.Secret(key=key, value=value))
        except BottoolError:
            missing.append(key)
    return found, missing
