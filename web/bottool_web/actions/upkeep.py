"""What becomes due by itself: promised times, leases that ran out, attempts that stay lost, bots that run too long.

Only the server's clock decides. Each step is one write per task, so a sweep may be killed anywhere and repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from bottool.errors import Conflict
from bottool.states import AttemptState, TaskState
from bottool_web.actions import endings, news, pool_returns
from bottool_web.actions.fencing import Held
from bottool_web.actions.identity import acting_site
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store import attempts, events, idempotency, moves, queue, tasks, tokens
from bottool_web.store.attempts import HOLDING
from bottool_web.store.limit_columns import longest_end
from bottool_web.store.scope import Principal

AT_ONCE = 500
BACKSTOP_SECONDS = 60.0
"""The keeper ends a bot at its time-out; the server does so that much later, in case the keeper cannot."""
BRAKE_SHARE = 0.25
BRAKE_FLOOR = 3
KEPT = timedelta(days=7)
Step = Callable[[sa.Connection, Site, Principal, Held], bool]

STARTED = (AttemptState.STARTING, AttemptState.RUNNING, AttemptState.STOPPING)


def principals(site: Site) -> list[Principal]:
    """The site itself, once for each workspace."""
    return [acting_site(workspace_id) for workspace_id in site.store.read(queue.workspaces)]


@action("site.keep")
def promote_due(site: Site, who: Principal) -> int:
    """Queue the scheduled tasks whose time has come; returns how many."""
    due = site.store.read(lambda tx: tasks.due(tx, who.scope, site.now(), limit=AT_ONCE))

    return sum(_promote(site, who, task_id) for task_id in due)


def _promote(site: Site, who: Principal, task_id: int) -> bool:
    def work(tx: sa.Connection) -> bool:
        task = tasks.locked(tx, who.scope, task_id)
        if task.state != TaskState.SCHEDULED or task.earliest_at > site.now():
            return False
        moves.take(tx, who.scope, moves.Step(task=task, kind="due", at=site.now(), task_to=TaskState.QUEUED))
        return True

    moved = site.store.write(work)
    if moved:
        news.tell(site, who, task_id, news.queue_of(who))
    return moved


@action("site.keep")
def take_back_leases(site: Site, who: Principal) -> int:
    """Attempts whose lease ran out before the permit: their tasks wait again. Safe, for their bots did not start."""
    found = site.store.read(lambda tx: attempts.lapsed(tx, who.scope, site.now(), (AttemptState.LEASED,)))
    return sum(_each(site, who, task_id, number, _take_back) for task_id, number in found)


def _take_back(tx: sa.Connection, site: Site, who: Principal, held: Held) -> bool:
    if held.state is not AttemptState.LEASED or held.attempt.lease_until >= site.now():
        return False
    endings.give_back(tx, site, who, held, endings.WithoutStart(kind="lease_lapsed", message="its runner went silent"))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """Attempts that would be called lost now, and how many live at all."""

    found: list[tuple[int, int]]
    alive: int

    @property
    def are_too_many(self) -> bool:
        """So many at once rather say that something is wrong here, a network or a clock."""
        return len(self.found) > max(BRAKE_FLOOR, BRAKE_SHARE * self.alive)


@action("site.keep")
def silent_attempts(site: Site, who: Principal) -> Silent:
    """Started attempts whose runner was silent for the lease and a margin."""
    before = site.now() - timedelta(seconds=site.settings.lost_margin_seconds)

    def work(tx: sa.Connection) -> Silent:
        found = attempts.lapsed(tx, who.scope, before, STARTED)
        alive = [row for row in attempts.alive(tx, who.scope) if row.state in HOLDING] if found else []
        return Silent(found=found, alive=len(alive))

    return site.store.read(work)


@action("site.keep")
def call_lost(site: Site, who: Principal, silent: Silent) -> int:
    """Say of silent attempts that contact is lost. Their bots may still run, so nothing starts in their stead yet,
    but for those that are fenced: their own machine has ended the bot by now.
    """
    return sum(_each(site, who, task_id, number, _lose) for task_id, number in silent.found)


def _lose(tx: sa.Connection, site: Site, who: Principal, held: Held) -> bool:
    margin = timedelta(seconds=site.settings.lost_margin_seconds)
    if held.state not in STARTED or held.attempt.lease_until + margin >= site.now():
        return False
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind="lost",
            at=site.now(),
            task_to=held.task_follows(AttemptState.LOST),
            attempt_to=AttemptState.LOST,
        ),
    )
    if endings.try_again_after_loss(tx, site, who, held):
        pool_returns.after_attempt(tx, site, who, held.task.id, held.attempt.number)
    return True


@action("site.keep")
def give_up_lost(site: Site, who: Principal) -> int:
    """Tasks that stayed lost for the whole window have failed; a late report of the same attempt may correct it."""
    window = timedelta(seconds=site.settings.lost_margin_seconds + site.settings.lost_window_seconds)
    found = site.store.read(lambda tx: attempts.lost_before(tx, who.scope, site.now() - window))
    return sum(_each(site, who, task_id, number, _give_up) for task_id, number in found)


def _give_up(tx: sa.Connection, site: Site, who: Principal, held: Held) -> bool:
    if held.task_state is not TaskState.LOST or held.state is not AttemptState.LOST:
        return False
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind="given_up",
            at=site.now(),
            task_to=TaskState.FAILED,
            task_values={
                "message": "contact with the machine was lost and did not come back; how the bot ended is not known",
                "ended_at": site.now(),
            },
            attempt_values={"reason": "lost"},
        ),
    )
    # Not tried again by itself, however many attempts are left: the lost bot may run to this day beside the new one.
    if held.task.restart_asked:
        _close(tx, site, who, held.task.id, held.attempt.number)
    pool_returns.after_attempt(tx, site, who, held.task.id, held.attempt.number)
    return True


def _close(tx: sa.Connection, site: Site, who: Principal, task_id: int, number: int) -> None:
    """The task goes on without the lost attempt: from now on its reports are stale."""
    task = tasks.locked(tx, who.scope, task_id)
    attempt = attempts.find(tx, who.scope, task_id, number)
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=task,
            attempt=attempt,
            kind="closed",
            at=site.now(),
            attempt_to=AttemptState.ENDED,
            attempt_values={"ended_at": site.now()},
        ),
    )
    endings.restart_if_it_waited(tx, site, who, task_id)


@action("site.keep")
def stop_overdue(site: Site, who: Principal) -> int:
    """Bots that run past their time-out although their keeper should have ended them."""
    now, backstop = site.now(), timedelta(seconds=BACKSTOP_SECONDS)
    found = [
        (row.task_id, row.number)
        for row in site.store.read(lambda tx: attempts.running_with_timeout(tx, who.scope))
        if row.started_at + timedelta(seconds=row.timeout_seconds + longest_end(row.limits)) + backstop < now
    ]
    return sum(_each(site, who, task_id, number, _stop_overdue) for task_id, number in found)


def _stop_overdue(tx: sa.Connection, site: Site, who: Principal, held: Held) -> bool:
    if held.task.killed or held.state not in {AttemptState.RUNNING, AttemptState.STOPPING}:
        return False
    result = None if held.task_is_final else TaskState.TIMED_OUT
    values: dict[str, Any] = {"killed": True}
    if result is not None:
        values |= {"message": "the bot ran out of time", "ended_at": site.now()}
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind="timed_out",
            at=site.now(),
            task_to=result,
            attempt_to=AttemptState.STOPPING if held.state is AttemptState.RUNNING else None,
            task_values=values,
        ),
    )
    return True


@action("site.keep")
def extend_leases(site: Site, who: Principal, seconds: float) -> int:
    """Give every live attempt so long from now: after a pause of the server nobody is to blame for silence.

    Not longer either: a clock that was set back while the server was down would leave leases of hours behind.
    """
    until = site.now() + timedelta(seconds=seconds)

    def work(tx: sa.Connection) -> int:
        found = [row for row in attempts.alive(tx, who.scope) if row.lease_until != until]
        for row in found:
            attempts.set_lease(tx, who.scope, row.id, until)
        return len(found)

    return site.store.write(work)


@action("site.keep")
def shift_leases(site: Site, who: Principal, seconds: float) -> int:
    """The server's clock jumped: move every lease and start with it, and say so in the tasks' histories.

    A lease that was given after the jump and before it was noticed is right already; moved, it would last for hours.
    So none ends up longer than any that is given.
    """
    settings = site.settings
    longest = site.now() + timedelta(seconds=settings.lease_seconds + settings.start_grace_seconds)

    def work(tx: sa.Connection) -> int:
        found = attempts.alive(tx, who.scope)
        for row in found:
            attempts.shift_times(tx, who.scope, row, timedelta(seconds=seconds), longest)
            jump = events.NewEvent(
                task_id=row.task_id,
                attempt=row.number,
                kind="clock_jump",
                at=site.now(),
                detail={"seconds": round(seconds, 3)},
            )
            events.add(tx, who.scope, jump)
        return len(found)

    return site.store.write(work)


def purge(site: Site) -> None:
    """Drop what nobody can use any more: sessions and tokens that are over, and old idempotency keys."""
    now = site.now()
    idle_before = now - timedelta(minutes=site.settings.session_idle_minutes)

    def work(tx: sa.Connection) -> None:
        tokens.purge(tx, now=now, idle_before=idle_before, kept_since=now - KEPT)
        idempotency.purge(tx, now - KEPT)

    site.store.write(work)


def _each(site: Site, who: Principal, task_id: int, number: int, step: Step) -> bool:
    """Take one step with one attempt; one that moved meanwhile is left to the next sweep."""

    def work(tx: sa.Connection) -> bool:
        task = tasks.locked(tx, who.scope, task_id)
        attempt = attempts.find(tx, who.scope, task_id, number)
        return attempt is not None and step(tx, site, who, Held(task=task, attempt=attempt))

    try:
        moved = site.store.write(work)
    except Conflict:
        return False
    if moved:
        news.tell(site, who, task_id, news.queue_of(who))
    return moved
