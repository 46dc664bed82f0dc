"""Result files: announced, then filled; or sent at once. The same bytes are kept once, whoever sends them.

An upload that breaks off leaves what was there; one that is repeated does no harm.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput, NotFound
from bottool_web.actions import checks, swept
from bottool_web.actions.fencing import check_bot
from bottool_web.actions.masking import masked
from bottool_web.actions.once import Request, once
from bottool_web.actions.permissions import action
from bottool_web.actions.received import file_name_of, receive
from bottool_web.actions.site import Site
from bottool_web.store import artifacts, audit
from bottool_web.store.artifacts import SORTS, Content
from bottool_web.store.scope import Principal

__all__ = [
    "SORTS",
    "Asked",
    "checksum_headers",
    "content",
    "create",
    "delete",
    "get_artifact",
    "list_artifacts",
    "page_of_artifacts",
    "send",
    "upload",
]

MOST_ROWS = 1000
MOST_COUNTED = 100_000
LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which artifacts; empty and ``None`` do not narrow. ``name`` is a part of a name, ``days`` count back from now.

    ``before`` is the id after which a list goes on; ``first`` so many rows are passed over, for pages with numbers.
    """

    task_id: int | None = None
    automation: str = ""
    name: str = ""
    days: int | None = None
    before: int | None = None
    first: int = 0
    limit: int = 50
    sort: str = "id"
    descending: bool = True


@action("artifact.create")
def create(site: Site, who: Principal, new: wire.NewArtifact, *, idempotency_key: str = "") -> wire.Artifact:
    """Announce a file; ``upload`` brings its bytes.

    :raises StaleAttempt: to a bot whose task another attempt works on by now.
    """
    new = _named(site, who, new)
    request = Request(act="artifact.create", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Artifact:
        check_bot(tx, who)
        made = artifacts.add(tx, who.scope, new, request.now, attempt=_attempt(who, new.task_id))
        return artifacts.get(tx, who.scope, made)

    made, _ = site.store.write(lambda tx: once(tx, who.scope, request, lambda: make(tx), wire.Artifact))
    return _told(site, who, made)


@action("artifact.create")
def upload(site: Site, who: Principal, artifact_id: int, pieces: Iterable[bytes]) -> wire.Artifact:
    """Put bytes under an artifact, instead of those that it has; a broken upload leaves those.

    ``pieces`` may raise: then nothing has happened.

    :raises TooBig: when they are more than the site takes.
    :raises Unavailable: when the disk has no room for them.
    """

    def look(tx: sa.Connection) -> wire.Artifact:
        check_bot(tx, who)
        return artifacts.get(tx, who.scope, artifact_id)

    before = site.store.read(look)
    received = _receive(site, pieces, before.file_name)

    def keep(tx: sa.Connection) -> tuple[str, wire.Artifact]:
        check_bot(tx, who)
        replaced = artifacts.get(tx, who.scope, artifact_id).sha256
        artifacts.set_content(tx, who.scope, artifact_id, received, site.now())
        return replaced, artifacts.get(tx, who.scope, artifact_id)

    replaced, made = site.store.write(keep)
    swept.drop_unless_needed(site, replaced)
    return _told(site, who, made)


@action("artifact.create")
def send(
    site: Site, who: Principal, new: wire.NewArtifact, pieces: Iterable[bytes], *, idempotency_key: str = ""
) -> wire.Artifact:
    """``create`` and ``upload`` in one: the artifact is there when all its bytes are.

    Under the same ``idempotency_key`` it is there once, with the bytes that came first.
    """
    new = _named(site, who, new)
    request = Request(act="artifact.send", key=idempotency_key, body=new, now=site.now())

    def make(tx: sa.Connection) -> wire.Artifact:
        made = artifacts.add(tx, who.scope, new, request.now, attempt=_attempt(who, new.task_id))
        artifacts.set_content(tx, who.scope, made, received, request.now)
        return artifacts.get(tx, who.scope, made)

    def keep(tx: sa.Connection) -> wire.Artifact:
        check_bot(tx, who)
        return once(tx, who.scope, request, lambda: make(tx), wire.Artifact)[0]

    def look(tx: sa.Connection) -> None:
        check_bot(tx, who)
        artifacts.check_task(tx, who.scope, new.task_id)

    site.store.read(look)
    received = _receive(site, pieces, new.file_name)
    return _told(site, who, site.store.write(keep))


@action("artifact.read")
def list_artifacts(site: Site, who: Principal, asked: Asked) -> list[wire.Artifact]:
    """Newest first."""
    wanted = _wanted(site, asked)
    return site.store.read(lambda tx: artifacts.page(tx, who.scope, wanted))


@action("artifact.read")
def page_of_artifacts(site: Site, who: Principal, asked: Asked) -> tuple[list[wire.Artifact], int]:
    """A page, and how many match in all, counted up to ``MOST_COUNTED``; behind that there is no page."""
    wanted = _wanted(site, asked)
    most = MOST_COUNTED if wanted.sort == "id" else artifacts.NEWEST

    def work(tx: sa.Connection) -> tuple[list[wire.Artifact], int]:
        rows = artifacts.page(tx, who.scope, wanted) if wanted.first < most else []
        return rows, artifacts.count(tx, who.scope, wanted, most)

    return site.store.read(work)


@action("artifact.read")
def get_artifact(site: Site, who: Principal, artifact_id: int) -> wire.Artifact:
    return site.store.read(lambda tx: artifacts.get(tx, who.scope, artifact_id))


@action("artifact.read")
def content(site: Site, who: Principal, artifact_id: int) -> tuple[wire.Artifact, Path]:
    """The artifact, and where its bytes lie.

    :raises NotFound: when they have not come yet.
    """
    found = site.store.read(lambda tx: artifacts.get(tx, who.scope, artifact_id))
    if found.state != "stored":
        raise NotFound(f"artifact {artifact_id} has no file yet", "its upload has not come, or broke off")
    return found, site.files.artifact(found.sha256)


def checksum_headers(found: wire.Artifact) -> dict[str, str]:
    """What lets a client check the bytes that it got. Source: RFC 9530, and RFC 3230 for older clients."""
    digest = b64encode(bytes.fromhex(found.sha256)).decode()
    return {"Repr-Digest": f"sha-256=:{digest}:", "Digest": f"sha-256={digest}", wire.SHA256_HEADER: found.sha256}


@action("artifact.delete")
def delete(site: Site, who: Principal, artifact_id: int) -> None:
    """Take an artifact away, and its bytes when nobody else needs them."""
    now = site.now()

    def work(tx: sa.Connection) -> wire.Artifact:
        gone = artifacts.get(tx, who.scope, artifact_id)
        artifacts.remove(tx, who.scope, artifact_id)
        said = {"task": gone.task_id, "name": gone.name, "sha256": gone.sha256}
        audit.record(tx, who.scope, "artifact.delete", str(artifact_id), now, **said)
        return gone

    gone = site.store.write(work)
    swept.drop_unless_needed(site, gone.sha256)
    _told(site, who, gone)


def _named(site: Site, who: Principal, new: wire.NewArtifact) -> wire.NewArtifact:
    """With names that are fit to be shown, found and given to a browser."""
    checks.number(new.task_id, "task_id", 1, checks.LARGEST_ID)
    name = checks.name(_printable(masked(site, who, new.name)).strip(), "name")
    file_name = file_name_of(masked(site, who, new.file_name))
    if not name and not file_name:
        raise InvalidInput("the artifact has no name", "give it a name, or the name of its file", path="name")
    return wire.NewArtifact(task_id=new.task_id, name=name or file_name, file_name=file_name or name)


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _attempt(who: Principal, task_id: int) -> int | None:
    return who.attempt if who.task_id == task_id else None


def _receive(site: Site, pieces: Iterable[bytes], file_name: str) -> Content:
    return receive(site, pieces, file_name, limit_bytes=site.settings.artifact_limit_bytes)


def _wanted(site: Site, asked: Asked) -> artifacts.Wanted:
    since: datetime | None = None
    if asked.days is not None:
        since = site.now() - timedelta(days=max(0, min(asked.days, LONGEST_DAYS)))
    return artifacts.Wanted(
        task_id=asked.task_id,
        automation=checks.text(asked.automation, "automation", checks.NAME_LIMIT),
        name=checks.text(asked.name, "name", checks.NAME_LIMIT),
        since=since,
        before=asked.before,
        first=asked.first,
        limit=max(1, min(asked.limit, MOST_ROWS + 1)),
        sort=asked.sort,
        descending=asked.descending,
    )


def _told(site: Site, who: Principal, made: wire.Artifact) -> wire.Artifact:
    site.hints.send(f"workspace:{who.workspace_id}", f"task:{made.task_id}")
    return made
