"""Which credentials the bots of an automation may read, where it lists some; else all of the workspace."""

from collections import defaultdict
from collections.abc import Iterable

import sqlalchemy as sa

from bottool.errors import InvalidInput, did_you_mean
from bottool_web.store.credential_tables import automation_credential, credential
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, task


def put(tx: sa.Connection, scope: Scope, automation_row: int, labels: Iterable[str] | None) -> None:
    """Exactly these, which may be none at all; ``None`` lets the bots read all.

    :raises InvalidInput: for a label that is no credential of the workspace.
    """
    mine = (automation_credential.c.workspace_id == scope.workspace_id) & (
        automation_credential.c.automation_id == automation_row
    )
    tx.execute(sa.delete(automation_credential).where(mine))
    tx.execute(
        sa.update(automation)
        .where(automation.c.workspace_id == scope.workspace_id, automation.c.id == automation_row)
        .values(credentials_listed=labels is not None)
    )
    known: dict[str, int] = {
        row.label: row.id
        for row in tx.execute(
            sa.select(credential.c.label, credential.c.id).where(
                credential.c.workspace_id == scope.workspace_id, credential.c.deleted_at.is_(None)
            )
        )
    }
    for label in dict.fromkeys(labels or ()):
        if label not in known:
            raise InvalidInput(f"there is no credential '{label}'", did_you_mean(label, known), path="credentials")
        values = {"workspace_id": scope.workspace_id, "automation_id": automation_row, "credential_id": known[label]}
        tx.execute(sa.insert(automation_credential).values(values))


def of_automations(tx: sa.Connection, scope: Scope, automation_row: int | None = None) -> dict[int, list[str]]:
    """Labels by automation; one that is deleted is on no list any more, nor is another of its label."""
    wanted = (
        sa.select(automation_credential.c.automation_id, credential.c.label)
        .join(credential, credential.c.id == automation_credential.c.credential_id)
        .where(automation_credential.c.workspace_id == scope.workspace_id, credential.c.deleted_at.is_(None))
        .order_by(credential.c.label)
    )
    if automation_row is not None:
        wanted = wanted.where(automation_credential.c.automation_id == automation_row)
    found: dict[int, list[str]] = defaultdict(list)
    for row in tx.execute(wanted):
        found[row.automation_id].append(row.label)
    return found


def narrowed_by(tx: sa.Connection, scope: Scope) -> str:
    """The label of the automation whose list holds for the bot that asks; empty when none does."""
    if scope.principal.kind != "attempt":
        return ""
    return tx.scalar(_mine(scope, automation.c.label)) or ""


def is_listed(tx: sa.Connection, scope: Scope, credential_id: int) -> bool:
    """Whether the list that holds for the bot that asks has the credential."""
    listed = _mine(scope, automation_credential.c.id).join(
        automation_credential, automation_credential.c.automation_id == automation.c.id
    )
    return tx.scalar(listed.where(automation_credential.c.credential_id == credential_id)) is not None


def _mine(scope: Scope, column: sa.Column[int] | sa.Column[str]) -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(column)
        .select_from(task)
        .join(automation, automation.c.id == task.c.automation_id)
        .where(
            task.c.workspace_id == scope.workspace_id,
            task.c.id == scope.principal.task_id,
            automation.c.credentials_listed,
        )
    )
