"""What provokes each mutant, and by which check it has to be found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nemesis.faults import POINTS


@dataclass(frozen=True, kw_only=True)
class Provoked:
    """``found_by``: at least one of these checks must complain.

    ``watched``: a broken promise shows while the round goes on, which then ends; otherwise it takes its ``seconds``,
    and a drain of ``drain_seconds``, in which the program as it is would come to rest.
    """

    found_by: Sequence[str]
    faults: Mapping[str, int] = field(default_factory=dict)
    points: Sequence[str] = tuple(POINTS)
    bots: Sequence[str] = ()
    tasks_a_change: float = 4.0
    watched: bool = True
    seconds: float = 60.0
    every: float = 0.7
    kills_a_start: float = 1.0
    drain_seconds: float = 2.0


SILENCES = {"stop runner": 3, "freeze machine": 1, "cut": 2}

PROVOKED = {
    "no permit": Provoked(found_by=["I4"]),
    "no journal": Provoked(
        bots=["long"],
        found_by=["I12", "survivors"],
        faults={"kill runner": 1},
        watched=False,
        seconds=8,
        drain_seconds=60,
    ),
    "finish is not fenced": Provoked(bots=["fails"], found_by=["I8 exits", "I9"], faults={"bad network": 1}),
    "permit ignores the attempt": Provoked(bots=["quick"], found_by=["I2", "I3", "I4"], faults=SILENCES),
    "started is requeued": Provoked(bots=["long"], found_by=["I3"], faults=SILENCES),
    "begins again": Provoked(bots=["long"], found_by=["I2"], faults={"kill runner": 1}),
    "void without ticket": Provoked(
        bots=["steady"],
        found_by=["I5"],
        faults={"stall at point": 1, "kill runner": 2},
        points=["journal.started.before"],
    ),
    "no ticket": Provoked(bots=["steady"], found_by=["I5"], faults={"kill runner": 1}),
    "intent comes late": Provoked(
        bots=["steady"], found_by=["I2"], faults={"crash point": 1}, points=["runner.hand_over.after"]
    ),
    "death is success": Provoked(bots=["long"], found_by=["I8"], faults={"kill keeper": 1}),
    "leftovers live": Provoked(
        bots=["leaves"], found_by=["I8 exits", "survivors"], faults={"kill keeper": 1}, watched=False, seconds=10
    ),
    "cancel after permit": Provoked(bots=["long"], found_by=["I5"], tasks_a_change=0.5),
    "keys are forgotten": Provoked(found_by=["I1"], faults={"bad network": 1}),
    "output has no offsets": Provoked(
        bots=["steady"],
        found_by=["I13"],
        faults={"bad network": 1, "one way": 2},
        watched=False,
        seconds=20,
        every=0.4,
    ),
    "moves without history": Provoked(found_by=["I17"]),
    "slots are not counted": Provoked(found_by=["I11"]),
    "tokens are printed": Provoked(bots=["speaks"], found_by=["I18"], watched=False, seconds=5),
    "reports are not repeated": Provoked(
        found_by=["I12"],
        faults={"kill server": 1, "bad network": 1},
        watched=False,
        seconds=10,
        drain_seconds=60,
    ),
}
