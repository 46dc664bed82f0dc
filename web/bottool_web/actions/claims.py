"""The one call that a runner holds: it says what it has in its hands, and gets verdicts and work.

Leases are renewed by it and by nothing else. A claim key gets its own work again and never other work. Slots are
counted from attempts, never kept in a counter.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import sqlalchemy as sa

from bottool import wire
from bottool.states import AttemptState, TaskState
from bottool_web.actions import checks, displays, fencing, news, sessions
from bottool_web.actions.permissions import action
from bottool_web.actions.runner_words import figures
from bottool_web.actions.site import Site
from bottool_web.store import attempts, moves, queue, runners
from bottool_web.store.limit_columns import pinned
from bottool_web.store.moves import Row
from bottool_web.store.queue import Taker
from bottool_web.store.scope import Principal

HAND_BACK_PAUSE_SECONDS = 15.0
"""So long a runner does not get a task again that it handed back; another one may have it at once."""
MOST_ATTEMPTS = 2000


@action("attempt.work")
def sync(site: Site, who: Principal, said: wire.Sync) -> wire.Synced:
    """One look, not held: note the session, renew the leases, give verdicts, and work for the claim key.

    :raises Conflict: when another installation works under this machine id; ``details`` say until when.
    :raises NotFound: when the runner was removed.
    """
    checks.text(said.claim_key, "claim_key", 200)
    checks.number(len(said.attempts), "the number of attempts", 0, MOST_ATTEMPTS)
    if _was_only_seen(site, who, said):
        return wire.Synced(lease_seconds=site.settings.lease_seconds, verdicts=[], work=[])
    # One write for all of it: what takes time is the disk's word that it is safe.
    noted = site.store.write(lambda tx: _note_and_claim(tx, site, who, said))
    if noted.appeared:
        site.hints.send(f"workspace:{who.workspace_id}")
    for row in noted.listed:
        if row.state == AttemptState.LOST:
            _welcome_back(site, who, said, row)
    verdicts = _verdicts(said, site.store.read(lambda tx: _listed(tx, who, said)))
    for item in noted.work:
        news.tell(site, who, item.task_id)
    return wire.Synced(
        lease_seconds=site.settings.lease_seconds, verdicts=verdicts, work=noted.work, claim_key_used=noted.key_used
    )


@action("attempt.work")
def has_news(site: Site, who: Principal, said: wire.Sync, told: dict[tuple[int, int], str]) -> bool:
    """Would ``sync`` give work now, or another verdict than those ``told``, or than ``ok``? Changes nothing."""

    def work(tx: sa.Connection) -> bool:
        if any(
            told.get((verdict.task_id, verdict.attempt), "ok") != verdict.verdict
            for verdict in _verdicts(said, _listed(tx, who, said))
        ):
            return True
        return bool(said.claim_key) and _has_work(tx, site, who, said)

    return site.store.read(work)


@action("site.keep")
def may_have_work(site: Site, who: Principal) -> frozenset[int]:
    """The runners of the workspace for which something waits, be it that they cannot take it now. Changes nothing."""
    return site.store.read(lambda tx: queue.runners_with_work(tx, who.scope))


def _was_only_seen(site: Site, who: Principal, said: wire.Sync) -> bool:
    """True when an idle runner said what it said before and nothing is there for it; that it was here is noted.

    Of all calls these are by far the most, so they cost one look and one short write.
    """
    if said.attempts:
        return False

    def is_quiet(tx: sa.Connection) -> bool:
        runner = runners.by_id(tx, who.scope, who.id)
        if runner is None or not sessions.is_as_before(site, runner, said):
            return False
        if not said.claim_key:
            return True
        return not attempts.of_claim(tx, who.scope, who.id, said.claim_key) and not _has_work(tx, site, who, said)

    if not site.store.read(is_quiet):
        return False
    # Guarded by the session: another one that came between the look and this is not touched.
    return site.store.write(lambda tx: runners.seen(tx, who.scope, who.id, said.session_id, site.now()))


def _has_work(tx: sa.Connection, site: Site, who: Principal, said: wire.Sync) -> bool:
    if said.draining or said.free_slots <= 0:
        return False
    ready = _runnable(tx, who, said)
    if not ready or not queue.heads(tx, who.scope, _taker(site, who), ready.keys()):
        return False
    return _room(tx, who, said) > 0


def _listed(tx: sa.Connection, who: Principal, said: wire.Sync) -> list[Row]:
    return attempts.listed(tx, who.scope, who.id, [(each.task_id, each.attempt) for each in said.attempts])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Noted:
    """What one write of a call did. ``listed``: the attempts that the runner named, as they were before."""

    appeared: bool
    listed: list[Row]
    work: list[wire.Work]
    key_used: bool


def _note_and_claim(tx: sa.Connection, site: Site, who: Principal, said: wire.Sync) -> _Noted:
    runner = queue.locked_runner(tx, who.scope, who.id)
    appeared = sessions.note(tx, site, who, runner, said)
    found = _renew(tx, site, who, said)
    work, key_used = _claim(tx, site, who, said) if said.claim_key else ([], False)
    return _Noted(appeared=appeared, listed=found, work=work, key_used=key_used)


def _renew(tx: sa.Connection, site: Site, who: Principal, said: wire.Sync) -> list[Row]:
    found = _listed(tx, who, said)
    lease_until = site.now() + timedelta(seconds=site.settings.lease_seconds)
    attempts.renew(tx, who.scope, who.id, [row.id for row in found], lease_until)
    usage = {(each.task_id, each.attempt): each.usage for each in said.attempts if each.usage}
    for row in found:
        if seen := usage.get((row.task_id, row.number)):
            attempts.note_usage(tx, who.scope, row.id, figures(seen))
    return found


def _welcome_back(site: Site, who: Principal, said: wire.Sync, row: Row) -> None:
    """A lost attempt that is alive after all goes on, unless its task has a result by now."""
    state = next((a.state for a in said.attempts if (a.task_id, a.attempt) == (row.task_id, row.number)), "")
    if state not in {"running", "reporting"}:
        return

    def work(tx: sa.Connection) -> None:
        held = fencing.held_by_runner(tx, who, row.task_id, row.number)
        if held.state is not AttemptState.LOST or held.task_state is not TaskState.LOST:
            return
        now = site.now()
        to = AttemptState.STOPPING if held.stop_asked else AttemptState.RUNNING
        moves.take(
            tx,
            who.scope,
            moves.Step(
                task=held.task,
                attempt=held.attempt,
                kind="found",
                at=now,
                task_to=held.task_follows(to),
                attempt_to=to,
                attempt_values={"lease_until": now + timedelta(seconds=site.settings.lease_seconds)},
            ),
        )

    site.store.write(work)
    news.tell(site, who, row.task_id)


def _verdicts(said: wire.Sync, found: list[Row]) -> list[wire.Verdict]:
    rows = {(row.task_id, row.number): row for row in found}
    return [
        wire.Verdict(
            task_id=each.task_id,
            attempt=each.attempt,
            verdict=_verdict(each, rows.get((each.task_id, each.attempt))),
        )
        for each in said.attempts
    ]


def _verdict(each: wire.AttemptAlive, row: Row | None) -> Literal["ok", "interrupt", "stop", "gone"]:
    if row is None or row.newest != row.number:
        return "gone"
    if row.state == AttemptState.ENDED:
        # Its report is here already; the runner may not know, and asks again.
        return "ok" if row.report_key and each.state == "reporting" else "gone"
    if row.killed:
        return "stop"
    return "interrupt" if row.interrupted else "ok"


# Work.


def _taker(site: Site, who: Principal) -> Taker:
    return Taker(runner_id=who.id, pause_from=site.now() - timedelta(seconds=HAND_BACK_PAUSE_SECONDS))


def _room(tx: sa.Connection, who: Principal, said: wire.Sync) -> int:
    if said.draining or said.capabilities.unready:
        return 0
    return min(said.free_slots, said.slots - len(attempts.held_by(tx, who.scope, who.id)))


def _runnable(tx: sa.Connection, who: Principal, said: wire.Sync) -> dict[int, Row]:
    """The automations with a release in a language that this machine has, and a screen for it, by id."""
    ready = queue.ready_automations(tx, who.scope, who.id)
    able = [row for row in ready if can_run(said.capabilities, row.technology)]
    return {row.automation_id: row for row in able if not displays.missing(said.capabilities, row)}


def can_run(capabilities: wire.Capabilities, technology: str) -> bool:
    served = capabilities.technologies or capabilities.languages
    return technology.casefold() in {each.casefold() for each in served}


def _claim(tx: sa.Connection, site: Site, who: Principal, said: wire.Sync) -> tuple[list[wire.Work], bool]:
    """What the claim key has, or as much new work as there is room for; and whether the key's work is over."""
    before = attempts.of_claim(tx, who.scope, who.id, said.claim_key)
    # Only what has no permit yet: a runner that forgot a started attempt must not begin it anew.
    mine = [row.id for row in before if row.state == AttemptState.LEASED]
    if before:
        # The answer says how long the lease is, counted from this call.
        until = site.now() + timedelta(seconds=site.settings.lease_seconds)
        attempts.renew(tx, who.scope, who.id, mine, until)
    else:
        mine = _take(tx, site, who, said)
    return (attempts.work(tx, who.scope, mine) if mine else []), bool(before and not mine)


def _take(tx: sa.Connection, site: Site, who: Principal, said: wire.Sync) -> list[int]:
    room = _room(tx, who, said)
    ready = _runnable(tx, who, said) if room > 0 else {}
    taken: list[int] = []
    while len(taken) < room:
        best = queue.heads(tx, who.scope, _taker(site, who), ready.keys())
        if not best:
            break
        # The head that was read may be in another claim's hand: then the first one behind it that is not.
        task = queue.lock_first(tx, who.scope, _taker(site, who), best[0].automation_id)
        if task is None:
            del ready[best[0].automation_id]
        else:
            taken.append(_lease(tx, site, who, said, (task, ready[task.automation_id])))
    return taken


def _lease(tx: sa.Connection, site: Site, who: Principal, said: wire.Sync, found: tuple[Row, Row]) -> int:
    """Make the next attempt of the task, with what its automation would run now, and return the attempt's id."""
    task, runs = found
    now = site.now()
    attempt = attempts.add(
        tx,
        who.scope,
        attempts.NewAttempt(
            task_id=task.id,
            number=task.attempt + 1,
            runner_id=who.id,
            claim_key=said.claim_key,
            revision_id=runs.revision_id,
            bot_version_id=runs.bot_version_id,
            timeout_seconds=runs.timeout_seconds,
            limits=pinned(runs),
            # Decided once: what the owner changes later does not reach a keeper that runs already.
            fenced=runs.retry_on_lost and said.fences,
            nonce=secrets.token_hex(16),
            leased_at=now,
            lease_until=now + timedelta(seconds=site.settings.lease_seconds),
        ),
    )
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=task,
            attempt=attempt,
            kind="leased",
            at=now,
            task_to=TaskState.LEASED,
            task_values={"attempt": attempt.number, "claims": task.claims + 1},
            detail={"version": runs.version, "sha256": runs.sha256, "attempt_state": AttemptState.LEASED.value},
        ),
    )
    return int(attempt.id)
