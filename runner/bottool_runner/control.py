"""What people on this machine wish of a runner, as a file in its home: the way from a command to the running process.

A file works the same on every system, needs no port, and a pause is still there after a restart. Whoever may write into
the home folder may say what the runner does; nobody else.
"""

from enum import StrEnum
from pathlib import Path

import msgspec

from bottool_runner.conf_bcf import stamp
from bottool_runner.system import put_file

_NAME = "control.json"
MOST_REASON = 200


class Wish(StrEnum):
    WORK = "work"
    PAUSE = "pause"
    """Take no new tasks until told otherwise, also after a restart."""
    DRAIN = "drain"
    """Take no new tasks, and end when those in hand have ended."""
    STOP = "stop"
    """End now; bots that run go on, and the next start takes care of them."""


class Control(msgspec.Struct, kw_only=True, frozen=True):
    wish: Wish = Wish.WORK
    reason: str = ""


def ask(home: Path, control: Control) -> None:
    """Write down what is wished; the runner sees it within a second, or at its next start.

    :raises OSError: when the home is not there, or belongs to somebody else.
    """
    put_file(home / _NAME, msgspec.json.encode(control))


def asked(home: Path) -> Control:
    """What was wished last; to work, when nothing sensible was."""
    try:
        return msgspec.json.decode((home / _NAME).read_bytes(), type=Control)
    except (OSError, msgspec.MsgspecError):
        return Control()


class Listener:
    """The runner's end. Drains and stops of the process before this one are over; a pause is not."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen = (0, 0)
        self.now = asked(home)
        if self.now.wish in {Wish.DRAIN, Wish.STOP}:
            self.now = Control()
            ask(home, self.now)

    def heard(self) -> Control | None:
        """The new wish, when there is another one than before."""
        seen = stamp(self._home / _NAME)
        if seen == self._seen:
            return None
        self._seen = seen
        before, self.now = self.now, asked(self._home)
        return self.now if self.now != before else None
