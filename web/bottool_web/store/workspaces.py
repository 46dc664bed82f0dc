"""Workspaces, their repositories, and the people in them.

Functions without a ``Scope`` serve signing in, where nobody is known yet, and the site's own commands.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool.errors import NotFound
from bottool_web.store.scope import Scope
from bottool_web.store.tables import account, membership, repository, workspace
from bottool_web.store.taken import conflict_when_taken

Row = sa.Row[*tuple[Any, ...]]
DEFAULT_REPOSITORY = "DEFAULT"


def add_workspace(tx: sa.Connection, *, label: str, login: str, key_hash: str, now: datetime) -> int:
    """Make a workspace with its repository ``DEFAULT``, and return its id.

    :raises Conflict: when the label or the login is taken.
    """
    with conflict_when_taken(f"a workspace '{label}' or a login '{login}' exists already", "choose other names"):
        workspace_id: int = tx.execute(
            sa.insert(workspace)
            .values(label=label, name=label, login=login, key_hash=key_hash, created_at=now)
            .returning(workspace.c.id)
        ).scalar_one()
    tx.execute(sa.insert(repository).values(workspace_id=workspace_id, label=DEFAULT_REPOSITORY))
    return workspace_id


def exists(tx: sa.Connection) -> bool:
    """True when the site has any workspace: it was set up."""
    return tx.scalar(sa.select(workspace.c.id).limit(1)) is not None


def by_login(tx: sa.Connection, login: str) -> Row | None:
    """The workspace with this login: id, label, login, key_hash."""
    return tx.execute(sa.select(workspace).where(workspace.c.login == login)).one_or_none()


def by_label(tx: sa.Connection, label: str) -> Row | None:
    return tx.execute(sa.select(workspace).where(workspace.c.label == label)).one_or_none()


def get(tx: sa.Connection, scope: Scope) -> Row:
    """The scope's own workspace."""
    return tx.execute(sa.select(workspace).where(workspace.c.id == scope.workspace_id)).one()


def change(tx: sa.Connection, scope: Scope, values: Mapping[str, Any]) -> None:
    """Write columns of the scope's own workspace."""
    tx.execute(sa.update(workspace).where(workspace.c.id == scope.workspace_id).values(**values))


def repository_id(tx: sa.Connection, scope: Scope, label: str) -> int:
    """:raises NotFound: when the workspace has no repository of that label."""
    found = tx.scalar(
        sa.select(repository.c.id).where(
            repository.c.workspace_id == scope.workspace_id, repository.c.label == (label or DEFAULT_REPOSITORY)
        )
    )
    if found is None:
        raise NotFound(f"there is no repository '{label}'", f"every workspace has '{DEFAULT_REPOSITORY}'")
    return int(found)


def add_account(tx: sa.Connection, *, email: str, name: str, password_hash: str, now: datetime) -> int:
    """:raises Conflict: when somebody has this e-mail address already."""
    with conflict_when_taken(f"there is a user '{email}' already"):
        made: int = tx.execute(
            sa.insert(account)
            .values(email=email, name=name, password_hash=password_hash, created_at=now)
            .returning(account.c.id)
        ).scalar_one()
    return made


def account_by_email(tx: sa.Connection, email: str) -> Row | None:
    return tx.execute(sa.select(account).where(account.c.email == email)).one_or_none()


def change_password_hash(tx: sa.Connection, account_id: int, password_hash: str) -> None:
    """The same password, hashed with newer parameters."""
    tx.execute(sa.update(account).where(account.c.id == account_id).values(password_hash=password_hash))


def add_membership(tx: sa.Connection, scope: Scope, account_id: int, role: str) -> None:
    """:raises Conflict: when the user belongs to the workspace already."""
    with conflict_when_taken("this user belongs to the workspace already"):
        tx.execute(
            sa.insert(membership).values(workspace_id=scope.workspace_id, account_id=account_id, role=role),
        )


def memberships_of(tx: sa.Connection, account_id: int) -> list[Row]:
    """The workspaces of a user, oldest membership first: workspace_id, label, role."""
    return list(
        tx.execute(
            sa.select(membership.c.workspace_id, workspace.c.label, membership.c.role)
            .join(workspace, workspace.c.id == membership.c.workspace_id)
            .where(membership.c.account_id == account_id)
            .order_by(membership.c.id)
        )
    )


# Asked at every request of a person, so it is built once.
_MEMBER = (
    sa.select(account.c.email, account.c.disabled_at, membership.c.role)
    .join(membership, membership.c.account_id == account.c.id)
    .where(membership.c.workspace_id == sa.bindparam("workspace"), account.c.id == sa.bindparam("account"))
)


def member(tx: sa.Connection, workspace_id: int, account_id: int) -> Row | None:
    """A user as a member: email, disabled_at, role; ``None`` when the user does not belong to the workspace."""
    return tx.execute(_MEMBER, {"workspace": workspace_id, "account": account_id}).one_or_none()
