"""Error reports and their files: rows about them. The bytes are elsewhere; groups are in ``error_groups``."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import NotFound
from bottool_web.store.artifacts import LARGEST_ID, Content, check_task
from bottool_web.store.error_counts import Running
from bottool_web.store.error_tables import error_file, error_report
from bottool_web.store.scope import Scope
from bottool_web.store.tables import automation, bot, bot_version, repository

SEARCHED = 20_000
"""A search looks into so many of the newest reports: no index finds a piece of a text."""
_LISTED = (
    error_report.c.id,
    error_report.c.group_id,
    error_report.c.task_id,
    automation.c.label.label("automation"),
    automation.c.name.label("automation_name"),
    repository.c.label.label("repository"),
    sa.func.coalesce(bot.c.bot_id, "").label("bot_id"),
    sa.func.coalesce(bot_version.c.version, "").label("version"),
    error_report.c.type,
    error_report.c.place,
    error_report.c.message,
    error_report.c.language,
    error_report.c.tags,
    error_report.c.created_by,
    error_report.c.attempt,
    error_report.c.known,
    error_report.c.at,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A report with what the site found out about it."""

    said: wire.NewErrorReport
    place: str
    group_id: int
    attempt: int | None
    ran: Running
    known: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which reports a list shows. Empty and ``None`` do not narrow; ``search`` looks into types and messages.

    ``bot`` looks into those of one group, or into the newest ones.
    """

    task_id: int | None = None
    group_id: int | None = None
    automation: str = ""
    bot: str = ""
    search: str = ""
    since: datetime | None = None
    before: int | None = None
    first: int = 0
    limit: int = 50
    descending: bool = True


def add(tx: sa.Connection, scope: Scope, new: Placed, now: datetime) -> int:
    """The id of a new row.

    :raises NotFound: when the workspace has no such task.
    """
    said, of = new.said, check_task(tx, scope, new.said.task_id)
    made: int = tx.execute(
        sa.insert(error_report)
        .values(
            workspace_id=scope.workspace_id,
            repository_id=of.repository_id,
            automation_id=of.automation_id,
            task_id=said.task_id,
            group_id=new.group_id,
            bot_version_id=new.ran.version_row,
            type=said.type,
            place=new.place,
            message=said.message,
            stack_trace=said.stack_trace,
            language=said.language,
            tags=said.tags,
            created_by=scope.principal.name,
            attempt=new.attempt,
            known=new.known,
            at=now,
        )
        .returning(error_report.c.id)
    ).scalar_one()
    return made


def automation_of(tx: sa.Connection, scope: Scope, task_id: int) -> int:
    """:raises NotFound: when the workspace has no such task."""
    found: int = check_task(tx, scope, task_id).automation_id
    return found


def get(tx: sa.Connection, scope: Scope, report_id: int) -> wire.ErrorReport:
    """With its stack trace and its files.

    :raises NotFound: when the workspace has no such report.
    """
    row = (
        tx.execute(
            _joined(*_LISTED, error_report.c.stack_trace).where(
                error_report.c.workspace_id == scope.workspace_id, error_report.c.id == report_id
            )
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFound(f"there is no error report {report_id}")
    return wire.ErrorReport(**row, files=_files(tx, scope, report_id))


def page(tx: sa.Connection, scope: Scope, wanted: Wanted) -> list[wire.ErrorReport]:
    """Newest first unless the other order is wanted, without stack traces and files."""
    ids = _matching(tx, scope, wanted)
    order = error_report.c.id.desc() if wanted.descending else error_report.c.id
    # The ids by an index alone first, so that only the rows of the page are looked up.
    found = list(tx.scalars(ids.order_by(order).limit(wanted.limit).offset(wanted.first)))
    if not found:
        return []
    rows = tx.execute(
        _joined(*_LISTED).where(error_report.c.workspace_id == scope.workspace_id, error_report.c.id.in_(found))
    ).mappings()
    by_id = {row["id"]: wire.ErrorReport(**row) for row in rows}
    return [by_id[each] for each in found]


def count(tx: sa.Connection, scope: Scope, wanted: Wanted, most: int) -> int:
    """How many match, counted up to ``most``."""
    matching = _matching(tx, scope, wanted).limit(most).subquery()
    return tx.scalar(sa.select(sa.func.count()).select_from(matching)) or 0


def add_file(tx: sa.Connection, scope: Scope, report_id: int, file: tuple[str, str, Content], now: datetime) -> int:
    """Put ``file`` (its kind, its name and its bytes) beside a report of the workspace."""
    kind, name, content = file
    made: int = tx.execute(
        sa.insert(error_file)
        .values(
            workspace_id=scope.workspace_id,
            report_id=report_id,
            kind=kind,
            name=name,
            sha256=content.sha256,
            size_bytes=content.size_bytes,
            media_type=content.media_type,
            at=now,
        )
        .returning(error_file.c.id)
    ).scalar_one()
    return made


def remove_file(tx: sa.Connection, scope: Scope, file_id: int) -> None:
    tx.execute(sa.delete(error_file).where(error_file.c.workspace_id == scope.workspace_id, error_file.c.id == file_id))


def _files(tx: sa.Connection, scope: Scope, report_id: int) -> list[wire.ErrorFile]:
    columns = [error_file.c[name] for name in ("id", "kind", "name", "sha256", "size_bytes", "media_type", "at")]
    rows = tx.execute(
        sa.select(*columns)
        .where(error_file.c.workspace_id == scope.workspace_id, error_file.c.report_id == report_id)
        .order_by(error_file.c.id)
    ).mappings()
    return [wire.ErrorFile(**row) for row in rows]


def _joined(*columns: Any) -> sa.Select[Any]:
    return sa.select(*columns).select_from(
        error_report.join(automation, automation.c.id == error_report.c.automation_id)
        .join(repository, repository.c.id == error_report.c.repository_id)
        .outerjoin(bot_version, bot_version.c.id == error_report.c.bot_version_id)
        .outerjoin(bot, bot.c.id == bot_version.c.bot_id)
    )


def _matching(tx: sa.Connection, scope: Scope, wanted: Wanted) -> sa.Select[tuple[int]]:
    """The ids of those that match, in no order."""
    row, mine = error_report.c, error_report.c.workspace_id == scope.workspace_id
    statement = sa.select(row.id).where(mine)
    for column, value in ((row.task_id, wanted.task_id), (row.group_id, wanted.group_id)):
        if value is not None:
            statement = statement.where(column == value)
    if wanted.automation:
        labelled = sa.select(automation.c.id).where(
            automation.c.workspace_id == scope.workspace_id, automation.c.label == wanted.automation
        )
        # As values, 0 where there is none: with a subselect SQLite would read all reports.
        statement = statement.where(row.automation_id.in_(list(tx.scalars(labelled)) or [0]))
    if wanted.search or wanted.bot:
        statement = statement.where(*_sought(tx, scope, wanted))
    if wanted.before is not None:
        statement = statement.where(row.id < wanted.before)
    if wanted.since is not None:
        # Ids grow with the time: a bound that every index holds. No report: nothing is as young.
        first = sa.select(row.id).where(mine, row.at >= wanted.since).order_by(row.at, row.id).limit(1)
        statement = statement.where(row.id >= (tx.scalar(first) or LARGEST_ID))
    return statement


def _sought(tx: sa.Connection, scope: Scope, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    """What no index finds, and therefore is looked for among the newest only, or in one group."""
    row = error_report.c
    if wanted.bot:
        yield row.bot_version_id.in_(_versions_of(tx, scope, wanted.bot))
    if wanted.search:
        yield sa.or_(*(each.icontains(wanted.search, autoescape=True) for each in (row.type, row.message, row.place)))
    if wanted.search or wanted.group_id is None:
        newest = tx.scalar(sa.select(sa.func.max(row.id)).where(row.workspace_id == scope.workspace_id)) or 0
        yield row.id > newest - SEARCHED


def _versions_of(tx: sa.Connection, scope: Scope, bot_id: str) -> list[int]:
    versions = (
        sa.select(bot_version.c.id)
        .join(bot, bot.c.id == bot_version.c.bot_id)
        .where(bot.c.workspace_id == scope.workspace_id, bot.c.bot_id == bot_id)
    )
    return list(tx.scalars(versions)) or [0]
