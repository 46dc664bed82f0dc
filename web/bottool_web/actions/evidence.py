"""What runners tell of attempts beside their outcome: masked, cut, and never trusted to be more than a hint.

It decides nothing: no state moves by it, and what is too large or too late is refused.
"""

import math
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput, StaleAttempt
from bottool.states import AttemptState
from bottool_web.actions import checks, fencing, news
from bottool_web.actions.masking import masker_of
from bottool_web.actions.permissions import action
from bottool_web.actions.received import receive
from bottool_web.actions.runner_words import cleaned
from bottool_web.actions.site import Site
from bottool_web.store import artifacts, attempts, evidence, tasks
from bottool_web.store.scope import Principal

PICTURE_LIMIT_BYTES = 16 * 1024 * 1024
MOST_PROCESSES = 200
MOST_DEPENDENCIES = 2000
MOST_NOTES = 20
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST = 2**53


@action("attempt.work")
def tell_equipment(site: Site, who: Principal, task_id: int, number: int, told: wire.NewEquipment) -> None:
    """What the bots of this runner run with, under a name of the runner's own."""
    digest = checks.text(told.digest, "digest", 100)
    found = told.equipment
    kept = wire.Equipment(
        language=cleaned(found.language, 100),
        interpreter=cleaned(found.interpreter, 200),
        system=cleaned(found.system, 200),
        dependencies=[
            wire.Dependency(
                name=cleaned(each.name, 200),
                version=cleaned(each.version, 100),
                ecosystem=cleaned(each.ecosystem, 50),
                direct=each.direct,
            )
            for each in found.dependencies[:MOST_DEPENDENCIES]
        ],
    )
    _attempt(site, who, task_id, number, "equipment")
    new = wire.NewEquipment(digest=digest, equipment=kept)
    site.store.write(lambda tx: evidence.keep_equipment(tx, who.scope, who.id, new, site.now()))


@action("attempt.work")
def tell_evidence(site: Site, who: Principal, task_id: int, number: int, told: wire.AttemptEvidence) -> None:
    """What was seen of the attempt so far, in place of what was told before."""
    attempt_row = _attempt(site, who, task_id, number, "evidence")
    kept = msgspec.to_builtins(_cut(told))
    masker = masker_of(site, who, attempt_row)
    if masker is not None:
        kept = masker.value(kept)
    site.store.write(lambda tx: evidence.keep(tx, who.scope, attempt_row, {"told": kept}, site.now()))
    news.tell(site, who, task_id)


@action("attempt.work")
def tell_picture(site: Site, who: Principal, task_id: int, number: int, png: bytes) -> None:
    """What the bot's screen showed at its end, as a result file of the task; the first one stays.

    :raises InvalidInput: when it is no PNG.
    """
    if not png.startswith(_PNG):
        raise InvalidInput("the screenshot is no PNG", "send the bytes of a PNG file")
    attempt_row = _attempt(site, who, task_id, number, "screenshot")
    name = f"screenshot-{number}.png"
    limit = min(PICTURE_LIMIT_BYTES, site.settings.artifact_limit_bytes)
    received = receive(site, [png], name, limit_bytes=limit)
    new = wire.NewArtifact(task_id=task_id, name=name, file_name=name)

    def work(tx: sa.Connection) -> None:
        known = evidence.find(tx, who.scope, attempt_row)
        if known is not None and known.artifact_id is not None:
            return
        now = site.now()
        made = artifacts.add(tx, who.scope, new, now, attempt=number)
        artifacts.set_content(tx, who.scope, made, received, now)
        evidence.keep(tx, who.scope, attempt_row, {"artifact_id": made}, now)

    site.store.write(work)
    news.tell(site, who, task_id)


@action("task.read")
def usage_of(site: Site, who: Principal, task_id: int) -> list[wire.UsagePoint]:
    """The usage series of the task's newest attempt; empty when nothing was told."""

    def find(tx: sa.Connection) -> Any:
        task = tasks.row(tx, who.scope, task_id)
        attempt = attempts.find(tx, who.scope, task_id, task.attempt) if task.attempt else None
        known = evidence.find(tx, who.scope, attempt.id) if attempt is not None else None
        return known.told if known is not None else {}

    return msgspec.convert(site.store.read(find), wire.AttemptEvidence, strict=False).usage


def _attempt(site: Site, who: Principal, task_id: int, number: int, call: str) -> int:
    """The row of the runner's own attempt, of which more may be told.

    :raises NotFound: when it is not this runner's.
    :raises StaleAttempt: when it ended without its report: it was given back, or to another.
    """

    def work(tx: sa.Connection) -> int | StaleAttempt:
        held = fencing.held_by_runner(tx, who, task_id, number)
        if held.state is AttemptState.ENDED and not held.attempt.report_key:
            return fencing.refuse(tx, site, who, held, call)
        return int(held.attempt.id)

    found = site.store.read(lambda tx: attempts.find(tx, who.scope, task_id, number))
    if found is not None and found.runner_id == who.id and (found.state != AttemptState.ENDED or found.report_key):
        return int(found.id)
    return fencing.in_one_write(site, work)


def _cut(told: wire.AttemptEvidence) -> wire.AttemptEvidence:
    """What a database and a page can bear, whatever came."""
    return wire.AttemptEvidence(
        usage=[
            wire.UsagePoint(
                at=_figure(point.at),
                cpu_percent=_figure(point.cpu_percent),
                memory_bytes=_count(point.memory_bytes),
                processes=_count(point.processes),
                open_files=_count(point.open_files),
            )
            for point in told.usage[: wire.MOST_POINTS]
        ],
        processes=[
            wire.SeenProcess(
                pid=_count(each.pid),
                parent=_count(each.parent),
                name=cleaned(each.name, 100),
                command=cleaned(each.command, 500),
                status=cleaned(each.status, 30),
                memory_bytes=_count(each.memory_bytes),
                cpu_seconds=_figure(each.cpu_seconds),
            )
            for each in told.processes[:MOST_PROCESSES]
        ],
        processes_at=_figure(told.processes_at),
        notes=[cleaned(note, 300) for note in told.notes[:MOST_NOTES]],
    )


def _figure(value: float) -> float:
    return min(max(value, 0.0), float(_LARGEST)) if math.isfinite(value) else 0.0


def _count(value: int) -> int:
    return min(max(value, 0), _LARGEST)
