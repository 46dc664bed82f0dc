"""What a test may not leave behind: processes, threads, changed variables. The test that does fails by it.

A process is a test's own when it carries this run's mark in its variables or descends from this process, and is no
child of something that a fixture of longer life had started before. A leaked process is killed, so that one test does
not spoil the next.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil
import pytest

from bottool.settings import base_variables

_MARK = "BOTTOOL_TEST_RUN"
_PATIENCE_SECONDS = 5.0
"""How long something may take to end by itself after its test."""
_STEP_SECONDS = 0.02
_PYTESTS_OWN = frozenset({"PYTEST_CURRENT_TEST"})
_marks = pytest.StashKey[pytest.MonkeyPatch]()


def pytest_configure(config: pytest.Config) -> None:
    """Mark the variables of this run: every process that descends from it inherits them, orphans too.

    ``long`` marks what takes long and finds little: ``-m "not long"`` leaves it out.
    """
    config.addinivalue_line("markers", "long: the full rounds")
    patch = pytest.MonkeyPatch()
    patch.setenv(_MARK, uuid.uuid4().hex)
    config.stash[_marks] = patch


def pytest_unconfigure(config: pytest.Config) -> None:
    if _marks in config.stash:
        config.stash[_marks].undo()


@pytest.fixture(autouse=True)
def leaves_nothing_behind() -> Iterator[None]:
    """Fails the test that leaves a process, a thread that is no daemon, or a changed variable."""
    before = _Before(
        variables=base_variables(), threads=frozenset(threading.enumerate()), processes=frozenset(psutil.pids())
    )
    yield
    deadline = time.monotonic() + _PATIENCE_SECONDS
    left = [
        *_left_processes(before.processes, deadline),
        *_left_threads(before.threads, deadline),
        *_changed_variables(before.variables),
    ]
    if left:
        pytest.fail("the test left behind: " + "; ".join(left), pytrace=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    variables: Mapping[str, str]
    threads: frozenset[threading.Thread]
    processes: frozenset[int]


def _left_processes(before: frozenset[int], deadline: float) -> list[str]:
    while (left := _own_new_processes(before)) and time.monotonic() < deadline:
        time.sleep(_STEP_SECONDS)
    described = [_described(process) for process in left]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return described


def _own_new_processes(before: frozenset[int]) -> list[psutil.Process]:
    run = base_variables().get(_MARK, "")
    found = []
    for pid in sorted(frozenset(psutil.pids()) - before):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE and _is_own(process, before, run):
                found.append(process)
    return found


def _is_own(process: psutil.Process, before: frozenset[int], run: str) -> bool:
    this = psutil.Process()
    for parent in process.parents():
        if parent == this:
            return True
        if parent.pid in before and _is_marked(parent, run):
            return False
    return _is_marked(process, run)


def _is_marked(process: psutil.Process, run: str) -> bool:
    try:
        return process.environ().get(_MARK) == run
    except (psutil.Error, OSError):
        return False


def _described(process: psutil.Process) -> str:
    try:
        return f"process {process.pid} ({' '.join(process.cmdline())[:200] or process.name()})"
    except psutil.Error:
        return f"process {process.pid}"


def _left_threads(before: frozenset[threading.Thread], deadline: float) -> list[str]:
    left = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in left:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [f"thread '{thread.name}'" for thread in left if thread.is_alive()]


def _changed_variables(before: Mapping[str, str]) -> list[str]:
    after = base_variables()
    names = sorted((before.keys() | after.keys()) - _PYTESTS_OWN)
    return [f"variable {name}" for name in names if before.get(name) != after.get(name)]
