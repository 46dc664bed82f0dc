"""What a runner says of one attempt, between taking it and its end. Every call may come twice, late, or not at all.

The claim is reversible and the permit is not: what fails before the permit goes back to the queue by itself, what had
one is started at most once, whatever crashes. ``claims`` holds what comes before, ``fencing`` what comes too late.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from pathlib import Path

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import StaleAttempt
from bottool.model import Reason
from bottool.states import ATTEMPT_ALIVE, AttemptState, TaskState
from bottool_web.actions import endings, fencing, news
from bottool_web.actions.claims import has_news, may_have_work, sync
from bottool_web.actions.evidence import tell_equipment, tell_evidence, tell_picture
from bottool_web.actions.fencing import Held
from bottool_web.actions.identity import hash_secret
from bottool_web.actions.output import append_output
from bottool_web.actions.permissions import action
from bottool_web.actions.reports import finish
from bottool_web.actions.results import Result
from bottool_web.actions.runner_words import cleaned, cleaned_tail, seconds
from bottool_web.actions.site import Site
from bottool_web.store import attempts, moves, tokens, workspaces
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

__all__ = [
    "append_output",
    "finish",
    "hand_back",
    "has_news",
    "may_have_work",
    "package_file",
    "permit",
    "started",
    "sync",
    "tell_equipment",
    "tell_evidence",
    "tell_picture",
    "void",
]

HAND_BACK_OUTPUT_CHARACTERS = 3000
LARGEST_STATUS = 2**32


@action("attempt.work")
def package_file(site: Site, who: Principal, task_id: int, number: int) -> tuple[Path, str]:
    """The package that was pinned for this attempt when its task was taken, and its SHA-256.

    :raises NotFound: when the attempt is not this runner's.
    :raises StaleAttempt: when it has ended.
    """

    def work(tx: sa.Connection) -> str | StaleAttempt:
        held = fencing.held_by_runner(tx, who, task_id, number)
        if held.state not in ATTEMPT_ALIVE:
            return fencing.refuse(tx, site, who, held, "package")
        return attempts.package_of(tx, who.scope, held.attempt.id)

    sha256 = fencing.in_one_write(site, work)
    return site.files.package(sha256), sha256


@action("attempt.work")
def permit(site: Site, who: Principal, task_id: int, number: int) -> wire.Permit:
    """You may start now. The one point of no return; asked again by the same attempt, it is the same permit.

    :raises StaleAttempt: when the task was cancelled, the lease ran out, or the attempt is over.
    """

    def work(tx: sa.Connection) -> wire.Permit | StaleAttempt:
        held = fencing.held_by_runner(tx, who, task_id, number)
        token = _token(site, held.attempt)
        if _may_start(site, held):
            _grant(tx, site, who, held, token)
        elif not _has_permit(held):
            return fencing.refuse(tx, site, who, held, "permit")
        return wire.Permit(token=token, workspace=workspaces.get(tx, who.scope).label)

    granted = fencing.in_one_write(site, work)
    news.tell(site, who, task_id)
    return granted


def _may_start(site: Site, held: Held) -> bool:
    return (
        held.state is AttemptState.LEASED
        and held.task_state is TaskState.LEASED
        and not held.task.killed
        and held.attempt.lease_until > site.now()
    )


def _has_permit(held: Held) -> bool:
    """A permit that was given holds until the attempt is lost or ends; after a stop it is not given again."""
    if held.state in {AttemptState.STARTING, AttemptState.RUNNING}:
        return True
    return held.state is AttemptState.STOPPING and not held.task.killed


def _grant(tx: sa.Connection, site: Site, who: Principal, held: Held, token: str) -> None:
    now = site.now()
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind="permitted",
            at=now,
            task_to=TaskState.STARTING,
            attempt_to=AttemptState.STARTING,
            task_values={"permits": held.task.permits + 1},
            attempt_values={"permitted_at": now},
        ),
    )
    new = tokens.NewToken(kind="attempt", token_hash=hash_secret(token), attempt_id=held.attempt.id, created_at=now)
    tokens.add(tx, who.scope, new)


def _token(site: Site, attempt: Row) -> str:
    """The bot's token: made from the attempt anew each time, so that a repeated permit is the same and none is kept."""
    digest = hmac.digest(site.key, f"attempt {attempt.id} {attempt.nonce}".encode(), hashlib.sha256)
    return f"btl_attempt_{urlsafe_b64encode(digest).decode().rstrip('=')}"


@action("attempt.work")
def started(site: Site, who: Principal, task_id: int, number: int, start: wire.Started) -> None:
    """The keeper's word that the bot runs. Too late after the end, it changes nothing and is no error.

    :raises StaleAttempt: when the attempt has no permit, or was replaced.
    """

    def work(tx: sa.Connection) -> StaleAttempt | None:
        held = fencing.held_by_runner(tx, who, task_id, number)
        if held.attempt.started_at is not None or held.attempt.report_key:
            return None
        if held.state in {AttemptState.LEASED, AttemptState.ENDED}:
            return fencing.refuse(tx, site, who, held, "started", pid=start.pid)
        _note_start(tx, site, who, held, start)
        return None

    fencing.in_one_write(site, work)
    news.tell(site, who, task_id)


def _note_start(tx: sa.Connection, site: Site, who: Principal, held: Held, start: wire.Started) -> None:
    now = site.now()
    state = AttemptState.STOPPING if held.stop_asked else AttemptState.RUNNING
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind="started",
            at=now,
            task_to=held.task_follows(state),
            attempt_to=state if state is not held.state else None,
            attempt_values={"started_at": now, "equipment": cleaned(start.equipment, 100)},
            detail={
                "pid": start.pid,
                "boot_id": cleaned(start.boot_id, 100),
                "prepared_seconds": seconds(start.prepared_seconds),
            },
        ),
    )


@action("attempt.work")
def void(site: Site, who: Principal, task_id: int, number: int) -> None:
    """The start ticket says that the bot never ran, so the task may safely be taken again.

    :raises StaleAttempt: when its start was confirmed, or the attempt is over.
    """

    def work(tx: sa.Connection) -> StaleAttempt | None:
        held = fencing.held_by_runner(tx, who, task_id, number)
        never_could = held.attempt.permitted_at is None
        if held.state is AttemptState.ENDED and (never_could or held.attempt.reason == "voided"):
            return None
        if held.state is AttemptState.ENDED or held.attempt.started_at is not None:
            return fencing.refuse(tx, site, who, held, "void")
        had_permit = held.attempt.permitted_at is not None
        endings.give_back(tx, site, who, held, endings.WithoutStart(kind="voided", permit_undone=had_permit))
        return None

    fencing.in_one_write(site, work)
    news.tell(site, who, task_id, news.queue_of(who))


@action("attempt.work")
def hand_back(site: Site, who: Principal, task_id: int, number: int, given: wire.HandBack) -> None:
    """The runner cannot prepare the bot. Before the permit only: another runner may try at once.

    :raises StaleAttempt: when the attempt had its permit, or is over.
    """
    fault = _fault(given)
    reason = fault.reason

    def work(tx: sa.Connection) -> StaleAttempt | None:
        held = fencing.held_by_runner(tx, who, task_id, number)
        if held.state is AttemptState.ENDED and held.attempt.reason in {"handed_back", Reason.NOT_PREPARED}:
            return None
        if held.state is not AttemptState.LEASED:
            return fencing.refuse(tx, site, who, held, "hand-back", reason=reason)
        if given.permanent and not held.task_is_final:
            _fail_unprepared(tx, site, who, held, fault)
        else:
            ending = endings.WithoutStart(kind="handed_back", message=reason, fault=fault)
            endings.give_back(tx, site, who, held, ending)
        return None

    fencing.in_one_write(site, work)
    news.tell(site, who, task_id, news.queue_of(who))


def _fault(given: wire.HandBack) -> wire.Fault:
    return wire.Fault(
        reason=cleaned(given.reason.strip()),
        phase=cleaned(given.phase, 30),
        tool=cleaned(given.tool, 200),
        exit_status=given.exit_status if abs(given.exit_status or 0) <= LARGEST_STATUS else None,
        hint=cleaned(given.hint.strip(), 500),
        output=cleaned_tail(given.output.strip(), HAND_BACK_OUTPUT_CHARACTERS),
    )


def _fail_unprepared(tx: sa.Connection, site: Site, who: Principal, held: Held, fault: wire.Fault) -> None:
    told = moves.Step(
        task=held.task,
        kind="not_prepared",
        at=site.now(),
        attempt_values={
            "reason": Reason.NOT_PREPARED.value,
            "message": fault.reason,
            "fault": msgspec.to_builtins(fault),
        },
        detail={"message": fault.reason},
    )
    message = f"{fault.reason}\n{fault.output}" if fault.output else fault.reason
    endings.conclude(tx, who, held, Result(state=TaskState.FAILED, message=message), told)
    endings.restart_if_it_waited(tx, site, who, held.task.id)
