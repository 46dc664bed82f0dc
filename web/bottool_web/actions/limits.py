"""A bot reached a limit of its automation: its runner says so, and the bot reads through its SDK that it should end.

The wish belongs to the attempt, not to the task as a person's does: another try begins without it.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime

import sqlalchemy as sa

from bottool import wire
from bottool.errors import InvalidInput, StaleAttempt
from bottool.model import Reason
from bottool.states import AttemptState
from bottool_web.actions import checks, fencing, news
from bottool_web.actions.fencing import Held
from bottool_web.actions.permissions import action
from bottool_web.actions.runner_words import cleaned
from bottool_web.actions.site import Site
from bottool_web.store import moves
from bottool_web.store.scope import Principal

STEPS = ("asked", "signalled", "killed")
_LATEST = 253402300799
"""The last second of the year 9999."""


@action("attempt.work")
def limit_reached(site: Site, who: Principal, task_id: int, number: int, said: wire.LimitReached) -> None:
    """Interrupt the attempt's bot. Said again, or too late, it changes nothing and is no error.

    :raises InvalidInput: when the reason is none of ``model.Reason``.
    :raises StaleAttempt: when the attempt has no permit, or was replaced.
    """
    if said.reason not in set(Reason):
        raise InvalidInput(
            f"reason is '{checks.shortened(said.reason)}'", f"one of: {', '.join(Reason)}", path="reason"
        )

    def work(tx: sa.Connection) -> StaleAttempt | None:
        held = fencing.held_by_runner(tx, who, task_id, number)
        if held.attempt.limit_reached or held.attempt.report_key:
            return None
        if held.state in {AttemptState.LEASED, AttemptState.ENDED}:
            return fencing.refuse(tx, site, who, held, "limit", reason=said.reason)
        _interrupt(tx, site, who, held, said)
        return None

    fencing.in_one_write(site, work)
    news.tell(site, who, task_id)


def _interrupt(tx: sa.Connection, site: Site, who: Principal, held: Held, said: wire.LimitReached) -> None:
    active = held.state in {AttemptState.STARTING, AttemptState.RUNNING}
    moves.take(
        tx,
        who.scope,
        moves.Step(
            task=held.task,
            attempt=held.attempt,
            kind="limit_reached",
            at=site.now(),
            task_to=held.task_follows(AttemptState.STOPPING) if active else None,
            attempt_to=AttemptState.STOPPING if active else None,
            attempt_values={"limit_reached": said.reason},
            detail={"reason": said.reason, "message": cleaned(said.message), **times_of({"asked": said.at})},
        ),
    )


def times_of(steps: Mapping[str, float]) -> dict[str, str]:
    """``asked_at``, ``signalled_at`` and ``killed_at`` of a report, by the machine's clock, as people read times."""
    known = {name: steps[name] for name in STEPS if name in steps}
    return {
        f"{name}_at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
        for name, at in known.items()
        if math.isfinite(at) and 0 < at < _LATEST
    }
