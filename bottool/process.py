"""Starts a program, watches its whole process tree, and stops all of it.

Knows nothing of tasks, bots or languages. A tree is the program, its descendants, and what descended from it and lost
its parent: the system's lists find the first two; a subreaper, a Windows job or Linux control group, the session and a
mark in the variables find the last. A process that is a subreaper owns one tree at a time: every orphan comes to it.
"""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from bottool.errors import LaunchError
from bottool.model import Usage
from bottool.platform_process import (
    Job,
    become_subreaper,
    boot_id,
    descendant_pids,
    doze_until_end,
    held_memory,
    is_subreaper,
    open_files_of,
    read_piece,
    reap,
    same_boot,
    session_of,
    start_options,
)
from bottool.stopping import (
    KILL_SECONDS,
    MARK,
    Steps,
    create_time_of,
    end,
    in_session,
    is_dead,
    is_same_process,
    marked,
    names,
    processes_of,
    stop_leftovers,
    wait_until_gone,
)

__all__ = [
    "ProcessTree",
    "become_subreaper",
    "boot_id",
    "create_time_of",
    "is_same_process",
    "same_boot",
    "start",
    "stop_leftovers",
]

Output = Callable[[int, bytes], None]

_SETTLE_SECONDS = 0.25
_UNSEEN = 255
"""The exit code when somebody else collected the program: its end was not seen, so it must not count as success."""


def start(arguments: Sequence[str], *, folder: Path, variables: Mapping[str, str], output: Output) -> "ProcessTree":
    """Start a program in ``folder`` with exactly ``variables``, its input closed, in its own session.

    ``output(stream, data)`` gets 1 (standard output) or 2 (standard error) and at most 64 KiB as they come, from other
    threads, never two calls at once.

    :raises LaunchError: when the operating system refuses; says why, and what to do.
    """
    mark = f"{folder}#{uuid.uuid4().hex}"
    program = _program(arguments[0], folder, variables.get("PATH", os.defpath))
    others = frozenset(descendant_pids(os.getpid())) if is_subreaper() else frozenset[int]()
    try:
        process = subprocess.Popen(
            [program, *arguments[1:]],
            cwd=folder,
            env={**variables, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            **start_options(),
        )
    except (OSError, ValueError) as error:
        raise LaunchError(f"cannot start '{program}': {_said(error)}", _hint(error, folder)) from error
    try:
        return ProcessTree(process, mark=mark, others=others, output=output)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _program(name: str, folder: Path, path: str) -> str:
    """Where the program is, so that every system searches alike: a path from the bot's folder, a name on its PATH."""
    if Path(name).name != name:
        return str(folder / name)
    found = shutil.which(name, path=path)
    if found is None:
        beside = f"write './{name}' to mean the file in the bot's folder" if (folder / name).exists() else ""
        raise LaunchError(
            f"cannot start '{name}': there is no such program on the PATH",
            beside or f"install '{name}' on this machine, or name the program's whole path",
        )
    return found


def _said(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _hint(error: OSError | ValueError, folder: Path) -> str:
    code = error.errno if isinstance(error, OSError) else None
    if code == errno.ENOENT and not folder.is_dir():
        return f"the folder '{folder}' does not exist"
    return {
        errno.ENOENT: "check the path, and for a script the program that its first line names",
        errno.EACCES: "the file must be executable: chmod +x",
        errno.ENOEXEC: "a script needs a first line such as '#!/bin/sh'; a program must fit this machine",
        errno.E2BIG: "the arguments and variables are too long together",
    }.get(code or 0, "")


class ProcessTree:
    """One started program with all that comes from it. Made by ``start``; used from one thread; closed at the end."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", *, mark: str, others: frozenset[int], output: Output
    ) -> None:
        self.pid = process.pid
        self.mark = mark
        self.output_error: Exception | None = None
        """The first error that ``output`` raised; what came afterwards was thrown away, so that the bot is not held."""
        self._process = process
        self._others = others
        self._own_session = session_of(os.getpid())
        self._job = Job(process)
        self.group = "" if self._job.group is None else str(self._job.group.folder)
        """The control group that holds the tree, for ``stop_leftovers``; empty where there is none."""
        self._adopts = is_subreaper()
        self._is_closed = False
        self._known: set[psutil.Process] = set()
        self._collected_seconds = 0.0
        self._cpu_seconds = 0.0
        # The child is not collected yet, so it has a start time even if it has ended already.
        self.create_time = create_time_of(self.pid) or 0.0
        """When the program began, for ``is_same_process``; no clock time."""
        self._output = output
        self._one_at_a_time = threading.Lock()
        self._wake_reader, self._wake_writer = os.pipe()
        self._job.take(lambda: self._adopted() if self._adopts else [self.pid, *descendant_pids(self.pid)])
        self._pumps = [self._start_pump(1, process.stdout), self._start_pump(2, process.stderr)]

    def poll(self) -> int | None:
        """The program's exit code, ``-N`` for a death by signal N; ``None`` while it runs."""
        if self._process.returncode is None and sys.platform == "win32":
            return self._process.poll()
        if self._process.returncode is None:
            try:
                ended = reap(self.pid)
            except ChildProcessError:
                ended = (_UNSEEN, 0.0)
            if ended is not None:
                self._process.returncode, seconds = ended
                self._collected_seconds += seconds
        return self._process.returncode

    def wait(self, timeout_seconds: float) -> int | None:
        """Wait at most so long for the program (not for the tree); its exit code, or ``None`` when it still runs."""
        deadline = time.monotonic() + timeout_seconds
        while (code := self.poll()) is None and (rest := deadline - time.monotonic()) > 0:
            doze_until_end(self._process, rest)
        return code

    def members(self) -> list[psutil.Process]:
        """Every live process of the tree, the program itself first; collects dead orphans on the way."""
        return self._find(thoroughly=False)

    def usage(self) -> Usage:
        """What the whole tree uses now."""
        memory_bytes = open_files = 0
        seconds = 0.0
        members = self.members()
        for process in members:
            with contextlib.suppress(psutil.Error, OSError), process.oneshot():
                times = process.cpu_times()
                seconds += times.user + times.system + times.children_user + times.children_system
                memory_bytes += process.memory_info().rss
                open_files += open_files_of(process)
        # A process that died with nobody waiting for it takes its seconds along; the figure must not fall for that.
        self._cpu_seconds = max(self._cpu_seconds, self._collected_seconds + seconds)
        return Usage(
            cpu_seconds=self._cpu_seconds, memory_bytes=memory_bytes, processes=len(members), open_files=open_files
        )

    def memory_bytes(self) -> int:
        """What the tree has of the machine's memory, swapped or not: as in ``usage``, but pages that processes share
        count once, where the system can tell. That takes ten times as long.
        """
        return sum(held_memory(process) for process in self.members())

    def stop(self, grace_seconds: float, steps: Steps | None = None) -> None:
        """End the whole tree: ask each process, wait the grace time, then kill until nothing is left.

        May be called again, and after the program has ended.
        """
        end(lambda: self._find(thoroughly=True), grace_seconds, leader=self.pid, job=self._job, steps=steps)
        self.wait(KILL_SECONDS)

    def sweep(self, grace_seconds: float = 1.0) -> tuple[str, ...]:
        """After the program's end: stop what it left behind and name it with counts, such as ``chrome × 3``.

        What is just ending by itself is given a quarter of a second and not named.
        """

        def find() -> list[psutil.Process]:
            return self._find(thoroughly=True)

        wait_until_gone(find, _SETTLE_SECONDS)
        left = names(find())
        if left:
            self.stop(grace_seconds)
        return left

    def close(self, deadline_seconds: float) -> None:
        """Wait so long for the rest of the output, then let go of the pipes even if somebody still holds them.

        May be called again.
        """
        if self._is_closed:
            return
        self._is_closed = True
        deadline = time.monotonic() + deadline_seconds
        for pump in self._pumps:
            pump.join(max(0.0, deadline - time.monotonic()))
        os.write(self._wake_writer, b"!")
        self._job.close()
        for pump, pipe in zip(self._pumps, (self._process.stdout, self._process.stderr), strict=True):
            pump.join(1.0)
            if pipe is not None and not pump.is_alive():
                pipe.close()
        os.close(self._wake_writer)
        os.close(self._wake_reader)

    def _find(self, *, thoroughly: bool) -> list[psutil.Process]:
        # While a tree is only watched, one that is known is not looked up again; whether it still is the same one is
        # seen right below.
        known = set() if thoroughly else {process.pid for process in self._known}
        self._known.update(processes_of(pid for pid in self._pids(thoroughly=thoroughly) if pid not in known))
        self._known = {process for process in self._known if not self._is_done(process)}
        return sorted(self._known, key=lambda process: (process.pid != self.pid, process.pid))

    def _pids(self, *, thoroughly: bool) -> list[int]:
        if self._adopts:
            return self._adopted() + self._job.pids()
        pids = [] if self.poll() is not None else [self.pid, *descendant_pids(self.pid)]
        pids += self._job.pids()
        if self._job.holds:
            return pids
        if self._owns_its_number():
            pids += in_session(self.pid)
        return pids + (marked(self.mark) if thoroughly else [])

    def _adopted(self) -> list[int]:
        """All our descendants but our own children: nobody can enter our session, and a bot starts outside it."""
        ours = (self._own_session, None)
        found = descendant_pids(os.getpid())
        return [pid for pid in found if pid not in self._others and session_of(pid) not in ours]

    def _owns_its_number(self) -> bool:
        return self._process.returncode is None or not psutil.pid_exists(self.pid)

    def _is_done(self, process: psutil.Process) -> bool:
        if process.pid == self.pid:
            return self.poll() is not None
        if not is_dead(process):
            return False
        if self._adopts:
            # Not ours to collect while a parent of its own still lives.
            with contextlib.suppress(ChildProcessError):
                self._collected_seconds += (reap(process.pid) or (0, 0.0))[1]
        return True

    def _start_pump(self, stream: int, pipe: object) -> threading.Thread:
        handle = pipe.fileno()  # type: ignore[attr-defined]
        pump = threading.Thread(target=self._pump, args=(stream, handle), name=f"output {stream}", daemon=True)
        pump.start()
        return pump

    def _pump(self, stream: int, pipe: int) -> None:
        while data := read_piece(pipe, self._wake_reader):
            with self._one_at_a_time:
                if self.output_error is None:
                    try:
                        self._output(stream, data)
                    except Exception as error:  # noqa: BLE001 - kept for the owner; the bot must not block on it
                        self.output_error = error
