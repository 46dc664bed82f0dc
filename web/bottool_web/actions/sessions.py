"""Which process speaks for a runner: one session at a time, and what it says of its machine."""

from datetime import timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict
from bottool_web.actions import checks
from bottool_web.actions.runner_words import cleaned
from bottool_web.actions.site import Site
from bottool_web.store import runners
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal


def note(tx: sa.Connection, site: Site, who: Principal, runner: Row, said: wire.Sync) -> bool:
    """Write down that the runner was here and what it has; ``runner`` is its row, locked.

    True when a page shows something else from now on: a new session, one that comes back, other words about itself.

    The same installation replaces its own session at once: it holds a lock on its machine, so the older process is
    dead. Another installation under the same machine id waits until this one was silent for a lease.

    :raises Conflict: when the machine id is in use elsewhere.
    """
    now = site.now()
    lapses_at = (runner.seen_at or now) + timedelta(seconds=site.settings.lease_seconds)
    elsewhere = runner.installation_id not in {"", said.installation_id}
    if elsewhere and runner.session_id and lapses_at > now:
        raise Conflict(
            f"another installation works as '{runner.machine_id}'",
            "give this machine an id of its own, or stop the other one and wait",
            free_in_seconds=round((lapses_at - now).total_seconds(), 1),
        )
    values = {"seen_at": now, **_words(runner, said)}
    runners.change(tx, who.scope, who.id, values)
    return _is_back(site, runner) or _differs(runner, values)


def is_as_before(site: Site, runner: Row, said: wire.Sync) -> bool:
    """True when nothing is to be written down but that the runner was here: same session, same words, never away."""
    return not _is_back(site, runner) and not _differs(runner, _words(runner, said))


def _is_back(site: Site, runner: Row) -> bool:
    return runner.seen_at is None or runner.seen_at + timedelta(seconds=2 * site.settings.hold_seconds) <= site.now()


def _differs(runner: Row, values: dict[str, Any]) -> bool:
    return any(getattr(runner, name) != value for name, value in values.items() if name != "seen_at")


def _words(runner: Row, said: wire.Sync) -> dict[str, Any]:
    return {
        "session_id": checks.text(said.session_id, "session_id", 200),
        "installation_id": checks.text(said.installation_id, "installation_id", 200),
        "slots": checks.number(said.slots, "slots", 1, 1000),
        "draining": said.draining,
        "paused": said.paused,
        "reason": cleaned(said.reason.strip())[: checks.NAME_LIMIT],
        "capabilities": msgspec.to_builtins(said.capabilities),
        "hostname": checks.name(said.hostname, "hostname") or runner.hostname,
        "system": checks.name(said.system, "system") or runner.system,
        "version": checks.name(said.version, "version") or runner.version,
    }
