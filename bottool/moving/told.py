"""What came of each thing that should move: one line each."""

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["made", "would make", "there", "differs", "failed", "by hand"]
TROUBLE: frozenset[Outcome] = frozenset({"differs", "failed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``note`` says what differs, why it failed, or what is left to do by hand."""

    kind: str
    label: str
    outcome: Outcome
    note: str = ""


@dataclass(slots=True)
class Told:
    """All lines so far, in the order in which they happened."""

    lines: list[Line] = field(default_factory=list)

    def add(self, kind: str, label: str, outcome: Outcome, note: str = "") -> None:
        self.lines.append(Line(kind=kind, label=label, outcome=outcome, note=note))

    @property
    def is_whole(self) -> bool:
        """Whether everything that the other server shows is here as it is there."""
        return not any(line.outcome in TROUBLE for line in self.lines)
