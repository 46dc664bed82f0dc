"""The nursery: one warm process of a single thread that forks keepers, where the system can fork.

A keeper that is forked begins in about a millisecond; one with a Python of its own needs eighty or more. The nursery
imports core and nothing else: a keeper loads its plugin after the fork, so a plugin that hangs or crashes costs one task
still. What it must know of the plugins, a child of its own finds out and tells (``Census``).

It holds nothing that anyone needs. It gets a keeper's ends of the pipes, passes them on and closes its own; permits
never come through here. It ends with its runner; when it dies before, the keepers live on, and the runner begins the
next keeper cold and makes a new nursery.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import msgspec
import psutil

from bottool.platform_process import wait_for_exit
from bottool.plugins import GROUP, Plugins
from bottool_runner.handover import Ends, Life, cold, keepers_variables
from bottool_runner.system import detached_options

CAN_FORK = hasattr(os, "fork") and hasattr(socket, "recv_fds")
_ANSWER_SECONDS = 10.0
_CENSUS_SECONDS = 60
_LONGEST = 65536
_HANDLES = 3
"""Permit, news, and the file for what the keeper prints."""


class Census(msgspec.Struct, kw_only=True, frozen=True):
    """Which plugins a keeper needs, as the newest look at them said: each as name and what to load."""

    languages: dict[str, tuple[str, str]] = {}
    """By technology, in upper case: the plugin that serves it."""
    watchers: tuple[tuple[str, str], ...] = ()
    """Those that join when a bot starts or ends."""

    def plugins(self, technology: str) -> Plugins | None:
        """The few plugins for a bot of this technology; ``None`` when that is not known, or is no longer so."""
        owner = self.languages.get(technology.upper())
        if owner is None:
            return None
        plugins = Plugins()
        for name, value in sorted({owner, *self.watchers}):
            plugins.try_add(EntryPoint(name=name, value=value, group=GROUP))
        served = {each.upper() for language in plugins.languages.values() for each in language.technologies}
        return plugins if technology.upper() in served and not plugins.broken else None


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
            if self._have():
                try:
                    return self._ask(ends)
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

    def _have(self) -> bool:
        if not CAN_FORK or self._is_closed:
            return False
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            self._line, theirs = socket.socketpair()
            self._line.settimeout(_ANSWER_SECONDS)
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "bottool_runner.nursery"],
                    env=keepers_variables(),
                    stdin=theirs,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    **detached_options(),
                )
        return True

    def _ask(self, ends: Ends) -> Life:
        assert self._line is not None
        socket.send_fds(self._line, [os.fsencode(ends.folder)], [ends.permit, ends.news, ends.log])
        said, handles, _, _ = socket.recv_fds(self._line, _LONGEST, 1)
        for handle in handles:
            os.set_inheritable(handle, False)
        try:
            begun = msgspec.json.decode(said, type=Begun)
        except msgspec.MsgspecError:
            for handle in handles:
                os.close(handle)
            raise
        return _Forked(begun.pid, handles[0] if handles else None)

    def _end(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


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


# The nursery's own side.


def main() -> int:
    """Serve the line that is the standard input until it ends. Never a second thread here: a fork copies only one."""
    line = socket.socket(fileno=os.dup(0))
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    _warm()
    Forks(line).serve()
    return 0


def _warm() -> None:
    """Have in memory what every keeper imports, and keep the collector from touching (and so copying) it."""
    for name in ("bottool_runner.keeper", "bottool.environments", "bottool.run"):
        import_module(name)
    gc.collect()
    gc.freeze()


class Forks:
    """Answers requests, collects dead keepers, and keeps the census up to date."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._dead, self._died = os.pipe()
        for handle in (self._dead, self._died):
            os.set_blocking(handle, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._died, warn_on_full_buffer=False)
        self._stamp: list[tuple[str, int]] = []
        self._census = Census()
        self._heard = b""
        self._answer: int | None = None
        """Where the census that is under way will tell what it found."""

    def serve(self) -> None:
        self._look_at_plugins()
        while True:
            handles = [self._line.fileno(), self._dead, *([] if self._answer is None else [self._answer])]
            ready, _, _ = select.select(handles, [], [])
            if self._dead in ready:
                os.read(self._dead, _LONGEST)
                _collect()
            if self._answer in ready:
                self._hear_census()
            if self._line.fileno() in ready and not self._answer_one():
                return

    def _answer_one(self) -> bool:
        said, handles, _, _ = socket.recv_fds(self._line, _LONGEST, _HANDLES)
        if len(handles) != _HANDLES:
            return False
        for handle in handles:
            os.set_inheritable(handle, False)
        self._look_at_plugins()
        pid = os.fork()
        if pid == 0:
            self._become_keeper(Path(os.fsdecode(said)), *handles)
        for handle in handles:
            os.close(handle)
        self._tell(pid)
        return True

    def _tell(self, pid: int) -> None:
        said = msgspec.json.encode(Begun(pid=pid))
        if sys.platform == "linux":
            # The child is not collected yet, so its number is its own.
            handle = os.pidfd_open(pid)
            socket.send_fds(self._line, [said], [handle])
            os.close(handle)
        else:
            self._line.sendall(said)

    def _become_keeper(self, folder: Path, permit: int, news: int, log: int) -> None:
        """In the child: leave everything of the nursery behind, and be a keeper to the end of the process."""
        status = 1
        try:
            self._leave()
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
            os.chdir(folder.parent)
            from bottool_runner.keeper import keep

            status = keep(folder, permit, news, self._census.plugins)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            # Not the nursery's way out of the interpreter; plugins may have left threads.
            os._exit(status)

    def _leave(self) -> None:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._line.close()
        for handle in (self._dead, self._died, self._answer):
            if handle is not None:
                os.close(handle)

    # The census.

    def _look_at_plugins(self) -> None:
        """Begin a census when what is installed may have changed: an installer touches a folder on the path."""
        stamp = [(path, _changed_at(path)) for path in sys.path]
        if stamp == self._stamp:
            return
        self._stamp, self._census, self._heard = stamp, Census(), b""
        if self._answer is not None:
            os.close(self._answer)
        self._answer, writer = os.pipe()
        if os.fork() == 0:
            self._take_census(writer)
        os.close(writer)

    def _take_census(self, writer: int) -> None:
        """In a child: plugins are strangers' code."""
        try:
            self._leave()
            signal.alarm(_CENSUS_SECONDS)
            os.write(writer, msgspec.json.encode(census()))
        finally:
            os._exit(0)

    def _hear_census(self) -> None:
        assert self._answer is not None
        piece = os.read(self._answer, _LONGEST)
        self._heard += piece
        if not piece:
            os.close(self._answer)
            self._answer = None
            with contextlib.suppress(msgspec.MsgspecError):
                self._census = msgspec.json.decode(self._heard, type=Census)


def census() -> Census:
    """Load every plugin and see what it brings."""
    plugins = Plugins.load()
    values = {found.name: (found.name, found.value) for found in entry_points(group=GROUP)}
    return Census(
        languages={
            literal.upper(): values[plugins.owner(language.name)]
            for language in plugins.languages.values()
            for literal in language.technologies
        },
        watchers=tuple(values[name] for name in plugins.at_runs),
    )


def _changed_at(path: str) -> int:
    try:
        return os.stat(path or os.curdir).st_mtime_ns
    except OSError:
        return 0


def _collect() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    # Under its own name, not as "__main__": the keeper's module knows the census by it.
    from bottool_runner import nursery

    sys.exit(nursery.main())
