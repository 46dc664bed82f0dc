"""Error reports of bots: kept with their files, put into groups of type and place, searched; groups are resolved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput, NotFound
from bottool_web.actions import checks, error_places, swept
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.masking import masked
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.received import file_name_of, receive
from bottool_web.actions.site import Site
from bottool_web.store import audit, error_counts, error_groups, errors
from bottool_web.store.scope import Principal

TRACE_LETTERS = 1_000_000
MOST_TAGS = 100
MOST_FILES = 100
FILE_BYTES = 100 * 1024 * 1024
MOST_ROWS = 1000
MOST_COUNTED = 100_000
LONGEST_DAYS = 36_500
DAYS_KEPT = 90
STATUSES: tuple[wire.ErrorStatus, ...] = ("open", "resolved", "ignored")
UNNAMED = "Error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which reports; empty and ``None`` do not narrow. ``days`` count back from now, ``before`` is a page's last id."""

    task_id: int | None = None
    group_id: int | None = None
    automation: str = ""
    bot: str = ""
    search: str = ""
    days: int | None = None
    before: int | None = None
    first: int = 0
    limit: int = 50
    descending: bool = True


@action("error.create")
def create(site: Site, who: Principal, new: wire.NewErrorReport, *, idempotency_key: str = "") -> wire.ErrorReport:
    """Keep a report, and count it in the group of its type and place.

    A resolved group opens again, unless the report comes from a version of the bot at which, or before which, the
    group was resolved: that has the error, as was known. A report of an unknown version opens it.

    :raises StaleAttempt: to a bot whose task another attempt works on by now.
    """
    _check(new)
    request = Request(act="error.create", key=idempotency_key, body=new, now=site.now())
    kept = _masked(site, who, new)
    place = error_places.place_of(kept.stack_trace)
    fingerprint = error_places.fingerprint_of(kept.type, place, kept.message)
    alike = error_groups.Alike(fingerprint=fingerprint, type=kept.type, place=place)
    number = who.attempt if who.task_id == new.task_id else None

    def make(tx: sa.Connection) -> wire.ErrorReport:
        automation_id = errors.automation_of(tx, who.scope, new.task_id)
        group = error_groups.find_or_add(tx, who.scope, alike, request.now)
        ran = error_counts.running(tx, who.scope, new.task_id, number)
        known = group.is_resolved and error_counts.is_known(tx, who.scope, group.id, ran)
        placed = errors.Placed(said=kept, place=place, group_id=group.id, attempt=number, ran=ran, known=known)
        made = errors.get(tx, who.scope, errors.add(tx, who.scope, placed, request.now))
        error_counts.add_automation(tx, who.scope, group.id, automation_id)
        error_counts.count(tx, who.scope, group.id, ran, request.now)
        error_groups.came(tx, who.scope, group.id, made)
        return made

    def keep(tx: sa.Connection) -> wire.ErrorReport:
        check_bot(tx, who)
        return once(tx, who.scope, request, lambda: make(tx), wire.ErrorReport)[0]

    return _told(site, who, site.store.write(keep))


@action("error.create")
def set_screenshot(site: Site, who: Principal, report_id: int, name: str, pieces: Iterable[bytes]) -> wire.ErrorFile:
    """What the screen showed; sent again, it takes the place of what was there."""
    return _add_file(site, who, report_id, ("screenshot", name or "screenshot.png"), pieces)


@action("error.create")
def attach(site: Site, who: Principal, report_id: int, name: str, pieces: Iterable[bytes]) -> wire.ErrorFile:
    """One more file; the same one under the same name is there once, however often it is sent.

    :raises InvalidInput: when the report has ``MOST_FILES`` already.
    :raises TooBig: when it has more than ``FILE_BYTES``, or than the site takes.
    """
    return _add_file(site, who, report_id, ("attachment", name or "attachment"), pieces)


@action("error.read")
def list_errors(site: Site, who: Principal, asked: Asked) -> list[wire.ErrorReport]:
    """Newest first, without stack traces and files."""
    wanted = _wanted(site, asked)
    return site.store.read(lambda tx: errors.page(tx, who.scope, wanted))


@action("error.read")
def page_of_errors(site: Site, who: Principal, asked: Asked) -> tuple[list[wire.ErrorReport], int]:
    """A page, and how many match in all, counted up to ``MOST_COUNTED``; behind that there is no page."""
    wanted = _wanted(site, asked)

    def work(tx: sa.Connection) -> tuple[list[wire.ErrorReport], int]:
        rows = errors.page(tx, who.scope, wanted) if wanted.first < MOST_COUNTED else []
        return rows, errors.count(tx, who.scope, wanted, MOST_COUNTED)

    return site.store.read(work)


@action("error.read")
def get_error(site: Site, who: Principal, report_id: int) -> wire.ErrorReport:
    return site.store.read(lambda tx: errors.get(tx, who.scope, report_id))


@action("error.read")
def content(site: Site, who: Principal, report_id: int, file_id: int) -> tuple[wire.ErrorFile, Path]:
    """A file of a report, and where its bytes lie.

    :raises NotFound: when the report has no such file.
    """
    for file in get_error(site, who, report_id).files:
        if file.id == file_id:
            return file, site.files.artifact(file.sha256)
    raise NotFound(f"error report {report_id} has no file {file_id}")


@action("error.read")
def list_groups(  # noqa: PLR0913  # one for each filter of the list
    site: Site,
    who: Principal,
    *,
    status: str = "",
    search: str = "",
    automation: str = "",
    bot: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[wire.ErrorGroup]:
    """Those that came last first; ``before`` is a page's last ``newest_id``."""
    wanted = error_groups.Wanted(
        status=status if status in STATUSES else "",
        search=checks.name(search, "search"),
        automation=checks.name(automation, "automation"),
        bot=checks.name(bot, "bot"),
        before=before,
        limit=max(1, min(limit, MOST_ROWS)),
    )
    return site.store.read(lambda tx: error_groups.page(tx, who.scope, wanted, site.now()))


@action("error.read")
def get_group(site: Site, who: Principal, group_id: int) -> wire.ErrorGroup:
    return site.store.read(lambda tx: error_groups.get(tx, who.scope, group_id, site.now()))


@action("error.change")
def change_group(site: Site, who: Principal, group_id: int, change: wire.ErrorGroupChange) -> wire.ErrorGroup:
    """Resolve, ignore or open a group again. It is resolved at the newest version of each bot that had the error."""
    now = site.now()

    def work(tx: sa.Connection) -> wire.ErrorGroup:
        before = error_groups.get(tx, who.scope, group_id, now)
        if before.status == change.status:
            return before
        error_groups.set_status(tx, who.scope, group_id, change.status, now)
        audit.record(tx, who.scope, "error.change", str(group_id), now, old=before.status, new=change.status)
        return error_groups.get(tx, who.scope, group_id, now)

    changed = site.store.write(work)
    site.hints.send(f"workspace:{who.workspace_id}")
    return changed


@action("site.keep")
def purge(site: Site, who: Principal) -> int:
    """Drop what was counted of days that nobody looks at any more; returns how many."""
    before = site.now().date() - timedelta(days=DAYS_KEPT)
    return site.store.write(lambda tx: error_counts.purge(tx, who.scope, before))


def _check(new: wire.NewErrorReport) -> None:
    checks.number(new.task_id, "task_id", 1, checks.LARGEST_ID)
    checks.name(new.type, "type")
    checks.name(new.language, "language")
    checks.text(new.message, "message")
    checks.text(new.stack_trace, "stack_trace", TRACE_LETTERS)
    if len(new.tags) > MOST_TAGS:
        raise InvalidInput(f"there are {len(new.tags)} tags; {MOST_TAGS} are allowed", path="tags")
    for key, value in new.tags.items():
        checks.name(key, "tags")
        checks.text(value, f"tags.{checks.shortened(key)}")


def _masked(site: Site, who: Principal, new: wire.NewErrorReport) -> wire.NewErrorReport:
    return msgspec.structs.replace(
        new,
        type=masked(site, who, new.type).strip() or UNNAMED,
        message=masked(site, who, new.message),
        stack_trace=masked(site, who, new.stack_trace),
        language=new.language.strip().lower(),
        tags=masked(site, who, new.tags),
    )


def _add_file(
    site: Site, who: Principal, report_id: int, named: tuple[str, str], pieces: Iterable[bytes]
) -> wire.ErrorFile:
    kind, name = named[0], file_name_of(masked(site, who, named[1])) or named[0]

    def look(tx: sa.Connection) -> wire.ErrorReport:
        check_bot(tx, who)
        found = errors.get(tx, who.scope, report_id)
        if kind == "attachment" and len(found.files) >= MOST_FILES:
            raise InvalidInput(f"error report {report_id} has {MOST_FILES} files", "no more are taken")
        return found

    site.store.read(look)
    received = receive(site, pieces, name, limit_bytes=file_limit(site))

    def keep(tx: sa.Connection) -> tuple[str, int]:
        before, replaced = look(tx).files, ""
        for file in before:
            if kind == "attachment" and (file.kind, file.name, file.sha256) == (kind, name, received.sha256):
                return "", file.id
            if kind == "screenshot" and file.kind == kind:
                errors.remove_file(tx, who.scope, file.id)
                replaced = file.sha256
        return replaced, errors.add_file(tx, who.scope, report_id, (kind, name, received), site.now())

    replaced, made = site.store.write(keep)
    swept.drop_unless_needed(site, replaced)
    report = _told(site, who, get_error(site, who, report_id))
    return next(file for file in report.files if file.id == made)


def file_limit(site: Site) -> int:
    """So many bytes one file of a report may have."""
    return min(FILE_BYTES, site.settings.artifact_limit_bytes)


def _wanted(site: Site, asked: Asked) -> errors.Wanted:
    since: datetime | None = None
    if asked.days is not None:
        since = site.now() - timedelta(days=max(0, min(asked.days, LONGEST_DAYS)))
    return errors.Wanted(
        task_id=min(asked.task_id, checks.LARGEST_ID) if asked.task_id is not None else None,
        group_id=asked.group_id,
        automation=checks.name(asked.automation, "automation"),
        bot=checks.name(asked.bot, "bot"),
        search=checks.name(asked.search, "search"),
        since=since,
        before=asked.before,
        first=asked.first,
        limit=max(1, min(asked.limit, MOST_ROWS + 1)),
        descending=asked.descending,
    )


def _told(site: Site, who: Principal, made: wire.ErrorReport) -> wire.ErrorReport:
    site.hints.send(f"workspace:{who.workspace_id}", f"task:{made.task_id}")
    return made
