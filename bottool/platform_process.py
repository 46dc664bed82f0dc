"""What operating systems do differently about processes: sessions, orphans, jobs, gentle signals, boots.

Owns every platform switch of process handling, so that ``process.py`` reads the same everywhere. Knows nothing of
bots. On Linux the kernel lists children at once and gives orphans to a subreaper; on Windows a Job Object holds every
descendant; macOS has neither, so there the session and a mark in the variables are all that finds an orphan.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from bottool import cgroup

PIECE_BYTES = 64 * 1024
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_BOOTED_AT = "booted-at-"
_BOOT_SLACK_SECONDS = 300.0
"""Windows computes the time of its boot from the wall clock, which is corrected by seconds a day."""


def become_subreaper() -> bool:
    """Adopt every orphan among this process's descendants from now on; ``False`` where the system cannot do that.

    Needs no privilege. Source: prctl(2), PR_SET_CHILD_SUBREAPER.
    """
    if sys.platform == "linux":
        return int(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0
    else:  # noqa: RET505 - the type checker knows a platform's branch by its shape
        return False


def is_subreaper() -> bool:
    """True when this process adopts its orphans."""
    answer = ctypes.c_int(0)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return bool(answer.value)


def boot_id() -> str:
    """A text that is another one after every start of this machine; to be compared with ``same_boot``."""
    if sys.platform == "linux":
        return _BOOT_ID.read_text(encoding="ascii").strip()
    elif sys.platform == "darwin":  # noqa: RET505 - as above
        size = ctypes.c_size_t(64)
        text = ctypes.create_string_buffer(size.value)
        ctypes.CDLL(None).sysctlbyname(b"kern.bootsessionuuid", text, ctypes.byref(size), None, 0)
        return text.value.decode("ascii")
    else:
        return f"{_BOOTED_AT}{psutil.boot_time():.0f}"


def same_boot(first: str, second: str) -> bool:
    """True when two texts of ``boot_id`` are of one boot: the same text, or times that only a drifting clock parts.

    Too wide a slack does no harm: what else tells a process apart is when it began, and that differs then.
    """
    if first == second:
        return True
    if not (first.startswith(_BOOTED_AT) and second.startswith(_BOOTED_AT)):
        return False
    apart = float(first.removeprefix(_BOOTED_AT)) - float(second.removeprefix(_BOOTED_AT))
    return abs(apart) <= _BOOT_SLACK_SECONDS


def session_of(pid: int) -> int | None:
    """The session that a process belongs to; ``None`` when it is gone or the system has no sessions."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            return os.getsid(pid)
    return None


def descendant_pids(pid: int) -> list[int]:
    """The process's descendants, parents first, as fast as the system can tell: a tree may change meanwhile."""
    if sys.platform == "linux":
        found = _children_by_kernel(pid)
        if found is not None:
            for child in found:
                found.extend(_children_by_kernel(child) or ())
            return found
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def _children_by_kernel(pid: int) -> list[int] | None:
    """Children of all threads, from ``/proc``; ``None`` when the process is gone or the kernel does not tell.

    About twenty times faster than reading every process's parent, which decides who wins against a process that
    replaces itself all the time. Source: proc_pid_task(5), CONFIG_PROC_CHILDREN.
    """
    tasks = f"/proc/{pid}/task"
    try:
        with os.scandir(tasks) as found:
            return [int(child) for task in found for child in _read(f"{task.path}/children").split()]
    except OSError:
        return None


def _read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        data = b""
        while piece := os.read(handle, 65536):
            data += piece
        return data
    finally:
        os.close(handle)


def reap(pid: int) -> tuple[int, float] | None:
    """Collect a dead child: its exit code (``-N`` for signal N) and the processor seconds of it and what it waited for.

    ``None`` when it lives, or the system has nothing to collect.

    :raises ChildProcessError: when it is no child of ours, or somebody else collected it.
    """
    if sys.platform != "win32":
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime
    return None


def doze_until_end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Return when a child of ours has ended (it is not collected), or earlier; after ``seconds`` at the latest."""
    if sys.platform == "linux":
        try:
            handle = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return
        try:
            wait_for_exit(handle, seconds)
        finally:
            os.close(handle)
    elif sys.platform == "win32":
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    else:
        time.sleep(min(seconds, 0.02))


def wait_for_exit(handle: int, seconds: float) -> bool:
    """Wait for the end of the process that a handle of Linux names; ``False`` when it still lives after that time."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def read_piece(pipe: int, wake: int) -> bytes:
    """The next bytes of a pipe, at most 64 KiB; ``b""`` at its end, or when ``wake`` can be read.

    Windows cannot wait for a pipe: there only the end of the pipe's last holder ends the reading.
    """
    if sys.platform != "win32":
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        poll.register(wake, select.POLLIN)
        stopped = any(ready == wake for ready, _ in poll.poll())
        return b"" if stopped else os.read(pipe, PIECE_BYTES)
    else:  # noqa: RET505 - the type checker knows a platform's branch by its shape
        return os.read(pipe, PIECE_BYTES)


def created_at(process: psutil.Process) -> float:
    """When a process began, by a clock that nobody sets: only good for telling two holders of one pid apart.

    Linux counts from the boot, because there psutil's own figure moves whenever the wall clock is set.
    """
    if sys.platform == "linux":
        stat = _read(f"/proc/{process.pid}/stat")
        # The name in parentheses may hold anything; after it the start time is the twentieth field (proc_pid_stat(5)).
        return int(stat[stat.rindex(b")") + 2 :].split()[19]) / os.sysconf("SC_CLK_TCK")
    else:  # noqa: RET505 - as above
        return float(process.create_time())


def open_files_of(process: psutil.Process) -> int:
    """How many files, pipes and connections a process has open.

    :raises psutil.Error: when it is gone, or hides it.
    """
    if sys.platform == "win32":
        return int(process.num_handles())
    else:  # noqa: RET505 - the type checker knows a platform's branch by its shape
        return int(process.num_fds())


def held_memory(process: psutil.Process) -> int:
    """Bytes of memory that a process holds, swapped or not; on Linux its share of what it shares. 0 when it is gone."""
    try:
        if sys.platform == "linux":
            with contextlib.suppress(psutil.AccessDenied):
                whole = process.memory_full_info()
                return int(whole.pss + whole.swap)
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def ask_to_end(processes: Iterable[psutil.Process], leader: int | None) -> None:
    """Send the signal that means "please end" to whoever can hear it; ``leader`` is the process that we started."""
    for process in hearers(processes, leader):
        try:
            if sys.platform == "win32":
                os.kill(process.pid, signal.CTRL_BREAK_EVENT)
            else:
                process.terminate()
        except (psutil.Error, OSError):
            continue


def hearers(
    processes: Iterable[psutil.Process], leader: int | None, *, by_group: bool = sys.platform == "win32"
) -> list[psutil.Process]:
    """Those to send the gentle signal to: each one, or where it goes to a whole group, the group's leader alone.

    Windows takes the number for that of a console group. Its leader's reaches all of the group, and any other number
    names no group of ours: it may reach everyone at the console, ourselves included.
    """
    return [process for process in processes if not by_group or process.pid == leader]


if sys.platform == "win32":
    from ctypes import wintypes

    _CREATE_SUSPENDED = 0x00000004
    _KILL_ON_JOB_CLOSE = 0x00002000
    _EXTENDED_LIMITS = 9
    _PROCESS_IDS = 3
    _LIST_ROOM = 4096

    class _BasicLimits(ctypes.Structure):
        _fields_ = (
            ("PerProcessUserTimeLimit", ctypes.c_int64),
            ("PerJobUserTimeLimit", ctypes.c_int64),
            ("LimitFlags", wintypes.DWORD),
            ("MinimumWorkingSetSize", ctypes.c_size_t),
            ("MaximumWorkingSetSize", ctypes.c_size_t),
            ("ActiveProcessLimit", wintypes.DWORD),
            ("Affinity", ctypes.c_size_t),
            ("PriorityClass", wintypes.DWORD),
            ("SchedulingClass", wintypes.DWORD),
        )

    class _ExtendedLimits(ctypes.Structure):
        _fields_ = (
            ("BasicLimitInformation", _BasicLimits),
            ("IoInfo", ctypes.c_uint64 * 6),
            ("ProcessMemoryLimit", ctypes.c_size_t),
            ("JobMemoryLimit", ctypes.c_size_t),
            ("PeakProcessMemoryUsed", ctypes.c_size_t),
            ("PeakJobMemoryUsed", ctypes.c_size_t),
        )

    class _ProcessIds(ctypes.Structure):
        _fields_ = (
            ("NumberOfAssignedProcesses", wintypes.DWORD),
            ("NumberOfProcessIdsInList", wintypes.DWORD),
            ("ProcessIdList", ctypes.c_size_t * _LIST_ROOM),
        )

    def start_options() -> dict[str, Any]:
        """Own console group, and suspended until it is in its job: so no child can be born outside."""
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | _CREATE_SUSPENDED}

    class Job:
        """Every process that one bot starts, held by the system; what is left dies with the holder.

        Source: learn.microsoft.com, "Job Objects".
        """

        def __init__(self, process: "subprocess.Popen[bytes]") -> None:
            self._kernel = ctypes.WinDLL("kernel32", use_last_error=True)
            self._kernel.CreateJobObjectW.restype = wintypes.HANDLE
            self._job = wintypes.HANDLE(self._kernel.CreateJobObjectW(None, None))
            limits = _ExtendedLimits()
            limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
            self._kernel.SetInformationJobObject(
                self._job, _EXTENDED_LIMITS, ctypes.byref(limits), ctypes.sizeof(limits)
            )
            handle = wintypes.HANDLE(int(process._handle))  # type: ignore[attr-defined]  # noqa: SLF001 - the only handle there is
            self.holds = bool(self._kernel.AssignProcessToJobObject(self._job, handle))
            self.group = None
            psutil.Process(process.pid).resume()

        def take(self, members: Callable[[], Iterable[int]]) -> None:
            """Nothing to do: the program is suspended until it is in the job."""

        def pids(self) -> list[int]:
            """Everything alive in the job, the main process included."""
            found = _ProcessIds()
            self._kernel.QueryInformationJobObject(
                self._job, _PROCESS_IDS, ctypes.byref(found), ctypes.sizeof(found), None
            )
            return [int(pid) for pid in found.ProcessIdList[: found.NumberOfProcessIdsInList]]

        def kill(self) -> None:
            """End everything in the job at once."""
            self._kernel.TerminateJobObject(self._job, 1)

        def close(self) -> None:
            """Let go of the job; what still lives in it dies."""
            self._kernel.CloseHandle(self._job)

else:

    def start_options() -> dict[str, Any]:
        """An own session: the terminal's signals do not reach the bot, and its session names its processes."""
        return {"start_new_session": True}

    class Job:
        """A control group where one can be made, which holds all but what forked before it came in; else nothing.

        Sessions, marks and the subreaper do the work; this is for what gets away from them.
        """

        def __init__(self, process: "subprocess.Popen[bytes]") -> None:  # noqa: ARG002 - as on Windows
            self.holds = False
            self.group = cgroup.new()
            self._taking: threading.Thread | None = None

        def take(self, members: Callable[[], Iterable[int]]) -> None:
            """Bring in what was started before the group was there; beside all else, for the kernel takes 20 ms."""
            if self.group is not None:
                self._taking = threading.Thread(target=self.group.take, args=(members,), name="group", daemon=True)
                self._taking.start()

        def pids(self) -> list[int]:
            """Everything alive in the group."""
            return self.group.pids() if self.group is not None else []

        def kill(self) -> None:
            """End everything in the group at once."""
            if self.group is not None:
                self.group.kill()

        def close(self) -> None:
            """Remove the group once it is empty; what still lives stays in it."""
            if self.group is not None:
                if self._taking is not None:
                    self._taking.join()
                self.group.remove()
