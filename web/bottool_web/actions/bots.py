"""Bots and their versions: announce, upload, release, exclude, download."""

import time
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, NotFound
from bottool_web.actions import checks, inspections
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.package_check import Findings, check_package_within
from bottool_web.package_inspection import Question, Told, inspect_package
from bottool_web.store import audit, bots, workspaces
from bottool_web.store.scope import Principal


@action("bot.read")
def list_bots(site: Site, who: Principal) -> list[wire.Bot]:
    """By bot id."""
    return site.store.read(lambda tx: bots.all_living(tx, who.scope))


@action("bot.read")
def get_bot(site: Site, who: Principal, bot_id: str) -> wire.Bot:
    return site.store.read(lambda tx: bots.get(tx, who.scope, bot_id))


@action("bot.deploy")
def announce_version(site: Site, who: Principal, bot_id: str, new: wire.NewVersion, *, again: bool = False) -> wire.Bot:
    """Make a version without a file yet, and the bot when it is new.

    With ``again`` a version that never got its file may be announced once more, as a deploy that broke off does.

    :raises Conflict: when the version exists already.
    """
    checks.label(bot_id, "bot_id")
    checks.label(new.version, "version")
    checks.label(new.technology, "technology")
    checks.name(new.command, "command")
    now = site.now()

    def make(tx: sa.Connection) -> wire.Bot:
        repository_id = workspaces.repository_id(tx, who.scope, new.repository)
        bot_row = bots.find_or_add(
            tx, who.scope, bot_id, technology=new.technology, repository_id=repository_id, now=now
        )
        if not again or not bots.announce_again(tx, who.scope, bot_row, new):
            bots.add_version(tx, who.scope, bot_row, new, now)
        audit.record(tx, who.scope, "bot.deploy", bot_id, now, version=new.version, technology=new.technology)
        return bots.get(tx, who.scope, bot_id)

    return _changed(site, who, site.store.write(make))


@action("bot.deploy")
def upload(site: Site, who: Principal, bot_id: str, version: str, file_name: str, pieces: Iterable[bytes]) -> wire.Bot:
    """Put a file under the version; one that is there is replaced, also of a released version.

    What runs keeps the file that it started with. A version whose inspection takes long is ``checking`` until the
    server has done it behind the answer.

    :raises ArchiveError: when the file is refused, or could never start; the version keeps what it had.
    :raises TooBig: when it is larger than the site takes.
    """
    announced = site.store.read(lambda tx: bots.version_of(tx, who.scope, bot_id, version))
    plain_name = _plain(file_name) or f"{bot_id}-{version}"
    looked: list[tuple[Findings | None, Told | None]] = []
    stored = site.files.add_package(
        pieces,
        limit_bytes=site.settings.upload_limit_bytes,
        check=lambda path: looked.append(_look(site, path, plain_name, (bot_id, announced))),
    )
    findings, told = looked[0]
    revision = bots.NewRevision(
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        file_name=plain_name,
        findings=findings.notes if findings is not None else (),
        at=site.now(),
        state="checking" if told is None else "ready",
    )

    def keep(tx: sa.Connection) -> wire.Bot:
        row = bots.version_of(tx, who.scope, bot_id, version)
        made = bots.add_revision(tx, who.scope, row.id, revision)
        if told is not None:
            inspections.keep(tx, site, who, made, told, bot_id=bot_id)
        audit.record(tx, who.scope, "bot.upload", bot_id, revision.at, version=version, sha256=stored.sha256)
        return bots.get(tx, who.scope, bot_id)

    return _changed(site, who, site.store.write(keep), queue=True)


def _look(site: Site, path: Path, file_name: str, announced: tuple[str, Any]) -> tuple[Findings | None, Told | None]:
    """Check the archive, then inspect it in the time that is left; ``None`` for what that was not enough for."""
    deadline = time.monotonic() + site.settings.inspection_seconds
    findings = check_package_within(
        site.settings.inspection_seconds, path, file_name, unpacked_bytes=inspections.unpacked_bytes(site)
    )
    if findings is None:
        return None, None
    bot_id, version = announced
    question = Question(
        path=path, bot_id=bot_id, version=version.version, technology=version.technology, command=version.command
    )
    told = inspect_package(question, deadline - time.monotonic())
    inspections.refuse_obstacle(told)
    return findings, told


@action("bot.release")
def release(site: Site, who: Principal, bot_id: str, version: str) -> wire.Bot:
    """New tasks run this version from now on.

    :raises Conflict: when the version has no file, or one that was refused.
    """
    now = site.now()

    def make(tx: sa.Connection) -> wire.Bot:
        row = bots.version_of(tx, who.scope, bot_id, version)
        if row.state == "refused":
            raise Conflict(f"version '{version}' of '{bot_id}' was refused", "upload another file, then release it")
        # One that is being inspected may be released: its tasks wait until that is done.
        if row.state not in {"ready", "checking"}:
            raise Conflict(
                f"version '{version}' of '{bot_id}' has no file that can run", "upload its package, then release it"
            )
        bots.set_release(tx, who.scope, row.bot_row, row.id)
        audit.record(tx, who.scope, "bot.release", bot_id, now, version=version)
        return bots.get(tx, who.scope, bot_id)

    return _changed(site, who, site.store.write(make), queue=True)


@action("bot.exclude")
def exclude(site: Site, who: Principal, bot_id: str, version: str) -> None:
    """Take the version out; the bot goes with its last version unless an automation uses it.

    :raises Conflict: when it is the released version.
    """
    now = site.now()

    def make(tx: sa.Connection) -> None:
        row = bots.version_of(tx, who.scope, bot_id, version)
        if row.release_id == row.id:
            raise Conflict(f"version '{version}' of '{bot_id}' is released", "release another version first")
        bots.exclude_version(tx, who.scope, row.id, now)
        bots.exclude_bot_if_empty(tx, who.scope, row.bot_row, now)
        audit.record(tx, who.scope, "bot.exclude", bot_id, now, version=version)

    site.store.write(make)
    site.hints.send(f"workspace:{who.workspace_id}")


@action("bot.download")
def package_file(site: Site, who: Principal, bot_id: str, version: str) -> tuple[Path, str]:
    """The newest file of the version, and the name that it was uploaded with."""
    row = site.store.read(lambda tx: bots.version_of(tx, who.scope, bot_id, version))
    if row.sha256 is None:
        raise NotFound(f"version '{version}' of '{bot_id}' has no file yet", "upload its package first")
    return site.files.package(row.sha256), row.file_name


def _plain(file_name: str) -> str:
    """The last part of a name, for people only: no path, no control characters."""
    last = PurePosixPath(file_name.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable())[-checks.NAME_LIMIT :]


def _changed(site: Site, who: Principal, bot: wire.Bot, *, queue: bool = False) -> wire.Bot:
    topics = [f"workspace:{who.workspace_id}"]
    site.hints.send(*topics, *([f"queue:{who.workspace_id}"] if queue else []))
    return bot
