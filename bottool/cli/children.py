"""bottool's own programs as children of a command; whatever happens, they end before the command does."""

import contextlib
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import psutil

from bottool.errors import BottoolError, LaunchError, ServerError, WaitTimeout
from bottool.process import ProcessTree, start

START_SECONDS = 60.0
GRACE_SECONDS = 10.0
_SHOWN_LINES = 15


class Child:
    """One running program of ours; what it prints goes to ``log``."""

    def __init__(self, name: str, arguments: tuple[str, ...], folder: Path, variables: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._file = self.log.open("ab")
        self._said_before_bytes = self._file.tell()
        program = [sys.executable, "-P", "-m", "bottool", *arguments]
        try:
            self.tree: ProcessTree = start(program, folder=folder, variables=variables, output=self._write)
        except BaseException:
            self._file.close()
            raise

    def _write(self, _stream: int, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()

    def last_lines(self) -> str:
        """Of this start; the log keeps those of earlier ones too."""
        text = self.log.read_bytes()[self._said_before_bytes :].decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-_SHOWN_LINES:])

    def stop(self) -> None:
        self.tree.stop(GRACE_SECONDS)
        self.tree.close(1.0)
        self._file.close()


class Children:
    """Starts children and stops them all at the end, the newest first."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self._folder = folder
        self._variables = variables
        self._started: list[Child] = []

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, *arguments: str) -> Child:
        child = Child(name, arguments, self._folder, self._variables)
        self._started.append(child)
        return child

    def finish(self, name: str, *arguments: str) -> None:
        """Run one to its end.

        :raises BottoolError: when it fails; the message is its last lines.
        """
        child = self.start(name, *arguments)
        code = child.tree.wait(START_SECONDS)
        child.tree.close(1.0)
        if code is None:
            raise WaitTimeout(f"'bottool {name}' did not end in {START_SECONDS:.0f} s", f"its log: {child.log}")
        if code != 0:
            raise BottoolError(f"'bottool {name}' failed: {child.last_lines()}")
        child.stop()
        self._started.remove(child)

    def refuse_dead(self) -> None:
        """:raises LaunchError: when a child has ended by itself; the message says what it said."""
        for child in self._started:
            code = child.tree.poll()
            if code is not None:
                raise LaunchError(f"the {child.name} ended with status {code}: {child.last_lines()}")

    def stop(self) -> None:
        while self._started:
            self._started.pop().stop()


def wait_until_ready(server: str, children: Children) -> None:
    """Wait for the server's first answer.

    :raises LaunchError: when a child dies meanwhile.
    :raises WaitTimeout: when it takes longer than ``START_SECONDS``.
    """
    from bottool.client import Client
    from bottool.wire import Status

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        children.refuse_dead()
        if is_taken(server):
            with contextlib.suppress(ServerError):
                if Client(server).get("/rest/v1/status", type=Status).ready:
                    return
        time.sleep(0.05)
    raise WaitTimeout(f"the server at {server} was not ready after {START_SECONDS:.0f} s")


def is_taken(server: str) -> bool:
    """True when somebody listens at that address."""
    host, _, port = server.rpartition("/")[2].partition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
        return True
    return False


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def ending_on_signals() -> Iterator[None]:
    """Within, SIGTERM and a closed terminal end the command as Ctrl-C does, so that everything is put away."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else [])]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_descendants() -> None:
    """End whatever this process still has started, such as the tool of a build that is no longer wanted."""
    found = psutil.Process().children(recursive=True)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=3)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=3)


def wait_for_end(children: Children) -> None:
    """Stay until Ctrl-C.

    :raises LaunchError: when a child ends by itself.
    """
    while True:
        children.refuse_dead()
        time.sleep(0.5)
