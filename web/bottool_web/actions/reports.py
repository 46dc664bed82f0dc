"""How an attempt ended, as its runner reports it: the second writer of a task's result.

The bot's own word is the first writer and wins. The first report of an attempt stands; the same one again is harmless.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from bottool import wire
from bottool.errors import Conflict, InvalidInput
from bottool.model import Reason
from bottool.states import AttemptState, TaskState
from bottool_web.actions import checks, endings, fencing, news, pool_returns
from bottool_web.actions.fencing import Held
from bottool_web.actions.limits import times_of
from bottool_web.actions.masking import masker_of
from bottool_web.actions.output import last_lines
from bottool_web.actions.permissions import action
from bottool_web.actions.results import Circumstances, Result, result_of_silence
from bottool_web.actions.runner_words import cleaned, figures, names, seconds
from bottool_web.actions.site import Site
from bottool_web.store import attempts, moves, tasks
from bottool_web.store.scope import Principal

POISON = f"it is not tried again, for {endings.MOST_DEATHS} of its tries took their keeper or machine down"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    """``tail``: the last lines of the bot's output. ``late``: the task was given up as lost before this came."""

    held: Held
    ended: wire.Ended
    tail: str

    @property
    def late(self) -> bool:
        return self.held.attempt.reason == "lost" and not self.held.task.bot_reported


@action("attempt.work")
def finish(site: Site, who: Principal, task_id: int, number: int, ended: wire.Ended) -> wire.Finished:
    """How the attempt ended. The first report stands; the same one again, known by its ``report_key``, is harmless.
    The answer says whether more is to be told of it: it is of a task that did not succeed.

    :raises InvalidInput: when the reason is none of ``model.Reason``, or there is no report key.
    :raises StaleAttempt: when the attempt had no permit, or ended otherwise before.
    """
    _check(ended)
    ended = _masked(site, who, task_id, number, ended)
    tail = last_lines(site, who, task_id, number)

    def work(tx: sa.Connection) -> Conflict | None:
        held = fencing.held_by_runner(tx, who, task_id, number)
        if held.state is AttemptState.ENDED and held.attempt.report_key == ended.report_key:
            return None
        if held.state in {AttemptState.ENDED, AttemptState.LEASED}:
            return fencing.refuse(tx, site, who, held, "finish", report=_seen(ended))
        _end(tx, site, who, _Report(held=held, ended=ended, tail=tail))
        return None

    fencing.in_one_write(site, work)
    news.tell(site, who, task_id, news.queue_of(who), f"output:{task_id}")
    state = site.store.read(lambda tx: tasks.row(tx, who.scope, task_id).state)
    return wire.Finished(evidence_wanted=state != TaskState.SUCCEEDED)


def _masked(site: Site, who: Principal, task_id: int, number: int, ended: wire.Ended) -> wire.Ended:
    """What the keeper says may quote the bot, which may know secrets."""
    attempt = site.store.read(lambda tx: attempts.find(tx, who.scope, task_id, number))
    masker = masker_of(site, who, attempt.id) if attempt is not None else None
    if masker is None:
        return ended
    left = masker.value(ended.left_behind)
    return msgspec.structs.replace(ended, message=masker.value(ended.message), left_behind=left)


def _check(ended: wire.Ended) -> None:
    if ended.reason not in set(Reason):
        raise InvalidInput(
            f"reason is '{checks.shortened(ended.reason)}'", f"one of: {', '.join(Reason)}", path="reason"
        )
    if ended.exit_code is not None:
        checks.number(ended.exit_code, "exit_code", -(2**31), 2**32 - 1)
    checks.text(ended.report_key, "report_key", 200)
    if not ended.report_key:
        raise InvalidInput("report_key is empty", "send the key that was written down first", path="report_key")


def _end(tx: sa.Connection, site: Site, who: Principal, report: _Report) -> None:
    held, ended = report.held, report.ended
    result = _result(tx, who, report)
    told = moves.Step(
        task=held.task,
        kind="ended",
        at=site.now(),
        attempt_values={
            "reason": ended.reason,
            "exit_code": ended.exit_code,
            "message": cleaned(ended.message),
            "left_behind": names(ended.left_behind),
            "duration_seconds": seconds(ended.duration_seconds),
            "report_key": ended.report_key,
            "usage": figures(ended.peak) or held.attempt.usage,
        },
        detail=_detail(report),
    )
    endings.conclude(tx, who, held, result, told)
    if result is not None and not report.late:
        endings.try_again_if_allowed(tx, site, who, held.task.id)
    endings.restart_if_it_waited(tx, site, who, held.task.id)
    pool_returns.after_attempt(tx, site, who, held.task.id, held.attempt.number)


def _result(tx: sa.Connection, who: Principal, report: _Report) -> Result | None:
    """``None`` when the task has a result that stays."""
    held = report.held
    if held.task_is_final and not report.late:
        return None
    rules = tasks.rules_of(tx, who.scope, held.task.automation_id)
    found = Circumstances(stop_asked=held.stop_asked, report_required=rules.report_required, tail=report.tail)
    said = msgspec.structs.replace(report.ended, message=cleaned(report.ended.message))
    if _is_poison(tx, who, report):
        said = msgspec.structs.replace(said, message=f"{said.message or 'its keeper died'}; {POISON}")
    return result_of_silence(said, found)


def _is_poison(tx: sa.Connection, who: Principal, report: _Report) -> bool:
    """This death is one too many: told with the result, so that whoever hears of the failure hears why it stays one."""
    task = report.held.task
    if report.ended.reason != Reason.DIED or endings.deaths(tx, who, task) + 1 < endings.MOST_DEATHS:
        return False
    return bool(task.permits < tasks.rules_of(tx, who.scope, task.automation_id).max_attempts)


def _detail(report: _Report) -> dict[str, Any]:
    detail = _seen(report.ended)
    if report.late:
        detail["late"] = True
    if report.held.task.bot_reported and report.ended.exit_code:
        detail["warning"] = f"the bot reported a result and then ended with exit code {report.ended.exit_code}"
    return detail


def _seen(ended: wire.Ended) -> dict[str, Any]:
    return {
        "reason": ended.reason,
        "exit_code": ended.exit_code,
        "duration_seconds": seconds(ended.duration_seconds),
        "left_behind": names(ended.left_behind),
        "message": cleaned(ended.message),
        **times_of(ended.steps),
    }
