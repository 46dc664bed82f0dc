"""A short round of everything that may go wrong; the long one is ``python3 dev.py chaos``."""

import sys

import pytest
from nemesis.rounds import Plan, run
from nemesis.told import summary

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="faults are brought in by Linux's means"),
]


@pytest.mark.parametrize(("seed", "kills", "seconds"), [(1, 120, 60), (2, 120, 45)])
def test_a_round_of_kills_and_faults_breaks_no_promise(tmp_path, template, seed, kills, seconds):
    done = run(tmp_path / "round", Plan(seed=seed, kills=kills, seconds=seconds, template=template), print)

    print("\n".join(summary([done])))
    assert [str(each) for each in done.violations] == []
    assert done.kills >= 10
    assert len(done.history.starts) >= 10
