"""Runners: announced by a person, registered by a machine with a code or with the workspace's login and key."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, InvalidInput, Unauthorized
from bottool_web.actions import checks, displays, throttle
from bottool_web.actions.identity import acting_site, principal_of_login
from bottool_web.actions.once import Request, once
from bottool_web.actions.passwords import hash_secret, new_secret
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.settings import SiteSettings
from bottool_web.store import audit, runners, tokens, workspaces
from bottool_web.store.scope import Principal, Scope

CODE_LIFE = timedelta(minutes=15)
LATE_HOLDS = 3
"""A runner is late when it was silent for so many of its calls' longest hold."""
# Without letters and digits that look alike on paper.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

Row = sa.Row[*tuple[Any, ...]]


@action("runner.read")
def list_runners(site: Site, who: Principal) -> list[wire.Runner]:
    """By machine id."""
    now = site.now()

    def find(tx: sa.Connection) -> list[wire.Runner]:
        running, linked = runners.running(tx, who.scope), runners.linked_automations(tx, who.scope)
        return [
            _as_people_see_it(row, site.settings, now, running=running[row.id], automations=linked[row.id])
            for row in runners.all_living(tx, who.scope)
        ]

    return site.store.read(find)


@action("runner.create")
def create_runner(site: Site, who: Principal, new: wire.NewRunner, *, idempotency_key: str = "") -> wire.Runner:
    """Make a runner that is offline until its machine registers.

    :raises Conflict: when the machine id is taken.
    """
    checks.label(new.machine_id, "machine_id")
    request = Request(act="runner.create", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Runner:
        runners.add(tx, who.scope, new.machine_id, request.now)
        audit.record(tx, who.scope, request.act, new.machine_id, request.now)
        row = runners.get(tx, who.scope, new.machine_id)
        return _as_people_see_it(row, site.settings, request.now, running=[], automations=[])

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Runner))
    site.hints.send(f"workspace:{who.workspace_id}")
    return made


@action("runner.enrol")
def create_code(site: Site, who: Principal, new: wire.NewRunner) -> wire.EnrolmentCode:
    """A code with which a machine may register once, under this machine id, within 15 minutes."""
    checks.label(new.machine_id, "machine_id")
    code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    now = site.now()
    kept = tokens.NewCode(
        code_hash=hash_secret(code), machine_id=new.machine_id, created_at=now, expires_at=now + CODE_LIFE
    )

    def keep(tx: sa.Connection) -> None:
        runners.find_or_add(tx, who.scope, new.machine_id, now)
        tokens.add_code(tx, who.scope, kept)
        audit.record(tx, who.scope, "runner.enrol", new.machine_id, now)

    site.store.write(keep)
    site.hints.send(f"workspace:{who.workspace_id}")
    return wire.EnrolmentCode(code=code, machine_id=new.machine_id, expires_at=kept.expires_at)


def register(site: Site, given: wire.Register, address: str) -> wire.Registered:
    """Give a machine its own token, for a code or for the workspace's login and key. Its older tokens end.

    :raises Unauthorized: when the code or the login and key are wrong.
    :raises Conflict: when another machine works under this machine id.
    """
    _check(given)
    by_login = None if given.code else principal_of_login(site, given.login, given.key, address=address)
    if by_login is not None and not given.machine_id:
        raise InvalidInput("the machine id is missing", "choose a name for this machine", path="machine_id")
    secret, now = new_secret("runner"), site.now()

    def make(tx: sa.Connection) -> wire.Registered | None:
        if by_login is not None:
            return _register(tx, site, given, by_login.scope, given.machine_id, secret)
        throttle.check(tx, subject="code", address=address, now=now)
        code = tokens.use_code(tx, hash_secret(given.code.strip().upper()), now)
        if code is None:
            tokens.add_failure(tx, subject="code", address=address, now=now)
            return None
        if given.machine_id not in {"", code.machine_id}:
            raise Conflict(
                f"this code is for '{code.machine_id}', not for '{given.machine_id}'", "ask for a code of your own"
            )
        return _register(tx, site, given, acting_site(code.workspace_id).scope, code.machine_id, secret)

    made = site.store.write(make)
    if made is None:
        raise Unauthorized("the code is wrong, used already or too old", "ask for a new one on the runners' page")
    return made


def _check(given: wire.Register) -> None:
    if given.machine_id:
        checks.label(given.machine_id, "machine_id")
    checks.label(given.installation_id, "installation_id")
    for field in ("hostname", "system", "version"):
        checks.name(getattr(given, field), field)


def _register(
    tx: sa.Connection, site: Site, given: wire.Register, scope: Scope, machine_id: str, secret: str
) -> wire.Registered:
    now = site.now()
    row_id = runners.find_or_add(tx, scope, machine_id, now)
    row = runners.by_id(tx, scope, row_id)
    other = row is not None and row.installation_id not in {"", given.installation_id}
    if other and row is not None and _state(row, site.settings, now) != "offline":
        raise Conflict(
            f"another machine works as '{machine_id}' at this moment", "choose another machine id, or stop that runner"
        )
    said = {
        "installation_id": given.installation_id,
        "session_id": "",
        "hostname": given.hostname,
        "system": given.system,
        "version": given.version,
    }
    runners.change(tx, scope, row_id, said)
    tokens.revoke_of_runner(tx, scope, row_id, now)
    tokens.add(
        tx,
        scope,
        tokens.NewToken(kind="runner", token_hash=hash_secret(secret), runner_id=row_id, created_at=now),
    )
    audit.record(tx, scope, "runner.register", machine_id, now, hostname=given.hostname)
    label = workspaces.get(tx, scope).label
    return wire.Registered(runner_id=row_id, machine_id=machine_id, workspace=label, token=secret)


def _state(row: Row, settings: SiteSettings, now: datetime) -> str:
    if row.seen_at is None:
        return "new"
    silent_seconds = (now - row.seen_at).total_seconds()
    if silent_seconds <= LATE_HOLDS * settings.hold_seconds:
        return "online"
    return "late" if silent_seconds <= settings.lease_seconds + settings.lost_margin_seconds else "offline"


def _as_people_see_it(
    row: Row, settings: SiteSettings, now: datetime, *, running: list[int], automations: list[str]
) -> wire.Runner:
    return wire.Runner(
        id=row.id,
        machine_id=row.machine_id,
        state=_state(row, settings, now),
        last_seen_at=row.seen_at,
        hostname=row.hostname,
        system=row.system,
        version=row.version,
        slots=row.slots,
        draining=row.draining,
        unready=row.capabilities.get("unready", []),
        paused=row.paused,
        reason=row.reason,
        languages=row.capabilities.get("languages", []),
        tools=row.capabilities.get("tools", []),
        screen=displays.described(row.capabilities),
        running=running,
        automations=automations,
        created_at=row.created_at,
    )
