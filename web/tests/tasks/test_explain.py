"""Why a task waits: each reason has a sentence that names the thing to put right."""

from datetime import timedelta

from bottool import wire
from bottool_web.actions import attempts, automations, bots, runners, tasks
from bottool_web.app import create_app


def why(site, who, task_id):
    found = tasks.explain(site, who, task_id)
    assert found.waits
    return found


def test_an_automation_without_a_bot_leaves_its_tasks_waiting(site, admin, life, an_automation, a_runner, ask):
    an_automation("bare", bot_id="")
    runner = a_runner()

    task = ask("bare")

    assert life.claim(runner) is None
    assert why(site, admin, task.id).summary == "automation 'bare' has no bot; choose one"


def test_a_bot_without_a_release_leaves_its_tasks_waiting(site, admin, life, a_runner, ask):
    bots.announce_version(site, admin, "fresh", wire.NewVersion(version="1.0.0", technology="PYTHON"))
    automations.create(site, admin, wire.NewAutomation(label="early", bot_id="fresh", runners=["box-1"]))
    runner = a_runner()

    task = ask("early")

    assert life.claim(runner) is None
    assert why(site, admin, task.id).summary == "bot 'fresh' has no released version; release one"


def test_an_automation_without_runners_says_so(site, admin, an_automation, ask):
    an_automation("nowhere", runners=[])

    assert why(site, admin, ask("nowhere").id).summary == "automation 'nowhere' has no runner; link one"


def test_a_runner_that_was_never_started_says_so(site, admin, an_automation, ask):
    an_automation()

    found = why(site, admin, ask().id)

    assert "was never started" in found.runners["box-1"]
    assert found.summary.startswith("its only runner 'box-1'")


def test_a_runner_without_the_language_names_what_is_missing(site, admin, life, box, ask):
    missing = {"name": "java", "language": "java", "found": False, "hint": "apt install default-jre"}
    capabilities = wire.Capabilities(languages=["java"], tools=[missing | {"language": "python", "name": "uv"}])
    task = ask()

    assert life.claim(box, capabilities=capabilities) is None

    assert why(site, admin, task.id).runners["box-1"] == (
        "cannot run PYTHON: 'uv' is missing (apt install default-jre)"
    )


def test_a_runner_that_takes_no_task_now_says_why_until_it_does_again(site, admin, life, box, ask):
    reason = "takes no task: less than 500.0 MB of the disk at '/cache' is free"
    full = wire.Capabilities(languages=["python"], unready=[reason])
    task = ask()

    assert life.claim(box, "k1", capabilities=full) is None
    found = why(site, admin, task.id)
    assert found.runners["box-1"] == reason
    assert found.summary == f"its only runner 'box-1' {reason}"
    (shown,) = runners.list_runners(site, admin)
    assert shown.unready == [reason]

    assert life.claim(box, "k1")
    assert runners.list_runners(site, admin)[0].unready == []


def test_technologies_count_before_the_names_of_languages(site, life, box, ask):
    ask()

    assert life.claim(box, "k1", capabilities=wire.Capabilities(languages=["python"], technologies=["SHELL"])) is None
    assert life.claim(box, "k1", capabilities=wire.Capabilities(languages=["snake"], technologies=["Python"]))


def test_a_busy_runner_names_its_tasks(site, admin, life, box, ask):
    first, second = ask(), ask()
    life.start(box)

    assert why(site, admin, second.id).runners["box-1"] == f"is busy with task {first.id} (1 of 1 slots)"


def test_an_offline_and_a_draining_runner_say_so(site, admin, life, clock, box, ask):
    task = ask()
    life.sync(box, draining=True)
    draining = why(site, admin, task.id).runners["box-1"]
    clock.advance(300)

    assert draining == "is draining: it takes no more work"
    assert why(site, admin, task.id).runners["box-1"].startswith("is offline: last seen 2030-01-15")


def test_a_pause_and_a_drain_say_why_until_they_are_over(site, admin, life, box, ask):
    task = ask()
    life.sync(box, draining=True, paused=True, reason="new\0 printer")
    paused = why(site, admin, task.id).runners["box-1"]
    shown = runners.list_runners(site, admin)[0]
    life.sync(box, draining=True, reason="update")
    draining = why(site, admin, task.id).runners["box-1"]
    life.sync(box)

    assert paused == "is paused: new printer"
    assert (shown.draining, shown.paused, shown.reason) == (True, True, "new printer")
    assert draining == "is draining: update"
    assert why(site, admin, task.id).runners["box-1"] == "would take it next"


def test_a_bot_that_needs_a_display_goes_where_one_is(site, admin, life, box, ask):
    task = ask()
    automations.change(site, admin, "daily", wire.AutomationChange(display="screen"))
    without = wire.Capabilities(languages=["python"])

    assert life.claim(box, "k1", capabilities=without) is None
    assert why(site, admin, task.id).runners["box-1"].startswith("does not say what screen it has")
    work = life.claim(box, "k1", capabilities=wire.Capabilities(languages=["python"], display=True))
    assert work is not None
    assert work.display.kind == "screen"


def test_a_task_behind_others_says_how_many(site, admin, life, box, ask):
    life.sync(box)
    ask(), ask(priority=5)
    last = ask()

    found = why(site, admin, last.id)

    assert found.runners["box-1"] == "would take it after 2 other tasks of this automation"
    assert found.summary == "a runner would take it at its next call"


def test_a_runner_that_handed_it_back_says_why(site, admin, life, box, ask):
    task = ask()
    life.take(box)
    attempts.hand_back(site, box, task.id, 1, wire.HandBack(reason="no room on the disk"))

    assert "no room on the disk" in why(site, admin, task.id).runners["box-1"]


def test_what_does_not_wait_says_what_it_is(site, admin, life, clock, box, ask):
    later = ask(earliest_at=clock.now() + timedelta(hours=1))
    running = ask()
    life.start(box)

    assert "2030-01-15T13:00:00" in why(site, admin, later.id).summary
    assert not tasks.explain(site, admin, running.id).waits


FAULT = wire.HandBack(
    reason="no package index answers",
    phase="environment",
    tool="uv pip compile",
    exit_status=2,
    hint="is the network up?",
    output="line 1\n<b>line 2</b>",
)


def test_what_kept_a_bot_from_being_made_ready_is_kept_in_fields_until_the_next_attempt(site, admin, life, box, ask):
    task = ask()
    life.take(box, "k1")
    attempts.hand_back(site, box, task.id, 1, FAULT)

    fault = tasks.get_task(site, admin, task.id).fault

    assert fault == wire.Fault(
        reason=FAULT.reason, phase="environment", tool=FAULT.tool, exit_status=2, hint=FAULT.hint, output=FAULT.output
    )
    assert "started" not in life.kinds(admin, task.id)
    assert "no package index answers (is the network up?)" in why(site, admin, task.id).runners["box-1"]


def test_a_runner_of_the_release_before_says_less_and_is_understood(site, admin, life, box, ask):
    task = ask()
    life.take(box, "k1")
    attempts.hand_back(site, box, task.id, 1, wire.HandBack(reason="no", output="x", permanent=True))

    assert tasks.get_task(site, admin, task.id).fault == wire.Fault(reason="no", output="x")
    assert tasks.get_task(site, admin, task.id).state == "failed"


def test_the_tasks_page_shows_the_phase_the_tool_its_last_lines_and_the_hint(site, admin, life, box, ask, cookie):
    task = ask()
    life.take(box, "k1")
    attempts.hand_back(site, box, task.id, 1, FAULT)
    client = create_app(site).test_client()
    client.set_cookie("bottool_session", cookie)

    text = client.get(f"/tasks/{task.id}").get_data(as_text=True)

    for said in ("while its environment was made", "uv pip compile", "exit status 2", "is the network up?"):
        assert said in text
    assert "&lt;b&gt;line 2" in text
