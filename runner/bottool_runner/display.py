"""The machine's one display: is there one to be used, and who has it.

Two bots that move one mouse spoil each other's work, so whoever works on the display holds a lock that counts for the
whole machine: for every runner and every home of it. The system lets go of it when its holder dies, however it dies.
"""

import os
import re
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bottool.settings import base_variables
from bottool_runner.system import FileLock

_WAIT_SECONDS = 3600.0
_LOCAL = re.compile(r"(?:unix)?:(\d+)(?:\.\d+)?")


def has_display(variables: dict[str, str] | None = None) -> bool:
    """Could a bot show a window now? A look, not a promise.

    On Linux: somebody listens where ``DISPLAY`` says. On Windows: the runner does not work in the session of services.
    On macOS it is taken for granted.
    """
    if sys.platform == "win32":
        return _is_in_a_session()
    if sys.platform == "darwin":
        return True
    said = (base_variables() if variables is None else variables).get("DISPLAY", "")
    local = _LOCAL.fullmatch(said)
    # A display of another machine is a matter of its owner: it is believed.
    return _listens(int(local[1])) if local else bool(said)


def display_lock(folder: Path | None = None) -> FileLock:
    """The lock of this machine's display, not taken yet. ``folder`` is for tests."""
    return FileLock((folder or _everybodys_folder()) / f"bottool-display-{_user()}.lock")


def take_display(lock: FileLock, note: Callable[[str], None]) -> None:
    """Wait until nobody else works on the display; ``note`` is told when that takes a while."""
    if lock.acquire():
        return
    note("waits until another bot has left the display")
    while not lock.acquire(_WAIT_SECONDS):
        pass


def _listens(number: int) -> bool:
    # The second address is the same in Linux's abstract space, where most servers listen as well.
    for address in (f"/tmp/.X11-unix/X{number}", f"\0/tmp/.X11-unix/X{number}"):  # noqa: S108 - X11 says where
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(2.0)
            try:
                asking.connect(address)
            except OSError:
                continue
            return True
    return False


if sys.platform == "win32":
    import ctypes

    def _is_in_a_session() -> bool:
        session = ctypes.c_ulong()
        known = ctypes.windll.kernel32.ProcessIdToSessionId(os.getpid(), ctypes.byref(session))
        return bool(known) and session.value != 0

else:

    def _is_in_a_session() -> bool:
        return False


def _everybodys_folder() -> Path:
    """A folder that does not depend on a runner's own variables."""
    if sys.platform == "win32":
        return Path(tempfile.gettempdir())
    return Path("/tmp")  # noqa: S108 - the lock's name has its user in it, and only the lock on it counts


def _user() -> str:
    return str(os.getuid()) if sys.platform != "win32" else os.getlogin()
