"""How much of the disk a runner may use, and when it has too little to take work.

Starts a round of ``upkeep`` when there is something to do, one at a time. Driven by the runner's loop; knows no server.
"""

import contextlib
import logging
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from bottool import cache_use
from bottool.cli.present import size
from bottool.working_folder import SPARES, WANTED
from bottool_runner.system import start_detached
from bottool_runner.upkeep import Done

log = logging.getLogger("bottool.runner")

MOST_LIMIT_BYTES = 50_000_000_000
LIMIT_PART = 4
"""The cache may have this part of the disk, and never more than that many bytes, unless somebody says otherwise."""
_LOOK_SECONDS = 2.0
_AFTER_ATTEMPT_SECONDS = 60.0
_QUIET_SECONDS = 600.0
_TIGHT_SECONDS = 10.0
"""Between two rounds: after an attempt, when nothing happens, and when the disk is nearly full."""


def usual_limit(cache: Path) -> int:
    there = next(each for each in (cache, *cache.parents) if each.exists())
    return min(MOST_LIMIT_BYTES, shutil.disk_usage(there).total // LIMIT_PART)


class Budget:
    """``tick`` is called about once a second."""

    def __init__(self, cache: Path, home: Path, *, limit_bytes: int | None, floor_bytes: int) -> None:
        self._cache = cache
        self._places = (cache, home)
        self._limit_bytes = usual_limit(cache) if limit_bytes is None else limit_bytes
        self._floor_bytes = floor_bytes
        self._lacking = ""
        self._looked_at: float | None = None
        self._round: subprocess.Popen[bytes] | None = None
        self._round_at: float | None = None
        self._attempt_ended = False

    @property
    def lacking(self) -> str:
        """Why no task can be taken, for people; ``""`` when there is room."""
        return self._lacking

    def attempt_ended(self) -> None:
        self._attempt_ended = True

    def tick(self) -> None:
        now = time.monotonic()
        if self._looked_at is None or now >= self._looked_at + _LOOK_SECONDS:
            self._looked_at = now
            self._look()
        if self._round is not None:
            self._end_round()
        elif self._is_time(now):
            self._begin_round(now)

    def close(self) -> None:
        """End a round that is under way: the next one does the rest."""
        if self._round is not None:
            self._round.kill()
            self._round.communicate()
            self._round = None

    def _look(self) -> None:
        found = [(cache_use.free(place), place) for place in self._places]
        free_bytes, place = min(found)
        before = self._lacking
        self._lacking = ""
        if free_bytes < self._floor_bytes:
            # Without the figure of this moment: the words shall not change with every file.
            self._lacking = (
                f"takes no task: less than {size(self._floor_bytes)} of the disk at '{place}' is free;"
                " make room there, or start it with a smaller --disk-floor"
            )
        if bool(before) != bool(self._lacking):
            log.warning("this machine %s", self._lacking or "has room on its disk again, and takes tasks")

    def _is_time(self, now: float) -> bool:
        if not self._cache.is_dir():
            return False
        since = None if self._round_at is None else now - self._round_at
        if since is None or since >= _QUIET_SECONDS or (self._cache / SPARES / WANTED).exists():
            return True
        return since >= (_TIGHT_SECONDS if self._lacking else _AFTER_ATTEMPT_SECONDS) and (
            bool(self._lacking) or self._attempt_ended
        )

    def _begin_round(self, now: float) -> None:
        self._round_at, self._attempt_ended = now, False
        # Twice the floor: removing a little each time would keep the runner at its edge.
        wanted = ["--limit", str(self._limit_bytes), "--free", str(2 * self._floor_bytes)]
        try:
            self._round = start_detached(
                [sys.executable, "-P", "-m", "bottool_runner.upkeep", str(self._cache), *wanted],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            log.warning("the cache cannot be looked after: %s", error)

    def _end_round(self) -> None:
        """Tell what the round did. It says little, and at its end, so its pipe is never full."""
        if self._round is None or self._round.poll() is None:
            return
        said, _ = self._round.communicate()
        self._round = None
        with contextlib.suppress(msgspec.MsgspecError):
            done = msgspec.json.decode(said, type=Done)
            for damaged in done.damaged:
                log.warning("the cache held a damaged thing, which is made anew when it is needed: %s", damaged)
            if done.removed:
                freed, names = size(done.freed_bytes), ", ".join(done.removed)
                log.info("the cache gave up what was not used for the longest time, %s: %s", freed, names)
