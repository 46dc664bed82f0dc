"""Inspecting packages, and what follows: a version may run or is refused, and who depends on what can be asked."""

import threading
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import sbom, wire
from bottool.errors import ArchiveError, BottoolError, Conflict, InvalidInput, NotFound
from bottool.model import Dependency
from bottool_web.actions import checks
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.ecosystems import KNOWN, is_below, plain_name
from bottool_web.package_check import UNPACKED_BYTES, UNPACKED_TIMES, check_package
from bottool_web.package_inspection import SECONDS, Question, Told, inspect_package
from bottool_web.store import audit, bots, inspections
from bottool_web.store.inspections import NewInspection
from bottool_web.store.scope import Principal


def refuse_obstacle(told: Told | None) -> None:
    """:raises ArchiveError: when the package could never start."""
    if told is not None and told.obstacle:
        raise ArchiveError(
            f"the package could never start: {told.obstacle}", "mend it and build it again", reason="no_entry"
        )


def keep(tx: sa.Connection, site: Site, who: Principal, revision_row: int, told: Told, *, bot_id: str) -> None:
    """Store what was told of a revision.

    :raises Conflict: when it was inspected already.
    """
    refused = bool(told.obstacle)
    findings = [told.obstacle, *told.findings] if refused else told.findings
    if told.bot_id and told.bot_id != bot_id:
        # Runners start it all the same: they read the archive, not the bot's name.
        findings = [f"the package is the bot '{told.bot_id}', not '{bot_id}': deploy it as '{told.bot_id}'", *findings]
    new = NewInspection(
        state="refused" if refused else told.state,
        language=told.language,
        entry=told.entry,
        requires=told.requires,
        bot_id=told.bot_id,
        locked=told.locked,
        findings=tuple(findings),
        dependencies=tuple(
            (
                plain_name(each.ecosystem, each.name),
                wire.Dependency(**{name: getattr(each, name) for name in each.__struct_fields__}),
            )
            for each in told.dependencies
        ),
        at=site.now(),
    )
    inspections.add(tx, who.scope, revision_row, new)


@action("site.keep")
def inspect_next(site: Site, who: Principal, ending: threading.Event) -> bool:
    """Inspect one package of the workspace that waits for it; false when none does, or when ``ending`` came first."""
    found = site.store.read(lambda tx: inspections.waiting(tx, who.scope))
    if found is None or ending.is_set():
        return False
    told = _told(site, found, ending)
    if told is None:
        return False
    if found.state != "checking":
        # It was taken without an inspection and may have run since: nothing is refused afterwards.
        told = msgspec.structs.replace(told, obstacle="")

    def work(tx: sa.Connection) -> None:
        keep(tx, site, who, found.revision_id, told, bot_id=found.bot_id)
        if told.obstacle and inspections.refuse(tx, who.scope, found.bot_version_id, found.revision_id):
            audit.record(tx, who.scope, "bot.refuse", found.bot_id, site.now(), version=found.version)
        elif not told.obstacle:
            inspections.accept(tx, who.scope, found.bot_version_id, found.revision_id)

    try:
        site.store.write(work)
    except Conflict:
        return True  # another server was quicker
    site.hints.send(f"workspace:{who.workspace_id}", f"queue:{who.workspace_id}")
    return True


def _told(site: Site, found: Any, ending: threading.Event) -> Told | None:
    """What is told of a package; a failure when it takes too long, ``None`` when the server ends meanwhile."""
    try:
        path = site.files.package(found.sha256)
    except NotFound as error:
        return Told(state="failed", findings=[error.message])
    try:
        notes = _archive_notes(site, path, found)
    except ArchiveError as error:
        return Told(state="failed", obstacle=error.message, findings=[error.hint] if error.hint else [])
    question = Question(
        path=path,
        bot_id=found.bot_id,
        version=found.version,
        technology=found.technology,
        command=found.command,
    )
    try:
        told = inspect_package(question, SECONDS, ending)
    except (BottoolError, OSError, ValueError) as error:
        # Whatever is wrong with it: the next look must find another package, not this one for ever.
        return Told(state="failed", findings=[f"it could not be inspected: {error}"])
    if told is None and not ending.is_set():
        told = Told(state="failed", findings=[f"it could not be inspected: it took more than {SECONDS:.0f} s"])
    return told and msgspec.structs.replace(told, findings=[*notes, *told.findings])


def _archive_notes(site: Site, path: Path, found: Any) -> tuple[str, ...]:
    """What to say of an archive whose upload could not wait for its check; nothing of one that was checked.

    :raises ArchiveError: when it is refused.
    """
    if found.state != "checking":
        return ()
    findings = check_package(path, found.file_name, unpacked_bytes=unpacked_bytes(site))
    return () if found.findings else findings.notes


def unpacked_bytes(site: Site) -> int:
    """What a package may unpack to."""
    return max(UNPACKED_BYTES, UNPACKED_TIMES * site.settings.upload_limit_bytes)


@action("bot.read")
def get_inspection(site: Site, who: Principal, bot_id: str, version: str) -> wire.Inspection:
    """:raises NotFound: when there is no such version, or no file yet."""
    return _of_version(site, who, bot_id, version)[1]


@action("bot.read")
def get_sbom(site: Site, who: Principal, bot_id: str, version: str) -> dict[str, Any]:
    """The bill of materials of a version: CycloneDX 1.6.

    :raises NotFound: as ``get_inspection``.
    :raises Conflict: when the package was not inspected.
    """
    row, told = _of_version(site, who, bot_id, version)
    if told.state != "done":
        why = (
            "no plugin on the server serves its language"
            if told.state == "none"
            else f"its inspection is '{told.state}'"
        )
        raise Conflict(f"nothing is known of what {bot_id} {version} depends on: {why}", "'bottool inspect' may tell")
    subject = sbom.Subject(
        bot_id=bot_id,
        version=version,
        language=told.language,
        sha256=row.sha256,
        entry=told.entry,
        requires=told.requires,
        locked=told.locked,
    )
    parts = [Dependency(**msgspec.structs.asdict(each)) for each in told.dependencies]
    return sbom.document(subject, parts)


def _of_version(site: Site, who: Principal, bot_id: str, version: str) -> tuple[Any, wire.Inspection]:
    def work(tx: sa.Connection) -> tuple[Any, wire.Inspection]:
        row = bots.version_of(tx, who.scope, bot_id, version)
        if row.revision_id is None:
            raise NotFound(f"version '{version}' of '{bot_id}' has no file yet", "upload its package first")
        return row, inspections.of_revision(tx, who.scope, row.revision_id)

    return site.store.read(work)


@action("bot.read")
def dependents(
    site: Site, who: Principal, *, name: str, below: str = "", ecosystem: str = "", released: bool = False
) -> list[wire.Dependent]:
    """The bot versions, with their newest file, that depend on ``name``; with ``below`` only older ones of it.

    What cannot be compared is listed as ``unknown``: it may be older. A Maven artifact is ``group:artifact``.

    :raises InvalidInput: without a name, or for an ecosystem that nobody knows.
    """
    checks.name(name, "name")
    checks.name(below, "below")
    if not name:
        raise InvalidInput("name is empty", "say which package, such as openpyxl", path="name")
    if ecosystem and ecosystem not in KNOWN:
        raise InvalidInput(f"there is no ecosystem '{ecosystem}'", f"there are: {', '.join(KNOWN)}", path="ecosystem")
    wanted = [(each, plain_name(each, name)) for each in ([ecosystem] if ecosystem else KNOWN)]
    found = site.store.read(lambda tx: inspections.dependents(tx, who.scope, wanted, released=released))
    return [judged for each in found if (judged := _judged(each, below)) is not None]


def _judged(found: wire.Dependent, below: str) -> wire.Dependent | None:
    if not below:
        return found
    older = is_below(found.dependency.ecosystem, found.dependency.version, below)
    if older is False:
        return None
    return msgspec.structs.replace(found, verdict="unknown" if older is None else "below")
