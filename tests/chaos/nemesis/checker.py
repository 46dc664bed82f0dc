"""The history checker: what must hold after a round, whatever was done to it. Pure; each check yields what it found.

Names of the checks: I1 to I18. I14 to I16 (schedules, data pools, artifacts) have rounds of their own elsewhere.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bottool.states import FINAL, TaskState, task_may_move
from nemesis.history import History

HOLDING = frozenset({"leased", "starting", "running", "stopping"})
LINE = re.compile(r"(\d+) (\d+) ([0-9a-f]+) (\d+) (.*)")
LATE_SECONDS = 0.5
"""Between a bot's last word and its keeper's report nothing may lie but this much of inexact clocks."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    check: str
    task: int
    text: str

    def __str__(self) -> str:
        return f"{self.check} task {self.task}: {self.text}" if self.task else f"{self.check}: {self.text}"


Check = Callable[[History], Iterator[tuple[int, str]]]


def is_final(state: str) -> bool:
    return bool(state) and TaskState(state) in FINAL


def acknowledged(history: History) -> Iterator[tuple[int, str]]:
    """I1: an acknowledged task is there, once; an unanswered one at most once."""
    asked = {each["key"] for each in history.requests if each.get("op") == "create"}
    by_key: dict[str, set[int]] = defaultdict(set)
    for each in history.requests:
        if each.get("op") == "created":
            by_key[each["key"]].add(each["task"])
    for key, ids in by_key.items():
        if len(ids) > 1:
            yield min(ids), f"the key {key} made {sorted(ids)}"
        for lost in ids - history.tasks.keys():
            yield lost, f"was acknowledged for the key {key}, and is not there"
    made = len({each for ids in by_key.values() for each in ids})
    if made < len(by_key):
        yield 0, f"{len(by_key)} keys made {made} tasks"
    unanswered = len(asked) - len(by_key)
    if len(history.tasks) > made + unanswered:
        yield 0, f"{len(asked)} keys were asked for and {len(history.tasks)} tasks are there"


def starts_of_attempts(history: History) -> Iterator[tuple[int, str]]:
    """I2: an attempt's bot starts at most once."""
    for (task, number), count in Counter((each.task, each.attempt) for each in history.starts).items():
        if count > 1:
            yield task, f"the bot of attempt {number} was started {count} times"


def starts_of_tasks(history: History) -> Iterator[tuple[int, str]]:
    """I3: a task's bot starts at most as often as its automation's owner allows; once by default."""
    for task, count in Counter(each.task for each in history.starts).items():
        most = _most_attempts(history, task)
        if count > most:
            yield task, f"its bot was started {count} times, and {most} are allowed"


def _most_attempts(history: History, task: int) -> int:
    automation = str(history.tasks.get(task, {}).get("automation_id"))
    return int(history.round["max_attempts"].get(automation, 1))


def starts_have_permits(history: History) -> Iterator[tuple[int, str]]:
    """I4: no bot starts without its attempt's permit."""
    for each in history.starts:
        if not any(
            e["kind"] == "permitted" and e["attempt"] == each.attempt for e in history.events.get(each.task, ())
        ):
            yield each.task, f"the bot of attempt {each.attempt} ran without a permit"


def nothing_taken_back_starts(history: History) -> Iterator[tuple[int, str]]:
    """I5: what was answered as cancelled, or reported as never started, did not start and does not."""
    started = {(each.task, each.attempt) for each in history.starts}
    for task, events in history.events.items():
        newest = 0
        for each in events:
            newest = each["attempt"] if each["kind"] == "leased" else newest
            if each["kind"] == "voided" and (task, each["attempt"]) in started:
                yield task, f"attempt {each['attempt']} was reported as never started, and ran"
            if each["kind"] == "cancelled":
                first = newest + 1 if each["old"] in {"scheduled", "queued"} else newest
                if any(who == task and number >= first for who, number in started):
                    yield task, "was cancelled before its start, and ran"
    for each in history.requests:
        state = history.tasks.get(each.get("task", 0), {}).get("state")
        if each.get("op") == "cancel" and each["answer"] == "cancelled" and state != "cancelled":
            yield each["task"], f"was answered to be cancelled, and is {state}"


def tries_do_not_overlap(history: History) -> Iterator[tuple[int, str]]:
    """I6: two attempts of a task are not at work together."""
    by_task = defaultdict(list)
    for each in history.starts:
        by_task[each.task].append(each)
    for task, starts in by_task.items():
        for one, other in pairwise(starts):
            end = history.ends.get((task, one.attempt))
            if other.attempt < one.attempt or (end is not None and end.at > other.at and end.nonce == one.nonce):
                yield task, f"attempts {one.attempt} and {other.attempt} ran at the same time"


def one_result(history: History) -> Iterator[tuple[int, str]]:
    """I7: a result is written once, but that a lost one may be corrected by its own attempt."""
    for task, events in history.events.items():
        newest = 0
        for each in events:
            newest = each["attempt"] if each["kind"] == "leased" else newest
            if is_final(each["old"]) and is_final(each["new"]):
                by_itself = each["attempt"] == newest
                late = each["kind"] == "ended" and each["detail"].get("late")
                word = each["kind"] == "finished_again"
                if not by_itself or not (late or word):
                    yield task, f"its result {each['old']} was overwritten with {each['new']} by '{each['kind']}'"


def results_are_true(history: History) -> Iterator[tuple[int, str]]:
    """I8: a success is the bot's own word, or an end with 0 that a witness saw; and an exit code is the bot's."""
    for task, row in history.tasks.items():
        key = (task, row["attempt"])
        end, said = history.ends.get(key), history.said.get(key)
        if row["state"] in {"succeeded", "partial"}:
            spoke = row["bot_reported"] and (said is None or said.status == row["state"])
            # A word that nobody is known to have heard is none: then the exit counts.
            unheard = said is None or said.code not in range(200, 300)
            silent = row["state"] == "succeeded" and end is not None and end.exit_code == 0 and unheard
            if not spoke and not silent:
                yield task, f"{row['state']}, but its bot said {said} and ended {end}"
        if said is not None and said.code in range(200, 300) and said.status != row["state"]:
            yield task, f"{row['state']}, although its bot's word '{said.status}' was taken"


def exits_are_true(history: History) -> Iterator[tuple[int, str]]:
    """I8 also: what the keeper saw is what the witness saw."""
    for (task, number), row in history.attempts.items():
        end = history.ends.get((task, number))
        if row["reason"] == "exited" and row["exit_code"] is not None and row["exit_code"] >= 0:
            seen = end.exit_code if end else None
            if seen != row["exit_code"]:
                yield task, f"attempt {number} ended with {row['exit_code']}, and the witness saw {seen}"
        if row["report_key"] and end is not None and not history.round["clock_jumped"]:
            told = _time_of(history, task, number, "ended")
            if told is not None and end.at > told + LATE_SECONDS:
                yield task, f"the bot of attempt {number} lived {end.at - told:.1f} s longer than its report says"


def _time_of(history: History, task: int, number: int, kind: str) -> float | None:
    for each in history.events[task]:
        if each["kind"] == kind and each["attempt"] == number:
            return datetime.fromisoformat(each["at"]).timestamp()
    return None


def old_attempts_are_silent(history: History) -> Iterator[tuple[int, str]]:
    """I9, I11: once an attempt was replaced it changes nothing, and it has ended before that."""
    for task, events in history.events.items():
        newest, ended = 0, True
        for each in events:
            if each["kind"] == "leased":
                if not ended:
                    yield task, f"attempt {each['attempt']} was leased while attempt {newest} was alive"
                newest, ended = each["attempt"], False
            elif each["attempt"] is not None and each["attempt"] < newest and each["kind"] != "refused":
                yield task, f"attempt {each['attempt']} did '{each['kind']}' although attempt {newest} exists"
            if each["attempt"] == newest and each["detail"].get("attempt_state") == "ended":
                ended = True


def attempts_are_numbered(history: History) -> Iterator[tuple[int, str]]:
    """I10: attempts are 1, 2, 3, … in the table and in the history."""
    by_task = defaultdict(list)
    for task, number in history.attempts:
        by_task[task].append(number)
    for task, row in history.tasks.items():
        numbers = sorted(by_task[task])
        leased = [each["attempt"] for each in history.events.get(task, ()) if each["kind"] == "leased"]
        if numbers != list(range(1, row["attempt"] + 1)) or leased != numbers:
            yield task, f"its attempts are {numbers}, its history has {leased}, it counts {row['attempt']}"


def slots_hold(history: History) -> Iterator[tuple[int, str]]:
    """I11: a runner never gets more than its slots."""
    runners = {key: row["runner_id"] for key, row in history.attempts.items()}
    state: dict[tuple[int, int], str] = {}
    held: Counter[int] = Counter()
    for each in sorted((e for events in history.events.values() for e in events), key=lambda e: e["id"]):
        now = each["detail"].get("attempt_state")
        key = (each["task_id"], each["attempt"])
        if now is None or key not in runners:
            continue
        held[runners[key]] += (now in HOLDING) - (state.get(key, "") in HOLDING)
        state[key] = now
        if each["kind"] == "leased" and held[runners[key]] > history.round["slots"]:
            yield each["task_id"], f"runner {runners[key]} got work for {held[runners[key]]} slots"


def nothing_is_stuck(history: History) -> Iterator[tuple[int, str]]:
    """I12: with everybody back, every task gets its result and every attempt its end."""
    for task, row in history.tasks.items():
        if not is_final(row["state"]):
            yield task, f"is {row['state']} for ever"
    for (task, number), row in history.attempts.items():
        if row["state"] != "ended":
            yield task, f"attempt {number} is {row['state']} for ever"


def output_is_whole(history: History) -> Iterator[tuple[int, str]]:
    """I13: what a bot printed is there, in order, nothing twice, nothing missing before its end."""
    nonces = {(each.task, each.attempt): each.nonce for each in history.starts}
    for key, text in history.outputs.items():
        lines = [line for line in map(LINE.fullmatch, text.splitlines()) if line]
        numbers = [int(line[4]) for line in lines]
        if numbers != list(range(len(numbers))):
            yield key[0], f"the output of attempt {key[1]} has the lines {numbers}"
        if {line[3] for line in lines} - {nonces.get(key)}:
            yield key[0], f"the output of attempt {key[1]} is of another start"
    for (task, number), end in history.ends.items():
        row = history.attempts.get((task, number), {})
        count = len([line for line in history.outputs.get((task, number), "").splitlines() if LINE.fullmatch(line)])
        if row.get("reason") == "exited" and row.get("exit_code") == end.exit_code and count != end.lines:
            yield task, f"attempt {number} printed {end.lines} lines, and {count} are there"


def history_is_the_state(history: History) -> Iterator[tuple[int, str]]:
    """I10, I17: every move is told, is allowed, and together they give the row."""
    for task, row in history.tasks.items():
        state = ""
        for each in history.events.get(task, ()):
            if not each["new"]:
                continue
            if each["old"] != state:
                yield task, f"'{each['kind']}' moved it from {each['old']}, and it was {state or 'not there'}"
            elif state and not task_may_move(TaskState(state), TaskState(each["new"])):
                yield task, f"moved from {state} to {each['new']}"
            state = each["new"]
        if state != row["state"]:
            yield task, f"is {row['state']}, and its history says {state or 'nothing'}"


def secrets_stay_secret(history: History) -> Iterator[tuple[int, str]]:
    """I18: no bot's token in output, events, results or logs."""
    places = {**history.texts, **{f"output of {key}": text for key, text in history.outputs.items()}}
    for place, text in places.items():
        for token in re.findall(r"btl_attempt_[A-Za-z0-9_-]{20,}", text):
            yield history.secrets.get(token, 0), f"a token stands in {place}"


def nobody_survives(history: History) -> Iterator[tuple[int, str]]:
    """Nothing of a bot lives on, and whoever is asked to end does so."""
    for each in history.round["survivors"]:
        yield 0, f"lived on: {each}"
    for name, status in history.round["exits"].items():
        # A server hands the signal that ended it on, once it is done.
        if status != 0 and (name, status) != ("server", -15):
            yield 0, f"{name} was asked to end, and ended with {status}"


CHECKS: dict[str, Check] = {
    "I1": acknowledged,
    "I2": starts_of_attempts,
    "I3": starts_of_tasks,
    "I4": starts_have_permits,
    "I5": nothing_taken_back_starts,
    "I6": tries_do_not_overlap,
    "I7": one_result,
    "I8": results_are_true,
    "I8 exits": exits_are_true,
    "I9": old_attempts_are_silent,
    "I10": attempts_are_numbered,
    "I11": slots_hold,
    "I12": nothing_is_stuck,
    "I13": output_is_whole,
    "I17": history_is_the_state,
    "I18": secrets_stay_secret,
    "survivors": nobody_survives,
}


def check(history: History) -> list[Violation]:
    return [
        Violation(check=name, task=task, text=text) for name, each in CHECKS.items() for task, text in each(history)
    ]


@dataclass(frozen=True, kw_only=True)
class Count:
    """What a round comes to: the words of its last lines."""

    tasks: int
    starts: int
    lost: int
    doubled: int
    survivors: int
    wrong_outcomes: int
    others: int

    def __add__(self, other: "Count") -> "Count":
        names = ("tasks", "starts", "lost", "doubled", "survivors", "wrong_outcomes", "others")
        return Count(**{name: getattr(self, name) + getattr(other, name) for name in names})


def count(history: History, violations: list[Violation]) -> Count:
    by_check: Counter[str] = Counter(each.check for each in violations)
    lost = by_check["I1"] + by_check["I12"]
    doubled = by_check["I2"] + by_check["I3"]
    wrong = by_check["I8"] + by_check["I8 exits"] + by_check["I7"]
    return Count(
        tasks=len(history.tasks),
        starts=len(history.starts),
        lost=lost,
        doubled=doubled,
        survivors=by_check["survivors"],
        wrong_outcomes=wrong,
        others=len(violations) - lost - doubled - wrong - by_check["survivors"],
    )
