"""Watches a running bot against its limits, without costing more than a small part of one core.

How often something is measured follows from what measuring it took: a tree of three processes is looked at four times
a second where a limit asks for it, one of five hundred more rarely. Decides nothing: says which limit was reached.
"""

import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bottool.model import Limits, Reason, Usage
from bottool.process import ProcessTree
from bottool.quantities import about, duration_text, size_text

SAMPLE_SECONDS = 1.0
CLOSE_SAMPLE_SECONDS = 0.25
"""Where memory or processes are limited: what grows without end grows fast."""
LONGEST_SAMPLE_SECONDS = 15.0
_SHARE = 0.005
_FOLDER_SHARE = 0.002
"""Of one core: for samples of processes, and for counting the folder."""
_URGENT = 1.1
"""So many times its limit: from there on a bot is given no more time to end, because the machine might not have it."""
_FOLDER_SECONDS = 5.0
_ENTRIES_AT_ONCE = 100
_BLOCK_BYTES = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """``urgent``: so far above the limit that nothing should be waited for."""

    reason: Reason
    message: str
    urgent: bool = False


class Heard:
    """Hands a bot's output on, and knows how much there was and when the last came. ``clock`` never jumps."""

    def __init__(self, output: Callable[[int, bytes], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._clock = clock
        self.size_bytes = 0
        self.last_at = clock()

    def __call__(self, stream: int, data: bytes) -> None:
        self.size_bytes += len(data)
        self.last_at = self._clock()
        self._output(stream, data)


class Pace:
    """When to measure again, so that measuring takes at most ``share`` of a core."""

    def __init__(
        self, least_seconds: float, most_seconds: float = LONGEST_SAMPLE_SECONDS, share: float = _SHARE
    ) -> None:
        self._least, self._most, self._share = least_seconds, most_seconds, share
        self.due_at = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        began = time.thread_time()
        yield
        cost = time.thread_time() - began
        self.due_at = time.monotonic() + min(max(cost / self._share, self._least), self._most)

    def is_due(self) -> bool:
        return time.monotonic() >= self.due_at


class FolderMeter:
    """What a folder takes up on the disk, counted a few entries at a time; what is linked to is not counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pace = Pace(0.0, share=_FOLDER_SHARE)
        self._walk = _sizes(folder)
        self._again_at = 0.0
        self.size_bytes = 0
        """Of the last whole count, or of the one that goes on where that is more already."""

    def go_on(self) -> None:
        """Count some more entries if it is time to. After a whole count there is a pause."""
        if not self._pace.is_due() or time.monotonic() < self._again_at:
            return
        with self._pace.measured():
            step = next(self._walk, None)
        if step is None:
            self._walk = _sizes(self._folder)
            self._again_at = time.monotonic() + _FOLDER_SECONDS
        else:
            so_far, is_whole = step
            self.size_bytes = so_far if is_whole else max(self.size_bytes, so_far)


def _sizes(folder: Path) -> Iterator[tuple[int, bool]]:
    """The bytes that were counted so far, after every few entries; ``True`` with the last."""
    total, entries, folders = 0, 0, [str(folder)]
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                for entry in found:
                    total += _size(entry, folders)
                    entries += 1
                    if entries % _ENTRIES_AT_ONCE == 0:
                        yield total, False
        except OSError:
            continue  # It was removed meanwhile, or the bot shut us out of it.
    yield total, True


def _size(entry: "os.DirEntry[str]", folders: list[str]) -> int:
    try:
        known = entry.stat(follow_symlinks=False)
    except OSError:
        return 0
    if stat.S_ISDIR(known.st_mode):
        folders.append(entry.path)
    return known.st_size if sys.platform == "win32" else known.st_blocks * _BLOCK_BYTES


@dataclass(slots=True, kw_only=True)
class Guard:
    """One running bot and its limits. ``look`` is called about ten times a second, from one thread."""

    tree: ProcessTree
    limits: Limits
    folder: Path
    heard: Heard
    usage: Callable[[Usage], None]
    began: float = field(default_factory=time.monotonic)
    peak: Usage = field(init=False)
    """The highest of each figure so far."""
    _pace: Pace = field(init=False)
    _exact: Pace = field(init=False)
    _meter: FolderMeter | None = field(init=False)
    _processes: Reached | None = field(init=False, default=None)
    _memory: Reached | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        is_close = self.limits.memory_bytes is not None or self.limits.processes is not None
        self._pace = Pace(CLOSE_SAMPLE_SECONDS if is_close else SAMPLE_SECONDS)
        self._exact = Pace(CLOSE_SAMPLE_SECONDS)
        self._meter = FolderMeter(self.folder) if self.limits.disk_bytes is not None else None
        with self._pace.measured():
            self.peak = self.tree.usage()

    @property
    def next_at(self) -> float:
        """When there is something to look at again, at the latest."""
        ends = [self._pace.due_at]
        if self.limits.timeout_seconds is not None:
            ends.append(self.began + self.limits.timeout_seconds)
        return min(ends)

    def look(self) -> Reached | None:
        """Measure what is to be measured by now, and say which limit is reached: first an urgent one."""
        if self._pace.is_due():
            self._sample()
        if self._meter is not None:
            self._meter.go_on()
        found = [each for each in (self._memory, self._processes, self._disk(), self._printed(), self._time()) if each]
        return max(found, key=lambda each: each.urgent, default=None)

    def _sample(self) -> None:
        with self._pace.measured():
            seen = self.tree.usage()
        self.peak = higher(self.peak, seen)
        self.usage(seen)
        self._processes = self._counted(seen.processes)
        if self.limits.memory_bytes is None or seen.memory_bytes <= self.limits.memory_bytes:
            self._memory = None
        elif self._exact.is_due():
            # Processes that share much, such as a browser's, hold less than the sum says.
            with self._exact.measured():
                self._memory = self._held(self.tree.memory_bytes(), self.limits.memory_bytes)

    def _held(self, held: int, limit: int) -> Reached | None:
        if held <= limit:
            return None
        said = f"out of memory: it used {about(held)}, more than its limit of {size_text(limit)},"
        return Reached(reason=Reason.OUT_OF_MEMORY, message=said, urgent=held > limit * _URGENT)

    def _counted(self, processes: int) -> Reached | None:
        limit = self.limits.processes
        if limit is None or processes <= limit:
            return None
        said = f"had {processes} processes, more than its limit of {limit},"
        return Reached(reason=Reason.TOO_MANY_PROCESSES, message=said, urgent=processes > limit * _URGENT)

    def _disk(self) -> Reached | None:
        limit = self.limits.disk_bytes
        if limit is None or self._meter is None or self._meter.size_bytes <= limit:
            return None
        size = self._meter.size_bytes
        said = f"filled its working folder with {about(size)}, more than its limit of {size_text(limit)},"
        return Reached(reason=Reason.TOO_MUCH_DISK, message=said, urgent=size > limit * _URGENT)

    def _printed(self) -> Reached | None:
        # Never urgent: what is printed beyond what is kept is thrown away.
        limit, size = self.limits.output_bytes, self.heard.size_bytes
        if limit is None or size <= limit:
            return None
        said = f"printed {about(size)}, more than its limit of {size_text(limit)},"
        return Reached(reason=Reason.TOO_MUCH_OUTPUT, message=said)

    def _time(self) -> Reached | None:
        now = time.monotonic()
        timeout, silence = self.limits.timeout_seconds, self.limits.silence_seconds
        if timeout is not None and now >= self.began + timeout:
            return Reached(reason=Reason.TIMED_OUT, message=f"ran longer than its limit of {_seconds(timeout)}")
        if silence is not None and now >= max(self.began, self.heard.last_at) + silence:
            return Reached(reason=Reason.SILENT, message=f"printed nothing for {_seconds(silence)}")
        return None


def _seconds(value: float) -> str:
    return duration_text(int(value)) if value == int(value) else f"{value:g} seconds"


def higher(one: Usage, other: Usage) -> Usage:
    """The higher of each figure."""
    return Usage(
        cpu_seconds=max(one.cpu_seconds, other.cpu_seconds),
        memory_bytes=max(one.memory_bytes, other.memory_bytes),
        processes=max(one.processes, other.processes),
        open_files=max(one.open_files, other.open_files),
    )
