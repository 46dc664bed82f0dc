"""Tells processes apart, finds those that got away, and ends a whole set of them.

Knows neither how a tree was started nor what runs in it. The caller says how to find the living members; the set is
asked, waited for, and then killed by a loop that lists again and again, because a process may fork while it is listed.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bottool import cgroup
from bottool.platform_process import Job, ask_to_end, created_at, descendant_pids, session_of

Find = Callable[[], list[psutil.Process]]

MARK = "BOTTOOL_PROCESS"
"""The variable by which a tree's processes are known where nothing else tells: ``<folder>#<random>``."""

KILL_SECONDS = 10.0
_STEP_SECONDS = 0.002
_CLOCK_SLACK_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """How an end goes on. ``taken``: when (seconds since the epoch) each step was taken first, by its name: ``asked``,
    ``signalled``, ``killed``. While ``hurry`` is true nobody waits for anything.
    """

    taken: dict[str, float] = field(default_factory=dict)
    hurry: Callable[[], bool] = lambda: False

    def take(self, name: str) -> None:
        self.taken.setdefault(name, time.time())


def create_time_of(pid: int) -> float | None:
    """When a process began, to be kept and given to ``is_same_process``; ``None`` when it is gone. No clock time."""
    try:
        return created_at(psutil.Process(pid))
    except (psutil.Error, OSError):
        return None


def is_same_process(pid: int, create_time: float) -> bool:
    """True when ``pid`` still is the live process that ``create_time`` was read from, and no other under its number."""
    found = create_time_of(pid)
    return found is not None and abs(found - create_time) < _CLOCK_SLACK_SECONDS and not is_dead(psutil.Process(pid))


def stop_leftovers(pid: int, create_time: float, folder: Path, group: str = "") -> tuple[str, ...]:
    """Stop what lives of a tree whose owner died: started in ``folder`` as ``pid``. Returns names as ``sweep`` does.

    ``group`` is what the tree said of its control group.

    Safe to call for a tree that has ended, and when another process has the number now.
    """
    held = cgroup.found(group)

    def find() -> list[psutil.Process]:
        born = create_time_of(pid)
        # Once the program is gone, its number and its session may be a stranger's: then only the mark proves anything.
        is_theirs = born is not None and abs(born - create_time) < _CLOCK_SLACK_SECONDS
        numbered = [pid, *descendant_pids(pid), *in_session(pid)] if is_theirs else []
        return living([*numbered, *marked(f"{folder}#"), *(held.pids() if held else [])])

    left = names(find())
    end(find, 0.0)
    if held is not None:
        held.kill()
        held.remove()
    return left


def end(
    find: Find, grace_seconds: float, *, leader: int | None = None, job: Job | None = None, steps: Steps | None = None
) -> None:
    """Ask, wait, then stop-then-kill: a process that is stopped cannot fork away while the others are listed.

    ``leader`` is the process that was started; where only a group's leader can be asked, nobody is without it.
    """
    steps = steps or Steps()
    if grace_seconds > 0 and (asked := find()):
        steps.take("signalled")
        ask_to_end(asked, leader)
        wait_until_gone(find, grace_seconds, steps.hurry)
    deadline = time.monotonic() + KILL_SECONDS
    stopped: set[psutil.Process] = set()
    while (alive := find()) and time.monotonic() < deadline:
        steps.take("killed")
        fresh = [process for process in alive if process not in stopped]
        stopped.update(fresh)
        if fresh:
            _tell(fresh, psutil.Process.suspend)
        else:
            _tell(alive, psutil.Process.kill)
            if job is not None:
                job.kill()
            time.sleep(_STEP_SECONDS)


def _tell(processes: Iterable[psutil.Process], action: Callable[[psutil.Process], None]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            action(process)


def wait_until_gone(find: Find, seconds: float, hurry: Callable[[], bool] = lambda: False) -> None:
    deadline = time.monotonic() + seconds
    pause = _STEP_SECONDS
    while find() and time.monotonic() < deadline and not hurry():
        time.sleep(pause)
        pause = min(pause * 2, 0.05)


def living(pids: Iterable[int]) -> list[psutil.Process]:
    return [process for process in processes_of(pids) if not is_dead(process)]


def processes_of(pids: Iterable[int]) -> list[psutil.Process]:
    found = []
    for pid in dict.fromkeys(pids):
        with contextlib.suppress(psutil.Error):
            found.append(psutil.Process(pid))
    return found


def is_dead(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def in_session(session: int) -> list[int]:
    return [pid for pid in psutil.pids() if session_of(pid) == session]


def marked(start_of_mark: str) -> list[int]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK, "").startswith(start_of_mark):
                found.append(process.pid)
    return found


def names(processes: Iterable[psutil.Process]) -> tuple[str, ...]:
    counts: Counter[str] = Counter()
    for process in processes:
        with contextlib.suppress(psutil.Error):
            counts[process.name()] += 1
    return tuple(name if count == 1 else f"{name} × {count}" for name, count in sorted(counts.items()))
