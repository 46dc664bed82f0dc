"""What a keeper notes of a bot beside its outcome: a usage series, the process tree at the end, a last picture.

All of it lies in the attempt's folder, where the runner finds it. What cannot be seen is noted and does no harm.
"""

import contextlib
import re
import sys
import time
from dataclasses import dataclass, field

import msgspec
import psutil

from bottool import wire
from bottool.model import Usage
from bottool.process import ProcessTree
from bottool_runner.journal import AttemptFolder
from bottool_runner.screens import BotScreen

USAGE, PROCESSES, PICTURE = "series.json", "processes.json", "screenshot.png"
MOST_PROCESSES = 200
LONGEST_COMMAND = 500
_TREE_SECONDS = 10.0
_FILES_SECONDS = 5.0
_HIDDEN = "***"
_SECRET = re.compile(
    r"""((?:passw|pwd|secret|token|api-?_?key|credential)[\w-]*)(=|:|\s+)("[^"]*"|'[^']*'|\S+)""",
    re.IGNORECASE,
)
"""A name that sounds like a secret's, and the value behind it."""


class Tree(msgspec.Struct, kw_only=True, frozen=True):
    """``processes.json``: the processes ``at`` so many seconds from the bot's start."""

    at: float
    processes: list[wire.SeenProcess]
    notes: list[str] = []


class Series:
    """A usage series of at most ``MOST_POINTS``: when it is full, every second point goes and it becomes coarser."""

    def __init__(self) -> None:
        self.points: list[wire.UsagePoint] = []
        self._every = 1
        self._seen = 0
        self._before = (0.0, 0.0)

    def add(self, at: float, usage: Usage, open_files: int) -> None:
        """Note what the tree uses ``at`` seconds from its start."""
        self._seen += 1
        if self._seen % self._every:
            return
        (before_at, before_cpu), self._before = self._before, (at, usage.cpu_seconds)
        busy = (usage.cpu_seconds - before_cpu) / (at - before_at) if at > before_at else 0.0
        self.points.append(
            wire.UsagePoint(
                at=round(at, 1),
                cpu_percent=round(max(0.0, busy) * 100, 1),
                memory_bytes=usage.memory_bytes,
                processes=usage.processes,
                open_files=open_files,
            )
        )
        if len(self.points) >= wire.MOST_POINTS:
            self.points = [_merged(one, other) for one, other in zip(self.points[::2], self.points[1::2], strict=True)]
            self._every *= 2


def _merged(one: wire.UsagePoint, other: wire.UsagePoint) -> wire.UsagePoint:
    """One point for two: peaks stay, and the share of a core is that of both."""
    return wire.UsagePoint(
        at=other.at,
        cpu_percent=round((one.cpu_percent + other.cpu_percent) / 2, 1),
        memory_bytes=max(one.memory_bytes, other.memory_bytes),
        processes=max(one.processes, other.processes),
        open_files=max(one.open_files, other.open_files),
    )


@dataclass(slots=True)
class Recorder:
    """Notes of one bot, from its start to its end. Used from the thread that watches the bot."""

    folder: AttemptFolder
    screen: BotScreen
    secret: str = field(default="", repr=False)
    """What no command line may show: the bot's token."""
    _tree: ProcessTree | None = None
    _began: float = 0.0
    _series: Series = field(default_factory=Series)
    _files: int = 0
    _files_at: float = 0.0
    _tree_at: float = 0.0

    def begin(self, tree: ProcessTree) -> None:
        self._tree, self._began = tree, time.monotonic()

    def sample(self, usage: Usage) -> None:
        """What the tree uses now; once in a while also which processes and how many open files it has.

        :raises OSError: when nothing can be written.
        """
        if self._tree is None:
            return
        at = time.monotonic() - self._began
        if at >= self._files_at:
            self._files, self._files_at = _open_files(self._tree.members()), at + _FILES_SECONDS
        self._series.add(at, usage, self._files)
        self.folder.show(USAGE, self._series.points)
        if at >= self._tree_at:
            self._tree_at = at + _TREE_SECONDS
            self._show_tree(at, [])

    def ending(self) -> None:
        """The bot has ended or will be stopped now: what there is of it can be seen for the last time.

        :raises OSError: when nothing can be written.
        """
        if self._tree is None:
            return
        at, notes = time.monotonic() - self._began, []
        if self.screen.need.kind != "none" and (fault := self.screen.picture(self.folder.path / PICTURE)):
            notes.append(f"no screenshot: {fault}")
        # A tree that has gone already was seen before, be it some seconds ago.
        before = self.folder.read(PROCESSES, Tree)
        if self._tree.members() or before is None:
            self._show_tree(at, notes)
        elif notes:
            self.folder.show(PROCESSES, msgspec.structs.replace(before, notes=notes))

    def _show_tree(self, at: float, notes: list[str]) -> None:
        members = self._tree.members() if self._tree else []
        seen = [found for each in members[:MOST_PROCESSES] if (found := self._seen(each)) is not None]
        if len(members) > MOST_PROCESSES:
            notes = [*notes, f"{len(members)} processes in all; {MOST_PROCESSES} are shown"]
        self.folder.show(PROCESSES, Tree(at=round(at, 1), processes=seen, notes=notes))

    def _seen(self, process: psutil.Process) -> wire.SeenProcess | None:
        with contextlib.suppress(psutil.Error, OSError), process.oneshot():
            times = process.cpu_times()
            return wire.SeenProcess(
                pid=process.pid,
                parent=process.ppid(),
                name=process.name(),
                command=without_secrets(process.cmdline(), self.secret),
                status=str(process.status()),
                memory_bytes=process.memory_info().rss,
                cpu_seconds=round(times.user + times.system, 2),
            )
        return None


def without_secrets(arguments: list[str], secret: str) -> str:
    """A command line for people: without ``secret``, and without the value of what is named like one."""
    line = " ".join(arguments)
    if secret:
        line = line.replace(secret, _HIDDEN)
    # Cut before the search, which takes its time over long lines, and again behind what it may have made longer.
    return _SECRET.sub(rf"\1\2{_HIDDEN}", line[:LONGEST_COMMAND])[:LONGEST_COMMAND]


def gathered(folder: AttemptFolder) -> wire.AttemptEvidence | None:
    """What a keeper has noted so far; ``None`` when that is nothing."""
    points = folder.read(USAGE, list[wire.UsagePoint]) or []
    tree = folder.read(PROCESSES, Tree)
    if not points and tree is None:
        return None
    return wire.AttemptEvidence(
        usage=points,
        processes=tree.processes if tree else [],
        processes_at=tree.at if tree else 0.0,
        notes=tree.notes if tree else [],
    )


def _open_files(processes: list[psutil.Process]) -> int:
    count = 0
    for each in processes:
        with contextlib.suppress(psutil.Error, OSError):
            if sys.platform == "win32":
                count += each.num_handles()
            else:
                count += each.num_fds()
    return count
