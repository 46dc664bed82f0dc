"""A task from asking to its end, as runners, bots and people move it; on both databases."""

import pytest

from bottool import wire
from bottool.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleAttempt, Unauthorized
from bottool_web.actions import attempts, automations, tasks, upkeep
from bottool_web.actions.identity import principal_of_token
from bottool_web.actions.permissions import may


def test_a_task_goes_through_every_state_and_each_move_leaves_an_event(site, life, admin, ask, box):
    asked = ask(parameters={}, priority=3)

    work = life.take(box)
    leased = tasks.get_task(site, admin, asked.id)
    attempts.permit(site, box, work.task_id, 1)
    starting = tasks.get_task(site, admin, asked.id)
    attempts.started(site, box, work.task_id, 1, wire.Started(pid=7, boot_id="b"))
    running = tasks.get_task(site, admin, asked.id)
    life.end(box, work)
    ended = tasks.get_task(site, admin, asked.id)

    assert (asked.state, leased.state, starting.state, running.state) == ("queued", "leased", "starting", "running")
    assert (work.bot_id, work.version, work.technology, len(work.sha256)) == ("my-bot", "1.0.0", "PYTHON", 64)
    assert (ended.state, ended.exit_code, ended.reason, ended.bot_reported) == ("succeeded", 0, "exited", False)
    assert (ended.machine_id, ended.version, ended.attempt) == ("box-1", "1.0.0", 1)
    assert running.prepared_at and running.started_at and ended.ended_at
    assert life.kinds(admin, asked.id) == ["created", "leased", "permitted", "started", "ended"]


def test_the_highest_priority_goes_first_and_then_the_oldest(site, life, ask, box, an_automation):
    an_automation("other")
    wanted = [ask(priority=1), ask("other", priority=5), ask(priority=5), ask("other", priority=0)]

    order = []
    for n in range(4):
        work = life.take(box, f"k{n}")
        order.append(work.task_id)
        attempts.permit(site, box, work.task_id, 1)
        life.end(box, work)

    assert order == [wanted[1].id, wanted[2].id, wanted[0].id, wanted[3].id]


def test_the_same_claim_key_gets_the_same_work_and_never_other_work(site, life, ask, box):
    ask(), ask()

    first = life.sync(box, "k1", free_slots=1, slots=4)
    again = life.sync(box, "k1", free_slots=4, slots=4)
    other = life.sync(box, "k2", free_slots=3, slots=4)

    assert first.work == again.work
    assert [work.task_id for work in other.work] != [work.task_id for work in first.work]


def test_a_claim_key_whose_work_was_taken_away_is_said_to_be_used(site, life, admin, ask, box):
    task = ask()
    life.take(box, "k1")
    tasks.cancel(site, admin, task.id)
    ask()

    answer = life.sync(box, "k1")

    assert answer.claim_key_used
    assert answer.work == []
    assert life.take(box, "k2").task_id != task.id


def test_a_started_attempt_is_never_given_out_again_for_its_claim_key(site, life, ask, box):
    ask()
    work = life.take(box, "k1")
    attempts.permit(site, box, work.task_id, work.attempt)

    answer = life.sync(box, "k1")

    assert answer.work == []
    assert answer.claim_key_used


def test_a_runner_never_has_more_attempts_than_slots(site, life, ask, box):
    for _ in range(5):
        ask()

    first = life.sync(box, "k1", free_slots=9, slots=3)
    more = life.sync(box, "k2", free_slots=9, slots=3)

    assert len(first.work) == 3
    assert more.work == []


def test_a_draining_runner_gets_no_work(site, life, ask, box):
    ask()

    assert life.claim(box, draining=True) is None


def test_a_permit_asked_again_is_the_same_permit_and_only_its_hash_is_stored(site, life, admin, ask, box):
    ask()
    work = life.take(box)

    first = attempts.permit(site, box, work.task_id, 1)
    again = attempts.permit(site, box, work.task_id, 1)
    bot = principal_of_token(site, first.token)

    assert first == again
    assert first.workspace == "acme"
    assert (bot.kind, bot.task_id, bot.attempt) == ("attempt", work.task_id, 1)
    assert life.kinds(admin, work.task_id).count("permitted") == 1
    assert first.token not in str(site.store.read(lambda tx: tx.exec_driver_sql("SELECT * FROM token").all()))


def test_a_cancelled_task_never_starts(site, life, admin, ask, box):
    task = ask()
    life.take(box)

    cancelled = tasks.cancel(site, admin, task.id)

    assert cancelled.state == "cancelled"
    with pytest.raises(StaleAttempt):
        attempts.permit(site, box, task.id, 1)
    assert life.kinds(admin, task.id)[-1] == "refused"
    said = wire.AttemptAlive(task_id=task.id, attempt=1, state="ready")
    assert life.sync(box, attempts=[said]).verdicts[0].verdict == "gone"


def test_a_permit_is_refused_once_the_lease_ran_out(site, life, clock, ask, box):
    task = ask()
    life.take(box)

    clock.advance(site.settings.lease_seconds + 1)

    with pytest.raises(StaleAttempt):
        attempts.permit(site, box, task.id, 1)


def test_a_runner_cannot_touch_the_attempt_of_another_runner(site, life, ask, box, a_runner):
    task = ask()
    life.take(box)
    other = a_runner("box-2")

    for call in (
        lambda: attempts.permit(site, other, task.id, 1),
        lambda: attempts.package_file(site, other, task.id, 1),
        lambda: attempts.append_output(site, other, task.id, 1, 0, b""),
        lambda: attempts.finish(site, other, task.id, 1, life.an_end()),
        lambda: attempts.hand_back(site, other, task.id, 1, wire.HandBack(reason="no")),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_void_attempt_puts_its_task_back_and_its_late_words_are_refused(site, life, admin, ask, box):
    task = ask()
    work = life.take(box)
    attempts.permit(site, box, task.id, 1)

    attempts.void(site, box, task.id, 1)
    attempts.void(site, box, task.id, 1)

    assert tasks.get_task(site, admin, task.id).state == "queued"
    with pytest.raises(StaleAttempt):
        life.end(box, work)
    assert life.take(box, "k2").attempt == 2


def test_a_lost_attempt_that_never_started_puts_its_task_back_at_once(site, life, clock, admin, ask, box):
    task = ask()
    life.take(box)
    attempts.permit(site, box, task.id, 1)
    clock.advance(100)
    for who in upkeep.principals(site):
        upkeep.call_lost(site, who, upkeep.silent_attempts(site, who))
    lost = tasks.get_task(site, admin, task.id).state
    with pytest.raises(StaleAttempt):
        attempts.permit(site, box, task.id, 1)

    attempts.void(site, box, task.id, 1)

    assert (lost, tasks.get_task(site, admin, task.id).state) == ("lost", "queued")


def test_a_void_of_what_was_cancelled_before_its_permit_says_nothing_new(site, life, admin, ask, box):
    task = ask()
    life.take(box)
    tasks.cancel(site, admin, task.id)

    attempts.void(site, box, task.id, 1)

    assert life.kinds(admin, task.id) == ["created", "leased", "cancelled"]


def test_a_start_that_was_confirmed_cannot_be_void(site, life, admin, ask, box):
    ask()
    work, _ = life.start(box)

    with pytest.raises(StaleAttempt):
        attempts.void(site, box, work.task_id, 1)

    assert tasks.get_task(site, admin, work.task_id).state == "running"


def test_a_task_handed_back_goes_to_another_runner_at_once_and_to_the_same_one_later(
    site, life, clock, ask, box, a_runner, admin
):
    automations.change(site, admin, "daily", wire.AutomationChange(runners=["box-1", "box-2"]))
    other = a_runner("box-2")
    task = ask()
    life.take(box)

    attempts.hand_back(site, box, task.id, 1, wire.HandBack(reason="the disk is full"))

    assert life.claim(box, "k2") is None
    clock.advance(20)
    work = life.claim(box, "k3")
    assert work is not None and work.attempt == 2
    attempts.hand_back(site, box, task.id, 2, wire.HandBack(reason="the disk is full"))
    assert life.take(other, "k4").attempt == 3


def test_a_task_that_nobody_can_prepare_expires(site, life, clock, admin, ask, box):
    task = ask()
    for n in range(site.settings.max_claims):
        life.take(box, f"k{n}")
        attempts.hand_back(site, box, task.id, n + 1, wire.HandBack(reason="no network"))
        clock.advance(60)

    found = tasks.get_task(site, admin, task.id)

    assert found.state == "expired"
    assert "no network" in found.message


def test_a_package_that_can_never_be_prepared_fails_with_the_tools_output(site, life, admin, ask, box):
    task = ask()
    life.take(box)

    given = wire.HandBack(reason="dependencies do not fit", permanent=True, output="no such version: left-pad 99\0")
    attempts.hand_back(site, box, task.id, 1, given)

    found = tasks.get_task(site, admin, task.id)
    assert found.state == "failed"
    assert found.message == "dependencies do not fit\nno such version: left-pad 99"


LAST = "\nlast words"


@pytest.mark.parametrize(
    ("reason", "exit_code", "state", "message"),
    [
        ("exited", 0, "succeeded", ""),
        ("exited", 3, "failed", f"the bot ended with exit code 3{LAST}"),
        ("exited", -9, "failed", f"the bot was ended by signal 9{LAST}"),
        ("exited", 3221225477, "failed", f"the bot ended with exit code 3221225477{LAST}"),
        ("timed_out", -15, "timed_out", f"the bot ran out of time{LAST}"),
        ("stopped", -15, "failed", f"the bot was stopped on its machine{LAST}"),
        ("not_launched", None, "failed", f"the bot could not be started{LAST}"),
    ],
)
def test_a_bot_that_says_nothing_is_judged_by_its_end(site, life, admin, ask, box, reason, exit_code, state, message):
    ask()
    work, _ = life.start(box)
    frame = wire.pack_frame(wire.Frame(wire.Stream.STDERR, 0.0, b"last words\n"))
    attempts.append_output(site, box, work.task_id, 1, 0, frame)

    life.end(box, work, reason=reason, exit_code=exit_code)

    found = tasks.get_task(site, admin, work.task_id)
    assert (found.state, found.message, found.exit_code) == (state, message, exit_code)


def test_the_bots_word_wins_over_its_exit_code(site, life, admin, ask, box):
    ask()
    work, permit = life.start(box)
    bot = principal_of_token(site, permit.token)

    said = wire.Finish(status="partial", message="half", total_items=3, processed_items=2, failed_items=1)
    tasks.finish(site, bot, work.task_id, said)
    life.end(box, work, exit_code=1)

    found = tasks.get_task(site, admin, work.task_id)
    assert (found.state, found.message, found.bot_reported, found.exit_code) == ("partial", "half", True, 1)
    assert (found.total_items, found.processed_items, found.failed_items) == (3, 2, 1)
    assert "warning" in tasks.list_events(site, admin, work.task_id)[-1].detail


def test_silence_is_failure_where_a_report_is_required(site, life, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(report_required=True))
    ask()
    work, _ = life.start(box)

    life.end(box, work)

    assert tasks.get_task(site, admin, work.task_id).message == "the bot ended without reporting"


def test_the_same_report_twice_is_harmless_and_another_one_is_refused(site, life, admin, ask, box):
    ask()
    work, _ = life.start(box)

    life.end(box, work)
    life.end(box, work)
    with pytest.raises(StaleAttempt):
        life.end(box, work, key="r2", exit_code=1)

    assert tasks.get_task(site, admin, work.task_id).state == "succeeded"
    refused = tasks.list_events(site, admin, work.task_id)[-1]
    assert (refused.kind, refused.detail["call"], refused.detail["report"]["exit_code"]) == ("refused", "finish", 1)


def test_a_failed_bot_is_started_again_only_where_the_owner_chose_so(site, life, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=2))
    task = ask()

    work, _ = life.start(box, "k1")
    life.end(box, work, exit_code=1)
    assert tasks.get_task(site, admin, task.id).state == "queued"
    again, _ = life.start(box, "k2")
    life.end(box, again, key="r2", exit_code=1)

    assert again.attempt == 2
    assert tasks.get_task(site, admin, task.id).state == "failed"
    assert life.kinds(admin, task.id).count("retried") == 1


def test_a_bot_that_reported_its_failure_is_not_started_again(site, life, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=5))
    ask()
    work, permit = life.start(box)
    tasks.finish(site, principal_of_token(site, permit.token), work.task_id, wire.Finish(status="failed"))

    life.end(box, work, exit_code=1)

    assert tasks.get_task(site, admin, work.task_id).state == "failed"


def test_stopping_a_running_task_tells_its_runner_and_ends_as_cancelled(site, life, admin, ask, box):
    ask()
    work, _ = life.start(box)
    before = life.alive(box, work)
    interrupted = tasks.interrupt(site, admin, work.task_id)
    asked = life.alive(box, work)
    stopped = tasks.stop(site, admin, work.task_id)
    told = life.alive(box, work)
    life.end(box, work, reason="stopped", exit_code=-15)

    assert (before, asked, told) == ("ok", "interrupt", "stop")
    assert (interrupted.state, interrupted.interrupted, interrupted.killed) == ("stopping", True, False)
    assert (stopped.state, stopped.killed) == ("stopping", True)
    assert tasks.get_task(site, admin, work.task_id).state == "cancelled"


def test_a_process_that_outlives_its_result_can_still_be_stopped(site, life, admin, ask, box):
    ask()
    work, permit = life.start(box)
    tasks.finish(site, principal_of_token(site, permit.token), work.task_id, wire.Finish(status="succeeded"))

    stopped = tasks.stop(site, admin, work.task_id)

    assert stopped.state == "succeeded"
    assert life.alive(box, work) == "stop"
    assert life.claim(box, "k2") is None


def test_an_interrupt_of_a_waiting_task_is_kept_for_its_bot(site, life, admin, ask, box):
    task = ask()

    asked = tasks.interrupt(site, admin, task.id)
    life.start(box)

    assert (asked.state, asked.interrupted) == ("queued", True)
    assert tasks.get_task(site, admin, task.id).state == "stopping"


def test_a_running_task_cannot_be_cancelled(site, life, admin, ask, box):
    ask()
    work, _ = life.start(box)

    with pytest.raises(Conflict, match="running"):
        tasks.cancel(site, admin, work.task_id)


def test_a_person_may_finish_a_waiting_task_and_finish_it_again(site, life, admin, ask, box):
    task = ask()
    life.take(box)

    first = tasks.finish(site, admin, task.id, wire.Finish(status="succeeded"))
    again = tasks.finish(site, admin, task.id, wire.Finish(status="failed", message="no"))

    assert (first.state, again.state, again.message, again.bot_reported) == ("succeeded", "failed", "no", False)
    with pytest.raises(StaleAttempt):
        attempts.permit(site, box, task.id, 1)
    assert life.claim(box, "k2") is None


def test_counts_that_do_not_add_up_are_refused(site, life, admin, ask, box):
    task = ask()

    with pytest.raises(InvalidInput) as caught:
        tasks.finish(
            site,
            admin,
            task.id,
            wire.Finish(status="succeeded", total_items=5, processed_items=1, failed_items=1),
        )

    assert caught.value.details["path"] == "total_items"
    assert tasks.get_task(site, admin, task.id).state == "queued"


def test_a_bot_finishes_its_own_task_only_and_not_after_it_was_replaced(site, life, admin, ask, box):
    other = ask()
    work, permit = life.start(box)
    more = ask()
    bot = principal_of_token(site, permit.token)

    with pytest.raises(Forbidden):
        tasks.finish(site, bot, more.id, wire.Finish(status="failed"))
    life.end(box, work, exit_code=1)
    assert other.id == work.task_id
    late = tasks.finish(site, bot, work.task_id, wire.Finish(status="succeeded"))

    assert late.state == "succeeded"
    assert may(bot, "task.create") and not may(bot, "bot.deploy")


def test_a_bots_late_word_does_not_finish_the_next_try(site, life, admin, ask, box):
    automations.change(site, admin, "daily", wire.AutomationChange(max_attempts=2))
    ask()
    work, permit = life.start(box)
    bot = principal_of_token(site, permit.token)
    life.end(box, work, exit_code=1)

    with pytest.raises(StaleAttempt):
        tasks.finish(site, bot, work.task_id, wire.Finish(status="succeeded"))
    life.start(box, "k2")
    for call in (
        lambda: tasks.finish(site, bot, work.task_id, wire.Finish(status="succeeded")),
        lambda: tasks.create(site, bot, wire.NewTask(automation="daily")),
        lambda: tasks.interrupt(site, bot, work.task_id),
    ):
        with pytest.raises(StaleAttempt):
            call()

    assert tasks.get_task(site, admin, work.task_id).state == "running"


def test_a_bots_token_dies_soon_after_its_attempt(site, life, clock, ask, box):
    ask()
    work, permit = life.start(box)
    life.end(box, work)

    clock.advance(16 * 60)

    with pytest.raises(Unauthorized):
        principal_of_token(site, permit.token)


def test_a_production_task_that_started_is_run_again_as_a_new_task(site, life, admin, ask, box):
    task = ask(parameters={})
    work, _ = life.start(box)
    life.end(box, work, exit_code=1)

    again = tasks.restart(site, admin, task.id)

    assert (again.retry_of, again.state, again.parameters) == (task.id, "queued", task.parameters)
    assert tasks.get_task(site, admin, task.id).state == "failed"


def test_a_restart_that_is_asked_twice_makes_one_task_until_that_one_runs(site, life, admin, ask, box):
    task = ask()
    work, _ = life.start(box)
    life.end(box, work)

    first, again = tasks.restart(site, admin, task.id), tasks.restart(site, admin, task.id)
    life.start(box, "k2")
    later = tasks.restart(site, admin, task.id)

    assert first.id == again.id != later.id


def test_a_test_task_and_one_that_never_started_go_back_under_their_own_ids(site, life, admin, ask, box):
    test, fresh = ask(test=True), ask()
    work, _ = life.start(box)
    life.end(box, work, exit_code=1)
    tasks.cancel(site, admin, fresh.id)

    again, anew = tasks.restart(site, admin, test.id), tasks.restart(site, admin, fresh.id)

    assert (again.id, again.state, again.message, again.ended_at) == (test.id, "queued", "", None)
    assert (anew.id, anew.state) == (fresh.id, "queued")
    assert life.take(box, "k2").attempt == 2


def test_a_restart_waits_for_the_end_of_the_attempt_that_lives(site, life, admin, ask, box):
    test = ask(test=True)
    work, permit = life.start(box)
    tasks.finish(site, principal_of_token(site, permit.token), test.id, wire.Finish(status="failed"))

    waiting = tasks.restart(site, admin, test.id)
    life.end(box, work)

    assert waiting.state == "failed"
    assert tasks.get_task(site, admin, test.id).state == "queued"


def test_the_new_task_of_a_restart_is_not_taken_while_the_old_bot_runs(site, life, admin, ask, box):
    task = ask()
    work, permit = life.start(box)
    tasks.finish(site, principal_of_token(site, permit.token), task.id, wire.Finish(status="failed"))
    again = tasks.restart(site, admin, task.id)

    early = life.claim(box, "k2", slots=5)
    why = tasks.explain(site, admin, again.id).summary
    life.end(box, work)

    assert early is None
    assert f"task {task.id}" in why
    assert life.take(box, "k3").task_id == again.id


def test_a_task_of_another_workspace_is_not_there(site, life, ask, box, other_workspace):
    task = ask()
    stranger = other_workspace.principal("administrator")

    for call in (
        tasks.get_task,
        tasks.cancel,
        tasks.stop,
        tasks.restart,
        tasks.interrupt,
        tasks.explain,
        tasks.list_events,
    ):
        with pytest.raises(NotFound):
            call(site, stranger, task.id)
    assert tasks.list_tasks(site, stranger) == []


def test_a_repeated_idempotency_key_makes_one_task(site, life, admin, box):
    new = wire.NewTask(automation="daily")

    first = tasks.create(site, admin, new, idempotency_key="once")
    again = tasks.create(site, admin, new, idempotency_key="once")

    assert first == again
    assert len(tasks.list_tasks(site, admin)) == 1


def test_the_list_is_filtered_and_paged_newest_first(site, life, admin, ask, box, an_automation):
    an_automation("other")
    made = [ask() for _ in range(5)] + [ask("other")]
    tasks.cancel(site, admin, made[0].id)

    everything = [task.id for task in tasks.list_tasks(site, admin)]
    page = [task.id for task in tasks.list_tasks(site, admin, before=made[4].id, limit=2)]
    cancelled = [task.id for task in tasks.list_tasks(site, admin, states=("cancelled",))]
    of_other = [task.id for task in tasks.list_tasks(site, admin, automation="other")]

    assert everything == [task.id for task in reversed(made)]
    assert page == [made[3].id, made[2].id]
    assert cancelled == [made[0].id]
    assert of_other == [made[5].id]
    assert tasks.count_by_state(site, admin) == {"queued": 5, "cancelled": 1}


def test_a_package_stays_pinned_when_the_release_changes(site, life, admin, ask, box, deploy):
    ask()
    work = life.take(box)

    deploy("my-bot", "2.0.0")
    _, sha256 = attempts.package_file(site, box, work.task_id, 1)

    assert sha256 == work.sha256
    ask()
    end_it = attempts.permit(site, box, work.task_id, 1)
    assert end_it.token
    life.end(box, work)
    assert life.take(box, "k2").version == "2.0.0"
