"""The nursery: one warm process of a single thread that forks keepers, where the system can fork.

A keeper that is forked begins in about a millisecond; one with a Python of its own needs eighty or more. The nursery
imports core and nothing else: a keeper loads its plugin after the fork, so one that hangs or crashes still costs one
task. What it must know of the plugins, a child of its own finds out and tells (``Census``).

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
import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import msgspec

from bottool.plugins import GROUP, Plugins
from bottool_runner.warm import Begun

_KNOWN = (
    *("bottool_runner.keeper", "bottool.environments", "bottool.run"),
    # Core's libraries, and Python's, that languages are likely to want.
    *("packaging.requirements", "packaging.tags", "packaging.utils", "tomllib", "sysconfig", "email.parser"),
    "encodings.ascii",
)
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
    """Have in memory what keepers import, and keep the collector from touching (and so copying) it."""
    for name in _KNOWN:
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
            if self._answer is not None and self._answer in ready:
                self._hear_census(self._answer)
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
        except BaseException:  # noqa: BLE001 - what it is, the keeper's log says; the nursery's code ends here
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

    def _hear_census(self, answer: int) -> None:
        piece = os.read(answer, _LONGEST)
        self._heard += piece
        if not piece:
            os.close(answer)
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
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def _collect() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit(main())
