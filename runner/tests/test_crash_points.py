"""Runner and keeper are killed right before and right after everything that they write down or hand over.

The kill is put in from outside: a ``sitecustomize`` on the path of the child wraps one function, so that the program
itself knows nothing of being killed. What was written when the process dies is exactly what a power cut leaves.
"""

import textwrap

import pytest

TELL = "import sys; open(WITNESS, 'a').write('start %s\\n' % sys.argv[2]); print('hello'); "
KILLER = """
    import os, sys

    who, module, owner, function, first, when = os.environ["KILL_AT"].split("|")
    is_keeper = any(f"bottool_runner.{each}" in sys.orig_argv for each in ("keeper", "nursery"))
    if is_keeper == (who == "keeper") and "doctor" not in sys.orig_argv:
        import importlib

        holder = importlib.import_module(module)
        holder = getattr(holder, owner) if owner else holder
        original = getattr(holder, function)

        def wrapped(*arguments, **named):
            hit = not first or any(first == str(each) for each in arguments)
            if hit and when == "before":
                os._exit(137)
            result = original(*arguments, **named)
            if hit:
                os._exit(137)
            return result

        setattr(holder, function, classmethod(lambda cls, *a: wrapped(*a)) if function == "create" else wrapped)
"""

JOURNAL, GATEWAY, HOME = (
    "bottool_runner.journal|AttemptFolder",
    "bottool_runner.gateway|Gateway",
    "bottool_runner.home|Home",
)
RUNNER_POINTS = [
    f"runner|{JOURNAL}|create|",
    f"runner|{HOME}|new_claim_key|",
    f"runner|{JOURNAL}|show|package",
    f"runner|{GATEWAY}|package|",
    f"runner|{GATEWAY}|permit|",
    f"runner|{JOURNAL}|publish|intent",
    "runner|bottool_runner.handover|KeeperProcess|hand_over|",
    f"runner|{GATEWAY}|started|",
    f"runner|{GATEWAY}|output|",
    f"runner|{GATEWAY}|finish|",
    f"runner|{JOURNAL}|publish|acked",
    f"runner|{JOURNAL}|delete|",
]
KEEPER_POINTS = [
    f"keeper|{JOURNAL}|show|keeper.pid",
    f"keeper|{JOURNAL}|show|ready",
    f"keeper|{JOURNAL}|take_ticket|keeper",
    "keeper|bottool.run||start|",
    f"keeper|{JOURNAL}|show|started",
    "keeper|bottool_runner.output|Spool|close|",
    f"keeper|{JOURNAL}|publish_once|exit",
]


SHORT = {
    ("runner", "create", "after"),
    ("runner", "permit", "after"),
    ("runner", "intent", "after"),
    ("runner", "hand_over", "after"),
    ("runner", "finish", "after"),
    ("keeper", "keeper", "before"),
    ("keeper", "keeper", "after"),
    ("keeper", "started", "before"),
    ("keeper", "exit", "before"),
}
"""The round of every change; all points are tried in the long one."""


def both_sides(points):
    for point in points:
        for when in ("before", "after"):
            who, *_, function, first = point.split("|")
            marks = () if (who, first or function, when) in SHORT else pytest.mark.long
            yield pytest.param(point, when, marks=marks, id=f"{when} {first or function}")


def kill_at(machine, point):
    """Variables that bring the kill into the child."""
    return {**customized(machine, KILLER), "KILL_AT": point}


def customized(machine, code):
    """Variables that let every Python of a child begin with this code."""
    place = machine.home.parent / f"customize-{abs(hash(code))}"
    place.mkdir()
    (place / "sitecustomize.py").write_text(textwrap.dedent(code))
    return {"PYTHONPATH": str(place)}


def preparing(machine, what):
    """Variables that put a statement into the keeper before it prepares its bot."""
    return customized(
        machine,
        f"""
        import sys
        if {{"bottool_runner.keeper", "bottool_runner.nursery"}} & set(sys.orig_argv):
            import pathlib, time
            from bottool import environments
            original = environments.make_ready
            def wrapped(*arguments):
                pathlib.Path({str(machine.home.parent / "preparing")!r}).touch()
                {what}
                return original(*arguments)
            environments.make_ready = wrapped
        """,
    )


def ran(bench):
    return [line for line in bench.starts() if line.startswith("start")]


@pytest.mark.parametrize(("point", "when"), list(both_sides(RUNNER_POINTS)))
def test_a_runner_killed_there_loses_nothing_and_starts_nothing_twice(machine, bench, server, until, point, when):
    server.hold_seconds = 0.3
    task = server.add(bench.package(TELL))

    assert machine.start(**kill_at(machine, f"{point}|{when}")).wait(30) == 137, machine.said
    machine.start("--slots", "2")

    until(lambda: server.ended(task))
    assert task.state == "finished", task.report
    assert ran(bench) == ["start 1"]
    assert task.output
    until(lambda: machine.attempts == [])


@pytest.mark.parametrize(("point", "when"), list(both_sides(KEEPER_POINTS)))
def test_a_keeper_killed_there_never_lets_its_bot_start_twice_or_live_on(machine, bench, server, until, point, when):
    server.hold_seconds = 0.3
    server.most_claims = 2
    task = server.add(bench.package(TELL))

    machine.start(**kill_at(machine, f"{point}|{when}"))
    until(lambda: server.ended(task))

    kinds = server.kinds(task)
    at_exit = point.endswith("publish_once|exit") and when == "after"
    before_ticket = "void" in kinds or "handed back" in kinds
    if at_exit:
        assert task.state == "finished"
        assert ran(bench) == ["start 1"]
    elif before_ticket:
        assert ran(bench) == []
        assert task.attempt == 2, "it was given back, and tried once more"
    else:
        assert task.report["reason"] == "died"
        assert len(ran(bench)) <= 1


def test_a_task_that_is_stopped_while_it_is_prepared_is_given_up_at_once(machine, bench, server, until):
    server.hold_seconds = 0.3
    task = server.add(bench.package(TELL))
    machine.start(**preparing(machine, "time.sleep(60)"))
    until((machine.home.parent / "preparing").exists)

    server.say(task, "stop")

    until(lambda: server.ended(task), 10)
    assert server.kinds(task) == ["leased", "void"]
    assert ran(bench) == []
    until(lambda: machine.attempts == [])


def test_a_runner_that_ends_gives_back_what_it_only_prepares(machine, bench, server, until):
    task = server.add(bench.package(TELL))
    runner = machine.start(**preparing(machine, "time.sleep(60)"))
    until((machine.home.parent / "preparing").exists)

    runner.terminate()

    assert runner.wait(15) == 0
    assert (task.state, server.kinds(task)) == ("queued", ["leased", "void"])
    assert machine.attempts == []


def test_a_bot_that_had_its_permit_but_cannot_be_prepared_again_is_given_back_as_never_started(
    machine, bench, server, until
):
    server.hold_seconds = 0.3
    task = server.add(bench.package(TELL))
    assert machine.start(**kill_at(machine, f"runner|{GATEWAY}|permit||after")).wait(30) == 137
    assert task.state == "starting"

    machine.start("--once", **preparing(machine, "raise RuntimeError('the tool has vanished')"))

    until(lambda: "void" in server.kinds(task))
    assert ran(bench) == []


def test_a_preparation_whose_keeper_is_killed_is_handed_back(machine, bench, server, until):
    server.most_claims = 1
    task = server.add(bench.package(TELL))
    machine.start(**preparing(machine, "import os; print('too little memory', flush=True); os._exit(9)"))

    until(lambda: server.ended(task))

    assert "too little memory" in server.hand_backs[0]["reason"]
