"""What a runner tells people on its machine of itself: ``status.json`` in its home, for ``status`` and the window.

Written whole whenever something changed, and every few seconds, by the runner alone. It outlives the runner, so a
reader asks the home's lock whether one works there. A full disk costs people the news and the runner nothing.
"""

import time
from collections import deque
from pathlib import Path
from typing import Literal

import msgspec

from bottool_runner.home import is_kept, is_worked_in

_NAME = "status.json"
_REPEAT_SECONDS = 5.0
_RECENT = 20

Mode = Literal["working", "paused", "draining", "ended"]


class InHand(msgspec.Struct, kw_only=True, frozen=True):
    """An attempt that the runner has now. ``since`` is seconds since 1970, as all times here."""

    task_id: int
    attempt: int
    automation: str = ""
    bot_id: str = ""
    version: str = ""
    state: str = ""
    since: float = 0.0


class Past(msgspec.Struct, kw_only=True, frozen=True):
    """An attempt whose end was seen. ``how`` is for people: ``exited with status 0``."""

    task_id: int
    attempt: int
    automation: str = ""
    bot_id: str = ""
    version: str = ""
    how: str = ""
    went_well: bool = False
    ended_at: float = 0.0


class Status(msgspec.Struct, kw_only=True, frozen=True):
    """``connection`` says why there is no contact. ``mode`` is what the runner does, ``reason`` why.

    ``unready``: why it takes no task although it works.
    """

    pid: int = 0
    machine_id: str = ""
    server: str = ""
    workspace: str = ""
    version: str = ""
    started_at: float = 0.0
    updated_at: float = 0.0
    mode: Mode = "ended"
    reason: str = ""
    unready: str = ""
    connected: bool = False
    connection: str = ""
    slots: int = 1
    languages: list[str] = []
    display: bool = False
    tags: list[str] = []
    conf: str = ""
    in_hand: list[InHand] = []
    recent: list[Past] = []


def read(home: Path) -> Status:
    """As the runner last wrote it; ``ended`` when none works there, with the bots that go on under their keepers."""
    try:
        said = msgspec.json.decode((home / _NAME).read_bytes(), type=Status)
    except (OSError, msgspec.MsgspecError):
        said = Status()
    if is_worked_in(home):
        return said
    living = [each for each in said.in_hand if is_kept(home, each.task_id, each.attempt)]
    return msgspec.structs.replace(said, mode="ended", connected=False, unready="", in_hand=living, pid=0)


class Board:
    """The runner's end."""

    def __init__(self, home: Path) -> None:
        self._path = home / _NAME
        self._last = Status()
        self._written_at = 0.0
        self._recent: deque[Past] = deque(read(home).recent, maxlen=_RECENT)

    def add(self, past: Past) -> None:
        """Newest first."""
        self._recent.appendleft(past)

    def show(self, status: Status) -> None:
        """Write it, if it says something new or the last word is old."""
        status = msgspec.structs.replace(status, recent=list(self._recent))
        now = time.monotonic()
        if status == self._last and now < self._written_at + _REPEAT_SECONDS:
            return
        self._last, self._written_at = status, now
        fresh = self._path.with_name(f".{_NAME}")
        try:
            fresh.write_bytes(msgspec.json.encode(msgspec.structs.replace(status, updated_at=time.time())))
            fresh.replace(self._path)
        except OSError:
            # On Windows a reader may have it open at this moment; the next word is a second away.
            self._written_at = 0.0
