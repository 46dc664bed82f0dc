"""Sessions, tokens, registration codes and failed sign-ins. Only hashes are stored.

Functions without a ``Scope`` serve signing in, where nobody is known yet, and the clock.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool_web.store.scope import Scope
from bottool_web.store.tables import attempt, enrolment_code, login_failure, session, token, workspace

Row = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """``kind`` is workspace, account, runner or attempt; the id of whom it stands for is set accordingly."""

    kind: str
    token_hash: str
    created_at: datetime
    expires_at: datetime | None = None
    account_id: int | None = None
    runner_id: int | None = None
    attempt_id: int | None = None


def add(tx: sa.Connection, scope: Scope, new: NewToken) -> None:
    tx.execute(
        sa.insert(token).values(
            workspace_id=scope.workspace_id,
            kind=new.kind,
            token_hash=new.token_hash,
            account_id=new.account_id,
            runner_id=new.runner_id,
            attempt_id=new.attempt_id,
            created_at=new.created_at,
            expires_at=new.expires_at,
        )
    )


# Asked at every request, so it is built once: building it takes longer than the database does.
_BY_HASH = (
    sa.select(
        token,
        attempt.c.task_id,
        attempt.c.number,
        attempt.c.ended_at.label("attempt_ended_at"),
        workspace.c.label,
        workspace.c.login,
        workspace.c.maestro,
        workspace.c.maestro_old,
    )
    .join(workspace, workspace.c.id == token.c.workspace_id)
    .outerjoin(attempt, attempt.c.id == token.c.attempt_id)
    .where(token.c.token_hash == sa.bindparam("hash"))
)


def by_hash(tx: sa.Connection, token_hash: str) -> Row | None:
    """The token with, for an attempt's, its ``task_id``, ``number`` and ``attempt_ended_at``; and the workspace's
    ``label``, ``login``, and switches ``maestro`` and ``maestro_old``.
    """
    return tx.execute(_BY_HASH, {"hash": token_hash}).one_or_none()


def revoke_of_runner(tx: sa.Connection, scope: Scope, runner_id: int, now: datetime) -> None:
    """End every token of the runner; a registration gives it a new one."""
    tx.execute(
        sa.update(token)
        .where(token.c.workspace_id == scope.workspace_id, token.c.runner_id == runner_id, token.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    token_hash: str
    account_id: int
    created_at: datetime
    expires_at: datetime


def add_session(tx: sa.Connection, scope: Scope, new: NewSession) -> None:
    tx.execute(
        sa.insert(session).values(
            workspace_id=scope.workspace_id,
            token_hash=new.token_hash,
            account_id=new.account_id,
            created_at=new.created_at,
            seen_at=new.created_at,
            expires_at=new.expires_at,
        )
    )


def session_by_hash(tx: sa.Connection, token_hash: str) -> Row | None:
    return tx.execute(sa.select(session).where(session.c.token_hash == token_hash)).one_or_none()


def touch_session(tx: sa.Connection, token_hash: str, now: datetime) -> None:
    tx.execute(sa.update(session).where(session.c.token_hash == token_hash).values(seen_at=now))


def end_session(tx: sa.Connection, token_hash: str) -> None:
    """May be repeated."""
    tx.execute(sa.delete(session).where(session.c.token_hash == token_hash))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Failed sign-ins since a moment: of this name from this address, of the name at all, of the address at all.

    ``last_at`` is the newest that counts for any of them; ``None`` when there is none.
    """

    pair: int
    subject: int
    address: int
    last_at: datetime | None


def failures(tx: sa.Connection, *, subject: str, address: str, since: datetime) -> Tries:
    of_subject, of_address = login_failure.c.subject == subject, login_failure.c.address == address
    row = tx.execute(
        sa.select(
            sa.func.count().filter(of_subject & of_address),
            sa.func.count().filter(of_subject),
            sa.func.count().filter(of_address),
            sa.func.max(login_failure.c.at),
        ).where(login_failure.c.at > since, of_subject | of_address)
    ).one()
    return Tries(pair=row[0], subject=row[1], address=row[2], last_at=row[3])


def add_failure(tx: sa.Connection, *, subject: str, address: str, now: datetime) -> int:
    made: int = tx.execute(
        sa.insert(login_failure).values(subject=subject, address=address, at=now).returning(login_failure.c.id)
    ).scalar_one()
    return made


def forget_failures(tx: sa.Connection, *, subject: str, address: str) -> None:
    """After a sign-in that went well."""
    tx.execute(sa.delete(login_failure).where(login_failure.c.subject == subject, login_failure.c.address == address))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    code_hash: str
    machine_id: str
    created_at: datetime
    expires_at: datetime


def add_code(tx: sa.Connection, scope: Scope, new: NewCode) -> None:
    tx.execute(
        sa.insert(enrolment_code).values(
            workspace_id=scope.workspace_id,
            code_hash=new.code_hash,
            machine_id=new.machine_id,
            created_at=new.created_at,
            expires_at=new.expires_at,
        )
    )


def use_code(tx: sa.Connection, code_hash: str, now: datetime) -> Row | None:
    """Take the code, once: workspace_id and machine_id; ``None`` when it is unknown, used or too old."""
    return tx.execute(
        sa.update(enrolment_code)
        .where(
            enrolment_code.c.code_hash == code_hash,
            enrolment_code.c.used_at.is_(None),
            enrolment_code.c.expires_at > now,
        )
        .values(used_at=now)
        .returning(enrolment_code.c.workspace_id, enrolment_code.c.machine_id)
    ).one_or_none()


def purge(tx: sa.Connection, *, now: datetime, idle_before: datetime, kept_since: datetime) -> None:
    """Drop sessions that are over or were idle too long, and tokens, codes and failures that ended long ago.

    A bot's token says itself no end: it ends with its attempt.
    """
    tx.execute(sa.delete(session).where((session.c.expires_at <= now) | (session.c.seen_at <= idle_before)))
    tx.execute(sa.delete(token).where((token.c.expires_at <= kept_since) | (token.c.revoked_at <= kept_since)))
    over = sa.exists().where(attempt.c.id == token.c.attempt_id, attempt.c.ended_at <= kept_since)
    tx.execute(sa.delete(token).where(token.c.attempt_id.is_not(None), over))
    tx.execute(sa.delete(enrolment_code).where(enrolment_code.c.expires_at <= kept_since))
    tx.execute(sa.delete(login_failure).where(login_failure.c.at <= kept_since))
