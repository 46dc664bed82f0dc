"""Bots, their versions, and the revisions (packages) under a version. A released version's file may be replaced."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound, did_you_mean
from bottool_web.store.inspection_tables import inspection
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, bot, bot_version, repository, revision
from bottool_web.store.taken import conflict_when_taken

Row = sa.Row[*tuple[Any, ...]]


def id_of(tx: sa.Connection, scope: Scope, bot_id: str) -> int:
    """:raises NotFound: with a hint when a bot of a similar name exists."""
    found = tx.scalar(sa.select(bot.c.id).where(_living(scope), bot.c.bot_id == bot_id))
    if found is None:
        known = tx.scalars(sa.select(bot.c.bot_id).where(_living(scope))).all()
        raise NotFound(f"there is no bot '{bot_id}'", did_you_mean(bot_id, known) or "deploy a version of it first")
    return int(found)


def find_or_add(
    tx: sa.Connection, scope: Scope, bot_id: str, *, technology: str, repository_id: int, now: datetime
) -> int:
    """The id of the living bot of that name; a new one is made when there is none."""
    found = tx.scalar(sa.select(bot.c.id).where(_living(scope), bot.c.bot_id == bot_id))
    if found is not None:
        tx.execute(
            sa.update(bot)
            .where(bot.c.workspace_id == scope.workspace_id, bot.c.id == found)
            .values(technology=technology)
        )
        return int(found)
    with conflict_when_taken(f"the bot '{bot_id}' was made by somebody else at this moment", "try again"):
        made: int = tx.execute(
            sa.insert(bot)
            .values(
                workspace_id=scope.workspace_id,
                repository_id=repository_id,
                bot_id=bot_id,
                technology=technology,
                created_at=now,
            )
            .returning(bot.c.id)
        ).scalar_one()
    return made


def add_version(tx: sa.Connection, scope: Scope, bot_row: int, new: wire.NewVersion, now: datetime) -> None:
    """:raises Conflict: when the bot has this version already."""
    with conflict_when_taken(
        f"version '{new.version}' exists already", "choose a new version, or upload a new file to this one"
    ):
        tx.execute(
            sa.insert(bot_version).values(
                workspace_id=scope.workspace_id,
                bot_id=bot_row,
                version=new.version,
                technology=new.technology,
                command=new.command,
                created_by=scope.principal.name,
                created_at=now,
            )
        )


def announce_again(tx: sa.Connection, scope: Scope, bot_row: int, new: wire.NewVersion) -> bool:
    """Let the version be what is announced now, when it is there and never got a file; false otherwise."""
    done = tx.execute(
        sa.update(bot_version)
        .where(
            bot_version.c.workspace_id == scope.workspace_id,
            bot_version.c.bot_id == bot_row,
            bot_version.c.version == new.version,
            bot_version.c.deleted_at.is_(None),
            bot_version.c.revision_id.is_(None),
        )
        .values(technology=new.technology, command=new.command)
    )
    return done.rowcount == 1


def version_of(tx: sa.Connection, scope: Scope, bot_id: str, version: str) -> Row:
    """A living version with its bot and newest file.

    Columns of the version, and ``bot_row``, ``release_id``, ``sha256`` and ``file_name`` (``None`` before an upload).

    :raises NotFound: naming the bot or the version that is not there.
    """
    bot_row = id_of(tx, scope, bot_id)
    row = tx.execute(
        sa.select(bot_version, bot.c.id.label("bot_row"), bot.c.release_id, revision.c.sha256, revision.c.file_name)
        .join(bot, bot.c.id == bot_version.c.bot_id)
        .outerjoin(revision, revision.c.id == bot_version.c.revision_id)
        .where(
            bot_version.c.workspace_id == scope.workspace_id,
            bot_version.c.bot_id == bot_row,
            bot_version.c.version == version,
            bot_version.c.deleted_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        known = ", ".join(reversed(_labels_of_versions(tx, scope, bot_row))) or "none yet"
        raise NotFound(f"bot '{bot_id}' has no version '{version}'", f"it has: {known}")
    return row


def _labels_of_versions(tx: sa.Connection, scope: Scope, bot_row: int) -> list[str]:
    return list(
        tx.scalars(
            sa.select(bot_version.c.version)
            .where(
                bot_version.c.workspace_id == scope.workspace_id,
                bot_version.c.bot_id == bot_row,
                bot_version.c.deleted_at.is_(None),
            )
            .order_by(bot_version.c.id.desc())
            .limit(10)
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRevision:
    sha256: str
    size_bytes: int
    file_name: str
    findings: tuple[str, ...]
    at: datetime
    state: str = "ready"
    """Of the version: ``checking`` while its inspection is still to come."""


def add_revision(tx: sa.Connection, scope: Scope, version_row: int, new: NewRevision) -> int:
    """Make this file the version's file; the one before stays for the attempts that are pinned to it."""
    made: int = tx.execute(
        sa.insert(revision)
        .values(
            workspace_id=scope.workspace_id,
            bot_version_id=version_row,
            sha256=new.sha256,
            size_bytes=new.size_bytes,
            file_name=new.file_name,
            findings=list(new.findings),
            created_by=scope.principal.name,
            created_at=new.at,
        )
        .returning(revision.c.id)
    ).scalar_one()
    tx.execute(
        sa.update(bot_version)
        .where(bot_version.c.workspace_id == scope.workspace_id, bot_version.c.id == version_row)
        .values(revision_id=made, state=new.state)
    )
    return made


def set_release(tx: sa.Connection, scope: Scope, bot_row: int, version_row: int) -> None:
    tx.execute(
        sa.update(bot)
        .where(bot.c.workspace_id == scope.workspace_id, bot.c.id == bot_row)
        .values(release_id=version_row)
    )


def exclude_version(tx: sa.Connection, scope: Scope, version_row: int, now: datetime) -> None:
    """The version is gone from lists and its name may be used again; its files stay for what ran with them."""
    tx.execute(
        sa.update(bot_version)
        .where(bot_version.c.workspace_id == scope.workspace_id, bot_version.c.id == version_row)
        .values(deleted_at=now)
    )


def exclude_bot_if_empty(tx: sa.Connection, scope: Scope, bot_row: int, now: datetime) -> None:
    """A bot without versions that no automation uses is gone too."""
    if _labels_of_versions(tx, scope, bot_row) or _labels_of_automations(tx, scope, bot_row).get(bot_row):
        return
    tx.execute(
        sa.update(bot).where(bot.c.workspace_id == scope.workspace_id, bot.c.id == bot_row).values(deleted_at=now)
    )


def get(tx: sa.Connection, scope: Scope, bot_id: str) -> wire.Bot:
    """:raises NotFound: as ``id_of``."""
    return _as_people_see_them(tx, scope, id_of(tx, scope, bot_id))[0]


def all_living(tx: sa.Connection, scope: Scope) -> list[wire.Bot]:
    """By bot id."""
    return _as_people_see_them(tx, scope, None)


def _living(scope: Scope) -> sa.ColumnElement[bool]:
    return (bot.c.workspace_id == scope.workspace_id) & bot.c.deleted_at.is_(None)


def _as_people_see_them(tx: sa.Connection, scope: Scope, bot_row: int | None) -> list[wire.Bot]:
    wanted = sa.select(bot, repository.c.label.label("repository")).join(
        repository, repository.c.id == bot.c.repository_id
    )
    wanted = wanted.where(_living(scope))
    if bot_row is not None:
        wanted = wanted.where(bot.c.id == bot_row)
    versions, automations = _versions(tx, scope, bot_row), _labels_of_automations(tx, scope, bot_row)
    refused = _refused_later(tx, scope)
    made = []
    for row in tx.execute(wanted.order_by(bot.c.bot_id)):
        mine = [_version(item, refused[item.id], released=item.id == row.release_id) for item in versions[row.id]]
        made.append(
            wire.Bot(
                id=row.id,
                bot_id=row.bot_id,
                repository=row.repository,
                technology=row.technology,
                release=next((item.version for item in mine if item.released), ""),
                versions=mine,
                automations=automations[row.id],
                created_at=row.created_at,
            )
        )
    return made


def _versions(tx: sa.Connection, scope: Scope, bot_row: int | None) -> dict[int, list[Row]]:
    wanted = (
        sa.select(
            bot_version,
            revision.c.file_name,
            revision.c.size_bytes,
            revision.c.sha256,
            revision.c.findings,
            inspection.c.state.label("inspection"),
            inspection.c.findings.label("told"),
            inspection.c.entry,
            inspection.c.requires,
            inspection.c.dependencies,
        )
        .outerjoin(revision, revision.c.id == bot_version.c.revision_id)
        .outerjoin(inspection, inspection.c.revision_id == revision.c.id)
        .where(bot_version.c.workspace_id == scope.workspace_id, bot_version.c.deleted_at.is_(None))
    )
    if bot_row is not None:
        wanted = wanted.where(bot_version.c.bot_id == bot_row)
    found: dict[int, list[Row]] = defaultdict(list)
    for row in tx.execute(wanted.order_by(bot_version.c.id.desc())):
        found[row.bot_id].append(row)
    return found


def _refused_later(tx: sa.Connection, scope: Scope) -> dict[int, list[str]]:
    """By version: what to say of files that came after the one it has, and were refused."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = tx.execute(
        sa.select(revision.c.bot_version_id, revision.c.file_name, inspection.c.findings)
        .join(inspection, inspection.c.revision_id == revision.c.id)
        .join(bot_version, bot_version.c.id == revision.c.bot_version_id)
        .where(
            inspection.c.workspace_id == scope.workspace_id,
            inspection.c.state == "refused",
            bot_version.c.deleted_at.is_(None),
            revision.c.id > bot_version.c.revision_id,
        )
        .order_by(revision.c.id)
    )
    for version_row, file_name, findings in rows:
        found[version_row].append(f"the newer file '{file_name}' was refused: {''.join(findings[:1])}")
    return found


def _version(row: Row, refused: list[str], *, released: bool) -> wire.BotVersion:
    return wire.BotVersion(
        version=row.version,
        state=row.state,
        technology=row.technology,
        command=row.command,
        file_name=row.file_name or "",
        size_bytes=row.size_bytes or 0,
        sha256=row.sha256 or "",
        released=released,
        findings=[*(row.findings or []), *(row.told or []), *refused],
        inspection=row.inspection or ("waiting" if row.sha256 else ""),
        entry=row.entry or "",
        requires=row.requires or "",
        dependencies=row.dependencies or 0,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def _labels_of_automations(tx: sa.Connection, scope: Scope, bot_row: int | None) -> dict[int, list[str]]:
    wanted = sa.select(automation.c.bot_id, automation.c.label).where(
        automation.c.workspace_id == scope.workspace_id,
        automation.c.deleted_at.is_(None),
        automation.c.bot_id.is_not(None),
    )
    if bot_row is not None:
        wanted = wanted.where(automation.c.bot_id == bot_row)
    found: dict[int, list[str]] = defaultdict(list)
    for bot_id, label in tx.execute(wanted.order_by(automation.c.label)):
        found[bot_id].append(label)
    return found
