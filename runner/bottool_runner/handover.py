"""Starts a keeper and hands it the permit, through a pipe that only the two of them hold.

The pipe is the keeper's standard input: when the runner dies it ends, and a keeper that has no permit by then ends too.
A keeper is started with the runner's variables but for its secrets. Knows no server and decides nothing.
"""

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import IO

import msgspec

from bottool.settings import base_variables
from bottool_runner.system import detached_options

_KEPT = frozenset({"BOTTOOL_CACHE", "BOTTOOL_CONFIG", "BOTTOOL_DATA", "BOTTOOL_DISABLE_PLUGINS"})


class HandedPermit(msgspec.Struct, kw_only=True, frozen=True):
    """The one line in the pipe."""

    server: str
    workspace: str
    token: str

    def __repr__(self) -> str:
        return f"HandedPermit(server={self.server!r})"


class KeeperProcess:
    """A keeper that this runner process started. It outlives the runner."""

    def __init__(self, folder: Path) -> None:
        with (folder / "keeper.log").open("ab") as log:
            self._process = subprocess.Popen(
                # -P: the folder that the runner happens to be in has no say in what is imported.
                [sys.executable, "-P", "-m", "bottool_runner.keeper", str(folder)],
                cwd=folder.parent,
                env=_variables(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                **detached_options(),
            )

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def hand_over(self, permit: HandedPermit) -> None:
        """Write the permit. A keeper that has ended meanwhile shows by its folder."""
        with contextlib.suppress(OSError):
            self._pipe.write(msgspec.json.encode(permit) + b"\n")
        self.let_go()

    def let_go(self) -> None:
        """Close the pipe. A keeper without a permit ends then."""
        with contextlib.suppress(OSError):
            self._pipe.close()

    def kill(self) -> None:
        self._process.kill()

    def collect(self, seconds: float) -> bool:
        """Wait for its end; ``False`` when it still lives after that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def forget(self) -> None:
        """Leave it to itself: it lives on when this process ends, and that is no mistake to warn about."""
        self.let_go()
        if self._process.poll() is None:
            self._process.returncode = 0

    @property
    def _pipe(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise ValueError("a keeper is started with a pipe")
        return self._process.stdin


def lasting_variables() -> dict[str, str]:
    """Which of this process's variables say where things lie; none of them is secret."""
    return {name: value for name, value in sorted(base_variables().items()) if name.upper() in _KEPT}


def _variables() -> dict[str, str]:
    """The runner's variables without its logins, keys and tokens."""
    return {
        name: value
        for name, value in base_variables().items()
        if not name.upper().startswith("BOTTOOL_") or name.upper() in _KEPT
    }
