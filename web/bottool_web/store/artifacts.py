"""Result files: rows about them, found by task, automation, name and period. Their bytes are elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.artifact_tables import artifact
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, repository, task

LARGEST_ID = 2**31 - 1
NEWEST = 10_000
"""Among so many of the newest a list is sorted that is not sorted by id: those are sorted by no index."""
SORTS: dict[str, sa.ColumnElement[Any]] = {
    "id": artifact.c.id,
    "name": artifact.c.name,
    "file_name": artifact.c.file_name,
    "task_id": artifact.c.task_id,
    "size_bytes": artifact.c.size_bytes,
}
_SEEN = (
    sa.select(
        artifact.c.id,
        artifact.c.task_id,
        automation.c.label.label("automation"),
        automation.c.name.label("automation_name"),
        repository.c.label.label("repository"),
        artifact.c.name,
        artifact.c.file_name,
        artifact.c.state,
        artifact.c.sha256,
        artifact.c.size_bytes,
        artifact.c.media_type,
        artifact.c.created_by,
        artifact.c.attempt,
        artifact.c.at.label("created_at"),
        artifact.c.stored_at,
    )
    .join(automation, automation.c.id == artifact.c.automation_id)
    .join(repository, repository.c.id == artifact.c.repository_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What lies under an artifact: the bytes by their checksum, and what they look like."""

    sha256: str
    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which artifacts a list shows. Empty and ``None`` do not narrow; ``before`` is the id after which it goes on.

    ``name`` is a part of the name or of the file's name. ``first`` rows are passed over; ``sort`` is one of ``SORTS``.
    """

    task_id: int | None = None
    automation: str = ""
    name: str = ""
    since: datetime | None = None
    before: int | None = None
    first: int = 0
    limit: int = 50
    sort: str = "id"
    descending: bool = True


def add(tx: sa.Connection, scope: Scope, new: wire.NewArtifact, now: datetime, *, attempt: int | None) -> int:
    """The id of a new row, without bytes yet; ``attempt`` is the number of the one whose bot sent it.

    :raises NotFound: when the workspace has no such task.
    """
    of = check_task(tx, scope, new.task_id)
    made: int = tx.execute(
        sa.insert(artifact)
        .values(
            workspace_id=scope.workspace_id,
            repository_id=of.repository_id,
            automation_id=of.automation_id,
            task_id=new.task_id,
            name=new.name,
            file_name=new.file_name,
            created_by=scope.principal.name,
            attempt=attempt,
            at=now,
        )
        .returning(artifact.c.id)
    ).scalar_one()
    return made


def check_task(tx: sa.Connection, scope: Scope, task_id: int) -> sa.Row[Any, Any]:
    """Repository and automation of a task.

    :raises NotFound: when the workspace has no such task.
    """
    found = tx.execute(
        sa.select(task.c.repository_id, task.c.automation_id).where(
            task.c.workspace_id == scope.workspace_id, task.c.id == task_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no task {task_id}")
    return found


def get(tx: sa.Connection, scope: Scope, artifact_id: int) -> wire.Artifact:
    """:raises NotFound: when the workspace has no such artifact."""
    row = (
        tx.execute(_SEEN.where(artifact.c.workspace_id == scope.workspace_id, artifact.c.id == artifact_id))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(f"there is no artifact {artifact_id}")
    return wire.Artifact(**row)


def set_content(tx: sa.Connection, scope: Scope, artifact_id: int, content: Content, now: datetime) -> None:
    """Put bytes under an artifact, instead of those that were there."""
    tx.execute(
        sa.update(artifact)
        .where(artifact.c.workspace_id == scope.workspace_id, artifact.c.id == artifact_id)
        .values(
            state="stored",
            sha256=content.sha256,
            size_bytes=content.size_bytes,
            media_type=content.media_type,
            stored_at=now,
        )
    )


def remove(tx: sa.Connection, scope: Scope, artifact_id: int) -> None:
    """Take the row away for good; its id is not used again."""
    tx.execute(sa.delete(artifact).where(artifact.c.workspace_id == scope.workspace_id, artifact.c.id == artifact_id))


def page(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[wire.Artifact]:
    """In the order that is wanted; newest first when nothing else is."""
    matching = _matching(tx, scope, wanted)
    # The ids by an index alone first, so that only the rows of the page are looked up.
    column = SORTS[wanted.sort]
    if wanted.sort != "id":
        matching = sa.select(artifact.c.id).where(
            artifact.c.workspace_id == scope.workspace_id,
            artifact.c.id.in_(matching.order_by(artifact.c.id.desc()).limit(NEWEST)),
        )
    ordered = matching.order_by(column.desc() if wanted.descending else column.asc())
    if wanted.sort != "id":
        ordered = ordered.order_by(artifact.c.id.desc())
    found = list(tx.scalars(ordered.limit(wanted.limit).offset(wanted.first)))
    if not found:
        return []
    rows = tx.execute(_SEEN.where(artifact.c.workspace_id == scope.workspace_id, artifact.c.id.in_(found))).mappings()
    by_id = {row["id"]: wire.Artifact(**row) for row in rows}
    return [by_id[each] for each in found]


def count(tx: sa.Connection, scope: Scope, wanted: Wanted, most: int) -> int:
    """How many match, counted up to ``most``."""
    matching = _matching(tx, scope, wanted).limit(most).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(matching)) or 0


def _matching(tx: sa.Connection, scope: Scope, wanted: Wanted) -> sa.Select[tuple[int]]:
    """The ids of those that match, in no order."""
    statement = sa.select(artifact.c.id).where(artifact.c.workspace_id == scope.workspace_id)
    if wanted.task_id is not None:
        statement = statement.where(artifact.c.task_id == wanted.task_id)
    if wanted.automation:
        labelled = sa.select(automation.c.id).where(
            automation.c.workspace_id == scope.workspace_id, automation.c.label == wanted.automation
        )
        # As values, 0 where there is none: with a subselect SQLite would read all artifacts.
        statement = statement.where(artifact.c.automation_id.in_(list(tx.scalars(labelled)) or [0]))
    if wanted.name:
        part = wanted.name
        statement = statement.where(
            artifact.c.name.icontains(part, autoescape=True) | artifact.c.file_name.icontains(part, autoescape=True)
        )
    if wanted.before is not None:
        statement = statement.where(artifact.c.id < wanted.before)
    if wanted.since is not None:
        # Ids grow with the time: a bound that every index holds. No artifact: nothing is as young.
        statement = statement.where(artifact.c.id >= (_first_since(tx, scope, wanted.since) or LARGEST_ID))
    return statement


def _first_since(tx: sa.Connection, scope: Scope, since: datetime) -> int | None:
    return tx.scalar(
        sa.select(artifact.c.id)
        .where(artifact.c.workspace_id == scope.workspace_id, artifact.c.at >= since)
        .order_by(artifact.c.at, artifact.c.id)
        .limit(1)
    )
