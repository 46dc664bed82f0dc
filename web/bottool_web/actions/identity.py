"""Who is it: a token, a cookie, a login or an e-mail address becomes a ``Principal``, for every surface.

A person's role is read at each request, so that a change acts at once. Nothing here says what a principal may do.
"""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import Forbidden, Refused, Unauthorized
from bottool_web.actions import checks, throttle
from bottool_web.actions.passwords import (
    hash_password,
    hash_secret,
    needs_new_hash,
    new_secret,
    password_matches,
    secret_matches,
)
from bottool_web.actions.site import Site
from bottool_web.store import runners, tokens, workspaces
from bottool_web.store.scope import Principal

__all__ = [
    "acting_site",
    "end_session",
    "hash_secret",
    "login",
    "new_secret",
    "principal_of_login",
    "principal_of_session",
    "principal_of_token",
    "start_session",
]

ATTEMPT_TOKEN_LIFE = timedelta(minutes=15)
"""A bot's token lives on so long after its attempt ended: the SDKs cannot ask for another one."""
SEEN_STEP = timedelta(minutes=1)
"""A session's last use is written at most so often."""
_TOKEN = re.compile(r"btl_(workspace|account|runner|attempt)_[A-Za-z0-9_-]{20,200}")

Row = sa.Row[*tuple[Any, ...]]


def acting_site(workspace_id: int) -> Principal:
    """The site itself, for what nobody asked it to do."""
    return Principal(kind="site", id=0, name="site", role="site", workspace_id=workspace_id)


# With login and key, or with e-mail address and password.


def login(site: Site, given: wire.Login, *, address: str) -> wire.LoggedIn:
    """A token for a workspace's login and key, or for a user's e-mail address and password.

    :raises Unauthorized: when they do not fit, whichever of the two is wrong.
    :raises TooManyTries: after many wrong tries.
    """
    if given.login:
        who = principal_of_login(site, given.login, given.key, address=address)
    elif given.email:
        who = _principal_of_password(site, given, address)
    else:
        raise Refused("neither a login nor an e-mail address was given", "send login and key, or email and password")
    return site.store.write(lambda tx: _issue(tx, site, who))


def principal_of_login(site: Site, given_login: str, key: str, *, address: str) -> Principal:
    """The workspace with this login and key.

    :raises Unauthorized: when there is none.
    :raises TooManyTries: after many wrong tries.
    """
    checks.text(given_login, "login", checks.NAME_LIMIT)
    subject, now = f"workspace:{given_login}", site.now()

    def find(tx: sa.Connection) -> Principal | None:
        throttle.check(tx, subject=subject, address=address, now=now)
        found = workspaces.by_login(tx, given_login)
        if secret_matches(key, found.key_hash if found else "") and found:
            tokens.forget_failures(tx, subject=subject, address=address)
            return _workspace(found.id, found.login)
        tokens.add_failure(tx, subject=subject, address=address, now=now)
        return None

    who = site.store.write(find)
    if who is None:
        raise Unauthorized("the login or the key is wrong", "an administrator finds both in the workspace's settings")
    return who


def _principal_of_password(site: Site, given: wire.Login, address: str) -> Principal:
    email = checks.text(given.email.strip().casefold(), "email", checks.NAME_LIMIT)
    subject, now = f"account:{email}", site.now()

    def begin(tx: sa.Connection) -> Row | None:
        throttle.check(tx, subject=subject, address=address, now=now)
        # Counted as wrong until it turns out right, so that many tries at the same moment do not slip through.
        tokens.add_failure(tx, subject=subject, address=address, now=now)
        return workspaces.account_by_email(tx, email)

    found = site.store.write(begin)
    right = password_matches(given.password, found.password_hash if found else None)
    if not right or found is None or found.disabled_at is not None:
        raise Unauthorized("the e-mail address or the password is wrong")
    stronger = hash_password(given.password) if needs_new_hash(found.password_hash) else ""

    def finish(tx: sa.Connection) -> list[Row]:
        tokens.forget_failures(tx, subject=subject, address=address)
        if stronger:
            workspaces.change_password_hash(tx, found.id, stronger)
        return workspaces.memberships_of(tx, found.id)

    mine = site.store.write(finish)
    chosen = [row for row in mine if given.workspace in {"", row.label}]
    if not chosen:
        raise Forbidden(f"'{email}' does not belong to this workspace", "ask an administrator of the workspace")
    return _account(found.id, email, chosen[0].role, chosen[0].workspace_id)


def _issue(tx: sa.Connection, site: Site, who: Principal) -> wire.LoggedIn:
    secret, now = new_secret(who.kind), site.now()
    expires_at = now + timedelta(hours=site.settings.token_hours)
    tokens.add(
        tx,
        who.scope,
        tokens.NewToken(
            kind=who.kind,
            token_hash=hash_secret(secret),
            account_id=who.id if who.kind == "account" else None,
            created_at=now,
            expires_at=expires_at,
        ),
    )
    return wire.LoggedIn(token=secret, workspace=workspaces.get(tx, who.scope).label, expires_at=expires_at)


# With a token.


def principal_of_token(site: Site, token: str) -> Principal:
    """Whom the token stands for.

    :raises Unauthorized: when it is none of ours, has run out, was revoked, or its owner is gone.
    """
    who = None
    if _TOKEN.fullmatch(token):
        who = site.store.read(lambda tx: _holder(tx, tokens.by_hash(tx, hash_secret(token)), site.now()))
    if who is None:
        raise Unauthorized("the token is not valid, or not any more", "sign in again")
    return who


INTERFACES = ("maestro", "maestro_old")
"""What a workspace may switch off."""


def _holder(tx: sa.Connection, token: Row | None, now: datetime) -> Principal | None:
    if token is None or token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now):
        return None
    who = _known(tx, token, now)
    closed = frozenset(name for name in INTERFACES if not getattr(token, name))
    return replace(who, closed=closed, workspace=token.label) if who is not None else None


def _known(tx: sa.Connection, token: Row, now: datetime) -> Principal | None:
    if token.kind == "workspace":
        return _workspace(token.workspace_id, token.login)
    if token.kind == "account":
        return _member(tx, token.workspace_id, token.account_id)
    if token.kind == "runner":
        found = runners.by_id(tx, acting_site(token.workspace_id).scope, token.runner_id)
        return _runner(found) if found is not None else None
    return _attempt(token, now)


def _workspace(workspace_id: int, login: str) -> Principal:
    return Principal(kind="workspace", id=workspace_id, name=login, role="workspace", workspace_id=workspace_id)


def _account(account_id: int, email: str, role: str, workspace_id: int) -> Principal:
    return Principal(kind="account", id=account_id, name=email, role=role, workspace_id=workspace_id)


def _member(tx: sa.Connection, workspace_id: int, account_id: int) -> Principal | None:
    found = workspaces.member(tx, workspace_id, account_id)
    if found is None or found.disabled_at is not None:
        return None
    return _account(account_id, found.email, found.role, workspace_id)


def _runner(row: Row) -> Principal:
    return Principal(kind="runner", id=row.id, name=row.machine_id, role="runner", workspace_id=row.workspace_id)


def _attempt(token: Row, now: datetime) -> Principal | None:
    if token.attempt_ended_at is not None and token.attempt_ended_at + ATTEMPT_TOKEN_LIFE <= now:
        return None
    return Principal(
        kind="attempt",
        id=token.attempt_id,
        name=f"bot of task {token.task_id}",
        role="attempt",
        workspace_id=token.workspace_id,
        task_id=token.task_id,
        attempt=token.number,
    )


# With a browser's cookie.


def start_session(site: Site, email: str, password: str, address: str, *, workspace: str = "") -> tuple[str, Principal]:
    """Sign a person in: what the cookie shall hold, and who it is.

    :raises Unauthorized: as ``login``.
    """
    given = wire.Login(email=email, password=password, workspace=workspace)
    if not email.strip():
        raise Unauthorized("the e-mail address is missing")
    who, cookie, now = _principal_of_password(site, given, address), new_secret("session"), site.now()
    new = tokens.NewSession(
        token_hash=hash_secret(cookie),
        account_id=who.id,
        created_at=now,
        expires_at=now + timedelta(hours=site.settings.session_hours),
    )
    site.store.write(lambda tx: tokens.add_session(tx, who.scope, new))
    return cookie, who


def principal_of_session(site: Site, cookie: str) -> Principal:
    """:raises Unauthorized: when the session is over, was not used for too long, or never was."""
    hashed, now = hash_secret(cookie), site.now()
    idle = timedelta(minutes=site.settings.session_idle_minutes)

    def find(tx: sa.Connection) -> tuple[Principal | None, bool]:
        row = tokens.session_by_hash(tx, hashed)
        if row is None or row.expires_at <= now or row.seen_at + idle <= now:
            return None, False
        return _member(tx, row.workspace_id, row.account_id), row.seen_at + SEEN_STEP <= now

    who, stale = site.store.read(find)
    if who is None:
        raise Unauthorized("you are not signed in, or not any more", "sign in again")
    if stale:
        site.store.write(lambda tx: tokens.touch_session(tx, hashed, now))
    return who


def end_session(site: Site, cookie: str) -> None:
    """May be repeated."""
    site.store.write(lambda tx: tokens.end_session(tx, hash_secret(cookie)))
