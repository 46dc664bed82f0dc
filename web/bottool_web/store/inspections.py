"""What was told of revisions: inspections and dependencies. Each is inspected once; nothing is ever changed."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool_web.store.inspection_tables import dependency, inspection
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, bot, bot_version, revision
from bottool_web.store.taken import conflict_when_taken

Row = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInspection:
    """``state`` as of the table; ``dependencies`` with the plain name of each."""

    state: str
    language: str
    entry: str
    requires: str
    bot_id: str
    locked: bool
    findings: tuple[str, ...]
    dependencies: tuple[tuple[str, wire.Dependency], ...]
    at: datetime


def add(tx: sa.Connection, scope: Scope, revision_row: int, new: NewInspection) -> None:
    """:raises Conflict: when the revision was inspected already."""
    with conflict_when_taken("the package was inspected already"):
        tx.execute(
            sa.insert(inspection).values(
                workspace_id=scope.workspace_id,
                revision_id=revision_row,
                state=new.state,
                language=new.language,
                entry=new.entry,
                requires=new.requires,
                bot_id=new.bot_id,
                locked=new.locked,
                findings=list(new.findings),
                dependencies=len(new.dependencies),
                at=new.at,
            )
        )
    rows = [
        {
            "workspace_id": scope.workspace_id,
            "revision_id": revision_row,
            "ecosystem": each.ecosystem,
            "name": each.name,
            "plain_name": plain_name,
            "version": each.version,
            "licence": each.licence,
            "direct": each.direct,
        }
        for plain_name, each in new.dependencies
    ]
    if rows:
        tx.execute(sa.insert(dependency), rows)


def waiting(tx: sa.Connection, scope: Scope) -> Row | None:
    """The next revision in use that nobody has inspected, one that is waited for first; ``None`` when there is none.

    revision_id, sha256, file_name, findings, bot_version_id, version, technology, command, state and bot_id.
    """
    return tx.execute(
        sa.select(
            revision.c.id.label("revision_id"),
            revision.c.sha256,
            revision.c.file_name,
            revision.c.findings,
            bot_version.c.id.label("bot_version_id"),
            bot_version.c.version,
            bot_version.c.technology,
            bot_version.c.command,
            bot_version.c.state,
            bot.c.bot_id,
        )
        .join(bot_version, bot_version.c.revision_id == revision.c.id)
        .join(bot, bot.c.id == bot_version.c.bot_id)
        .outerjoin(inspection, inspection.c.revision_id == revision.c.id)
        .where(
            bot_version.c.workspace_id == scope.workspace_id,
            bot_version.c.deleted_at.is_(None),
            bot_version.c.state.in_(["checking", "ready"]),
            inspection.c.id.is_(None),
        )
        # "checking" comes before "ready".
        .order_by(bot_version.c.state, revision.c.id)
        .limit(1)
    ).one_or_none()


def accept(tx: sa.Connection, scope: Scope, version_row: int, revision_row: int) -> bool:
    """The version waited for this revision's inspection, and may run it now; false when it did not wait."""
    return _settle(tx, scope, version_row, revision_row, {"state": "ready"})


def refuse(tx: sa.Connection, scope: Scope, version_row: int, revision_row: int) -> bool:
    """The version waited for this revision's inspection: it goes back to the file that it had before, if any."""
    before = tx.scalar(
        sa.select(sa.func.max(revision.c.id))
        .outerjoin(inspection, inspection.c.revision_id == revision.c.id)
        .where(
            revision.c.workspace_id == scope.workspace_id,
            revision.c.bot_version_id == version_row,
            revision.c.id < revision_row,
            sa.func.coalesce(inspection.c.state, "") != "refused",
        )
    )
    values = {"state": "refused"} if before is None else {"state": "ready", "revision_id": before}
    return _settle(tx, scope, version_row, revision_row, values)


def _settle(tx: sa.Connection, scope: Scope, version_row: int, revision_row: int, values: dict[str, Any]) -> bool:
    done = tx.execute(
        sa.update(bot_version)
        .where(
            bot_version.c.workspace_id == scope.workspace_id,
            bot_version.c.id == version_row,
            bot_version.c.revision_id == revision_row,
            bot_version.c.state == "checking",
        )
        .values(values)
    )
    return done.rowcount == 1


def of_revision(tx: sa.Connection, scope: Scope, revision_row: int) -> wire.Inspection:
    """What is known of a revision; ``waiting`` when nobody has looked yet."""
    row = tx.execute(
        sa.select(inspection).where(
            inspection.c.workspace_id == scope.workspace_id, inspection.c.revision_id == revision_row
        )
    ).one_or_none()
    if row is None:
        return wire.Inspection(state="waiting")
    return wire.Inspection(
        state=row.state,
        language=row.language,
        entry=row.entry,
        requires=row.requires,
        bot_id=row.bot_id,
        locked=row.locked,
        findings=row.findings,
        dependencies=_dependencies(tx, scope, revision_row),
        at=row.at,
    )


def _dependencies(tx: sa.Connection, scope: Scope, revision_row: int) -> list[wire.Dependency]:
    rows = tx.execute(
        sa.select(dependency)
        .where(dependency.c.workspace_id == scope.workspace_id, dependency.c.revision_id == revision_row)
        .order_by(dependency.c.plain_name, dependency.c.version, dependency.c.id)
    )
    return [_dependency(row) for row in rows]


def _dependency(row: Row) -> wire.Dependency:
    return wire.Dependency(
        name=row.name, version=row.version, ecosystem=row.ecosystem, licence=row.licence, direct=row.direct
    )


def dependents(
    tx: sa.Connection, scope: Scope, plain_names: Collection[tuple[str, str]], *, released: bool
) -> list[wire.Dependent]:
    """The living versions whose file depends on one of these ``(ecosystem, plain name)``, by bot id, newest first."""
    wanted = (
        sa.select(
            dependency,
            bot.c.id.label("bot_row"),
            bot.c.bot_id,
            bot.c.release_id,
            bot_version.c.id.label("version_row"),
            bot_version.c.version.label("bot_version"),
        )
        .join(bot_version, bot_version.c.revision_id == dependency.c.revision_id)
        .join(bot, bot.c.id == bot_version.c.bot_id)
        .where(
            dependency.c.workspace_id == scope.workspace_id,
            sa.or_(*(_named(ecosystem, name) for ecosystem, name in plain_names)),
            bot_version.c.deleted_at.is_(None),
            bot.c.deleted_at.is_(None),
        )
        .order_by(bot.c.bot_id, bot_version.c.id.desc(), dependency.c.id)
    )
    if released:
        wanted = wanted.where(bot.c.release_id == bot_version.c.id)
    rows = tx.execute(wanted).all()
    automations = _automations(tx, scope, {row.bot_row for row in rows if row.release_id == row.version_row})
    return [_dependent(row, automations) for row in rows]


def _named(ecosystem: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(dependency.c.plain_name == name, dependency.c.ecosystem == ecosystem)


def _dependent(row: Row, automations: dict[int, list[str]]) -> wire.Dependent:
    is_released = row.release_id == row.version_row
    return wire.Dependent(
        bot_id=row.bot_id,
        version=row.bot_version,
        released=is_released,
        automations=automations[row.bot_row] if is_released else [],
        dependency=_dependency(row),
        verdict="uses",
    )


def _automations(tx: sa.Connection, scope: Scope, bot_rows: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = tx.execute(
        sa.select(automation.c.bot_id, automation.c.label)
        .where(
            automation.c.workspace_id == scope.workspace_id,
            automation.c.deleted_at.is_(None),
            automation.c.bot_id.in_(bot_rows),
        )
        .order_by(automation.c.label)
    )
    for bot_row, label in rows:
        found[bot_row].append(label)
    return found
