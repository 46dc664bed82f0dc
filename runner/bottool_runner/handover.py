"""One keeper as its runner holds it: a pipe for the permit, a pipe for news, and whether it still lives.

Only the two of them hold the pipes. The **permit**'s ends when the runner dies, and a keeper that has no permit by then
ends too. Through the **news** the keeper says "look at the folder", a byte each time; it ends with the keeper. How a
keeper begins is a function: ``cold`` here, warm in ``nursery``. Knows no server and decides nothing.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bottool.platform_process import doze_until_end
from bottool.settings import base_variables
from bottool_runner.system import start_detached

KEEPERS_LOG = "keeper.log"
"""There before the keeper is: a folder without it never had one."""
_LAST_STEPS_SECONDS = 1.0
_KEPT = frozenset({"BOTTOOL_CACHE", "BOTTOOL_CONFIG", "BOTTOOL_DATA", "BOTTOOL_DISABLE_PLUGINS"})


class HandedPermit(msgspec.Struct, kw_only=True, frozen=True):
    """The one line in the pipe."""

    server: str
    workspace: str
    token: str

    def __repr__(self) -> str:
        return f"HandedPermit(server={self.server!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """What a new keeper gets: handles of its ends of the pipes, and of the file for what it prints."""

    folder: Path
    permit: int
    news: int
    log: int


class Life(ABC):
    """A keeper's process, whoever its parent is."""

    @abstractmethod
    def wait(self, seconds: float) -> bool:
        """Wait for its end; ``False`` when it still lives after that time. From any thread."""

    @abstractmethod
    def kill(self) -> None: ...

    @abstractmethod
    def forget(self) -> None:
        """This process will not ask again."""


class KeeperProcess:
    """A keeper that this runner process started. It outlives the runner."""

    def __init__(self, folder: Path, begin: "Callable[[Ends], Life] | None" = None) -> None:
        permit, self._permit = os.pipe()
        self._news, news = os.pipe()
        try:
            with (folder / KEEPERS_LOG).open("ab") as log:
                self._life = (begin or cold)(Ends(folder=folder, permit=permit, news=news, log=log.fileno()))
        except BaseException:
            os.close(self._permit)
            os.close(self._news)
            raise
        finally:
            os.close(permit)
            os.close(news)
        self._holds_permit = True
        self._happened = threading.Event()
        threading.Thread(target=self._listen, name=f"news of {folder.name}", daemon=True).start()

    def has_ended(self) -> bool:
        return self._life.wait(0.0)

    def wait_for_news(self, seconds: float) -> None:
        """Return when the keeper has published something since the last call, has ended, or the time is up."""
        self._happened.wait(seconds)
        self._happened.clear()

    def wake(self) -> None:
        """Let whoever waits for news look around."""
        self._happened.set()

    def hand_over(self, permit: HandedPermit) -> None:
        """Write the permit. A keeper that has ended meanwhile shows by its folder."""
        with contextlib.suppress(OSError):
            os.write(self._permit, msgspec.json.encode(permit) + b"\n")
        self.let_go()

    def let_go(self) -> None:
        """Close the pipe. A keeper without a permit ends then."""
        if self._holds_permit:
            self._holds_permit = False
            os.close(self._permit)

    def kill(self) -> None:
        self._life.kill()

    def collect(self, seconds: float) -> bool:
        """Wait for its end; ``False`` when it still lives after that time."""
        return self._life.wait(seconds)

    def forget(self) -> None:
        """Leave it to itself: it lives on when this process ends, and that is no mistake to warn about."""
        self.let_go()
        self._life.forget()

    def _listen(self) -> None:
        while os.read(self._news, 4096):
            self._happened.set()
        os.close(self._news)
        self._life.wait(_LAST_STEPS_SECONDS)  # its pipes are closed a moment before it has ended
        self._happened.set()


class _Child(Life):
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    def wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self._process.poll() is None and (rest := deadline - time.monotonic()) > 0:
            doze_until_end(self._process, rest)
        return self._process.poll() is not None

    def kill(self) -> None:
        self._process.kill()

    def forget(self) -> None:
        if self._process.poll() is None:
            self._process.returncode = 0


def cold(ends: Ends) -> Life:
    """Start a keeper with a Python of its own, on every system."""
    # -P: the folder that the runner happens to be in has no say in what is imported.
    process = start_detached(
        [sys.executable, "-P", "-m", "bottool_runner.keeper", str(ends.folder)],
        cwd=ends.folder.parent,
        env=keepers_variables(),
        stdin=ends.permit,
        stdout=ends.news,
        stderr=ends.log,
    )
    return _Child(process)


def lasting_variables() -> dict[str, str]:
    """Which of this process's variables say where things lie; none of them is secret."""
    return {name: value for name, value in sorted(base_variables().items()) if name.upper() in _KEPT}


def keepers_variables() -> dict[str, str]:
    """The runner's variables without its logins, keys and tokens."""
    return {
        name: value
        for name, value in base_variables().items()
        if not name.upper().startswith("BOTTOOL_") or name.upper() in _KEPT
    }
