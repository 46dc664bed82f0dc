"""What provokes each mutant, and by which check it has to be found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nemesis.faults import POINTS


@dataclass(frozen=True, kw_only=True)
class Provoked:
    """``found_by``: at least one of these checks must complain. ``seconds``: how long it is tormented."""

    found_by: Sequence[str]
    faults: Mapping[str, int] = field(default_factory=dict)
    points: Sequence[str] = tuple(POINTS)
    seconds: float = 5.0
    every: float = 0.3


SILENCES = {"stop runner": 3, "freeze machine": 1, "cut": 2}

PROVOKED = {
    "no permit": Provoked(found_by=["I4"], seconds=3),
    "no journal": Provoked(found_by=["I12", "survivors"], faults={"kill runner": 1}),
    "finish is not fenced": Provoked(found_by=["I8 exits", "I9"], faults={"bad network": 1}, seconds=10),
    "permit ignores the attempt": Provoked(found_by=["I2", "I3", "I4"], faults=SILENCES, seconds=25),
    "started is requeued": Provoked(found_by=["I3"], faults=SILENCES, seconds=20),
    "begins again": Provoked(found_by=["I2"], faults={"kill runner": 1}),
    "void without ticket": Provoked(
        found_by=["I5"],
        faults={"stall at point": 1, "kill runner": 2},
        points=["journal.started.before"],
    ),
    "no ticket": Provoked(found_by=["I5"], faults={"kill runner": 1}),
    "intent comes late": Provoked(found_by=["I2"], faults={"crash point": 1}, points=["runner.hand_over.after"]),
    "death is success": Provoked(found_by=["I8"], faults={"kill keeper": 1}),
    "leftovers live": Provoked(found_by=["I8 exits", "survivors"], faults={"kill keeper": 1}),
    "cancel after permit": Provoked(found_by=["I5"], seconds=6),
    "keys are forgotten": Provoked(found_by=["I1"], faults={"bad network": 1}, seconds=8),
    "output has no offsets": Provoked(found_by=["I13"], faults={"bad network": 1}, seconds=8),
    "moves without history": Provoked(found_by=["I17"], seconds=3),
    "slots are not counted": Provoked(found_by=["I11"], seconds=3),
    "tokens are printed": Provoked(found_by=["I18"], seconds=4),
    "reports are not repeated": Provoked(found_by=["I12"], faults={"kill server": 1, "bad network": 1}, seconds=6),
}
