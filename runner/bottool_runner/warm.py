"""Keepers begun warm: the runner's line to its nursery, and a keeper that is not its child.

The nursery is made when it is first wanted, and anew after it died. Whatever goes wrong with it, the keeper is begun
cold. Knows neither attempts nor plugins.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

import msgspec
import psutil

from bottool.platform_process import wait_for_exit
from bottool_runner.handover import Ends, Life, cold, keepers_variables
from bottool_runner.system import start_detached

CAN_FORK = hasattr(os, "fork") and hasattr(socket, "recv_fds")
_ANSWER_SECONDS = 10.0
_LONGEST = 65536


class Begun(msgspec.Struct, kw_only=True, frozen=True):
    """The nursery's answer, which comes with a handle of the process where the system has those."""

    pid: int


class Nursery:
    """The runner's side. ``begin`` may be called from any thread."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._is_closed = False

    def warm_up(self) -> None:
        """Have the process, unless the system cannot fork."""
        with self._one_at_a_time:
            self._have()

    def begin(self, ends: Ends) -> Life:
        """Begin a keeper: forked if that works, else cold."""
        with self._one_at_a_time:
            line = self._have()
            if line is not None:
                try:
                    return _ask(line, ends)
                except (OSError, msgspec.MsgspecError):
                    # Half begun is harmless: whoever comes second waits for the lock, and a lost pipe ends the first.
                    self._end()
                    self._have()
        return cold(ends)

    def close(self) -> None:
        """End the process. Its keepers live on."""
        with self._one_at_a_time:
            self._is_closed = True
            self._end()

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def _have(self) -> socket.socket | None:
        if not CAN_FORK or self._is_closed:
            return None
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._line, theirs = socket.socketpair()
            self._line.settimeout(_ANSWER_SECONDS)
            with theirs:
                self._process = start_detached(
                    [sys.executable, "-P", "-m", "bottool_runner.nursery"],
                    env=keepers_variables(),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
        return self._line

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _ask(line: socket.socket, ends: Ends) -> Life:
    socket.send_fds(line, [os.fsencode(ends.folder)], [ends.permit, ends.news, ends.log])
    said, handles, _, _ = socket.recv_fds(line, _LONGEST, 1)
    for handle in handles:
        os.set_inheritable(handle, False)
    try:
        begun = msgspec.json.decode(said, type=Begun)
    except msgspec.MsgspecError:
        for handle in handles:
            os.close(handle)
        raise
    return _Forked(begun.pid, handles[0] if handles else None)


class _Forked(Life):
    """Not our child: known by a handle that means no later process, or else by its number and when it began."""

    def __init__(self, pid: int, handle: int | None) -> None:
        self._handle = handle
        self._process = _process(pid) if handle is None else None

    def __del__(self) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def wait(self, seconds: float) -> bool:
        if self._handle is not None:
            return wait_for_exit(self._handle, seconds)
        try:
            if self._process is not None:
                self._process.wait(seconds)
        except psutil.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if self._handle is not None and sys.platform == "linux":
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            elif self._process is not None:
                self._process.kill()

    def forget(self) -> None:
        """Nothing to do: it never was our child."""


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None
