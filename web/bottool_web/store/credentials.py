"""Credentials by label, their sealed secrets, and which attempt has read which. What is sealed is opened elsewhere."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bottool import wire
from bottool.errors import NotFound, did_you_mean
from bottool_web.store.credential_tables import credential, credential_read, credential_secret
from bottool_web.store.scope import Scope
from bottool_web.store.tables import repository
from bottool_web.store.taken import conflict_when_taken

Row = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A sealed value and as what it was sealed."""

    what: str
    sealed: str = field(repr=False)


def what_of(scope: Scope, credential_id: int, key: str, version: int) -> str:
    """As what the value of a key is sealed: its place, which no other row has, and which value of it this is."""
    place = f"{scope.workspace_id} {credential_id}"
    return f"value {version} of credential {place} {key}" if version else f"credential {place} {key}"


def all_living(tx: sa.Connection, scope: Scope) -> list[wire.Credential]:
    """By label."""
    keys: dict[int, list[str]] = defaultdict(list)
    said = sa.select(credential_secret.c.credential_id, credential_secret.c.key).where(
        credential_secret.c.workspace_id == scope.workspace_id
    )
    for row in tx.execute(said.order_by(credential_secret.c.id)):
        keys[row.credential_id].append(row.key)
    rows = tx.execute(_seen(scope).order_by(credential.c.label)).mappings()
    return [wire.Credential(**row, keys=keys[row["id"]]) for row in rows]


def get(tx: sa.Connection, scope: Scope, label: str) -> wire.Credential:
    """:raises NotFound: when the workspace has no such credential."""
    row = tx.execute(_seen(scope).where(credential.c.label == label)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no credential '{label}'", did_you_mean(label, _labels(tx, scope)))
    return wire.Credential(**row, keys=list(secrets(tx, scope, row["id"])))


def add(tx: sa.Connection, scope: Scope, label: str, repository_id: int, now: datetime) -> int:
    """:raises Conflict: when the label is taken."""
    with conflict_when_taken(f"there is a credential '{label}' already", "set its keys one by one"):
        made: int = tx.execute(
            sa.insert(credential)
            .values(
                workspace_id=scope.workspace_id,
                repository_id=repository_id,
                label=label,
                created_by=scope.principal.name,
                created_at=now,
                changed_at=now,
            )
            .returning(credential.c.id)
        ).scalar_one()
    return made


def delete(tx: sa.Connection, scope: Scope, credential_id: int, now: datetime) -> None:
    """The values go at once; what attempts have read stays for masking."""
    mine = (credential.c.workspace_id == scope.workspace_id) & (credential.c.id == credential_id)
    tx.execute(sa.update(credential).where(mine).values(deleted_at=now))
    keep_only(tx, scope, credential_id, ())


def secrets(tx: sa.Connection, scope: Scope, credential_id: int) -> dict[str, Sealed]:
    """By key, in the order in which they came."""
    rows = tx.execute(
        sa.select(credential_secret.c.key, credential_secret.c.version, credential_secret.c.sealed)
        .where(
            credential_secret.c.workspace_id == scope.workspace_id,
            credential_secret.c.credential_id == credential_id,
        )
        .order_by(credential_secret.c.id)
    )
    return {
        row.key: Sealed(what=what_of(scope, credential_id, row.key, row.version), sealed=row.sealed) for row in rows
    }


def next_version(tx: sa.Connection, scope: Scope, credential_id: int, now: datetime) -> int:
    """The version of a value that is set now; others who set one wait until this transaction ends."""
    made: int = tx.execute(
        sa.update(credential)
        .where(credential.c.workspace_id == scope.workspace_id, credential.c.id == credential_id)
        .values(version=credential.c.version + 1, changed_at=now)
        .returning(credential.c.version)
    ).scalar_one()
    return made


def put(  # noqa: PLR0913  # one for each column
    tx: sa.Connection, scope: Scope, credential_id: int, key: str, *, version: int, sealed: str, now: datetime
) -> None:
    """Set the value of a key, also of one that is there."""
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    values = {"workspace_id": scope.workspace_id, "credential_id": credential_id, "key": key}
    changed = {"version": version, "sealed": sealed, "changed_at": now}
    tx.execute(
        insert(credential_secret)
        .values(**values, **changed)
        .on_conflict_do_update(index_elements=["credential_id", "key"], set_=changed)
    )


def keep_only(tx: sa.Connection, scope: Scope, credential_id: int, keys: tuple[str, ...]) -> None:
    """Drop all other keys."""
    tx.execute(
        sa.delete(credential_secret).where(
            credential_secret.c.workspace_id == scope.workspace_id,
            credential_secret.c.credential_id == credential_id,
            credential_secret.c.key.not_in(keys),
        )
    )


def note_read(tx: sa.Connection, scope: Scope, read: list[Sealed]) -> None:
    """The attempt that asks knows these from now on."""
    if scope.principal.kind != "attempt":
        return
    insert = postgresql.insert if tx.dialect.name == "postgresql" else sqlite.insert
    for each in read:
        values = {"attempt_id": scope.principal.id, "what": each.what, "sealed": each.sealed}
        tx.execute(insert(credential_read).values(workspace_id=scope.workspace_id, **values).on_conflict_do_nothing())


def known_to(tx: sa.Connection, scope: Scope, attempt_id: int) -> list[Sealed]:
    """What an attempt has read."""
    rows = tx.execute(
        sa.select(credential_read.c.what, credential_read.c.sealed).where(
            credential_read.c.workspace_id == scope.workspace_id, credential_read.c.attempt_id == attempt_id
        )
    )
    return [Sealed(what=row.what, sealed=row.sealed) for row in rows]


def _seen(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            credential.c.id,
            credential.c.label,
            repository.c.label.label("repository"),
            credential.c.created_by,
            credential.c.created_at,
            credential.c.changed_at,
        )
        .join(repository, repository.c.id == credential.c.repository_id)
        .where(credential.c.workspace_id == scope.workspace_id, credential.c.deleted_at.is_(None))
    )


def _labels(tx: sa.Connection, scope: Scope) -> list[str]:
    rows = tx.execute(
        sa.select(credential.c.label).where(
            credential.c.workspace_id == scope.workspace_id, credential.c.deleted_at.is_(None)
        )
    )
    return [row.label for row in rows]
