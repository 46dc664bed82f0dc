"""What rounds came to, in a few lines."""

from collections import Counter
from collections.abc import Iterator, Sequence

from nemesis.checker import Count, count
from nemesis.faults import KILLS, POINTS
from nemesis.rounds import Done

NOTHING = Count(tasks=0, starts=0, lost=0, doubled=0, survivors=0, wrong_outcomes=0, others=0)


def summary(rounds: Sequence[Done]) -> Iterator[str]:
    did: Counter[str] = Counter()
    fired: Counter[str] = Counter()
    total = NOTHING
    for each in rounds:
        did.update(each.did)
        fired.update(each.fired)
        total += count(each.history, each.violations)
    kills = {
        name: did[name] for name in [*KILLS, "kill database", "died at point"] if did[name] and name != "crash point"
    }
    others = {name: number for name, number in did.items() if name not in kills and name != "crash point"}
    yield f"{sum(each.kills for each in rounds)} kills: {_listed(kills)}"
    yield f"other faults: {_listed(others)}"
    yield f"named points hit: {len(set(fired) & set(POINTS))} of {len(POINTS)}"
    yield f"{total.tasks} tasks, {total.starts} starts of bots"
    yield (
        f"{total.lost} lost, {total.doubled} doubled, {total.survivors} survivors,"
        f" {total.wrong_outcomes} wrong outcomes, {total.others} other violations"
    )
    for each in rounds:
        yield from (f"seed {each.history.round['seed']}: {violation}" for violation in each.violations)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items(), key=lambda each: -each[1])) or "none"
