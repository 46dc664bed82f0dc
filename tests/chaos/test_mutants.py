"""The checker finds every protocol that is wrong, built into the real server, runners and keepers."""

import sys

import pytest
from nemesis.mutants import PROVOKED
from nemesis.rounds import Plan, run

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="faults are brought in by Linux's means"),
]

SHORT = {
    "no permit",
    "finish is not fenced",
    "permit ignores the attempt",
    "started is requeued",
    "begins again",
    "void without ticket",
    "no ticket",
    "intent comes late",
    "death is success",
}
"""The round of every change; the others are as wrong, and are tried in the long one."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.long) for name in sorted(PROVOKED)]
)
def test_a_wrong_protocol_is_found_out(tmp_path, template, name):
    how = PROVOKED[name]
    plan = Plan(
        seed=7,
        mutant=name,
        seconds=how.seconds,
        every=how.every,
        kills_a_start=how.kills_a_start,
        faults=how.faults,
        points=how.points,
        bots=how.bots,
        machines=2,
        open_tasks=6,
        tasks_a_change=how.tasks_a_change,
        drain_seconds=how.drain_seconds,
        template=template,
        until=how.found_by if how.watched else (),
    )

    done = run(tmp_path / "round", plan)

    assert {each.check for each in done.violations} & set(how.found_by), (done.violations, done.did)
