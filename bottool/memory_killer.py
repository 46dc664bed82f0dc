"""Whether the system's memory killer was at work on a process tree: told by the counters of its control group.

Needs no privilege and reads no system log. Only Linux tells; elsewhere nothing is ever counted.
"""

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_COUNTERS = {"": (_ROOT, "memory.events"), "memory": (_ROOT / "memory", "memory.oom_control")}
"""By what ``/proc/PID/cgroup`` calls the controller: version 2 gives none a name. Source: cgroups(7)."""


@dataclass(frozen=True, slots=True)
class MemoryKiller:
    """Made while the process lives; asked at its end, whether or not the process still does."""

    _files: tuple[Path, ...]
    _before: int

    @classmethod
    def beside(cls, pid: int, proc: Path = Path("/proc")) -> "MemoryKiller":
        """Look at the control group of a process that has just been started."""
        files = tuple(_counter_files(proc / str(pid) / "cgroup")) if sys.platform == "linux" else ()
        return cls(files, _count(files))

    def has_killed(self) -> bool:
        """True when a process of the group was killed for want of memory since then."""
        return _count(self._files) > self._before


def _counter_files(memberships: Path) -> list[Path]:
    found = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in memberships.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            for controller in controllers.split(","):
                root, name = _COUNTERS.get(controller, (None, ""))
                file = root and _nearest(root / path.lstrip("/"), root, name)
                if file:
                    found.append(file)
    return found


def _nearest(folder: Path, root: Path, name: str) -> Path | None:
    """In a container the path may begin outside of what is mounted: then the mounted root is the group."""
    return next((file for file in (folder / name, root / name) if file.is_file()), None)


def _count(files: tuple[Path, ...]) -> int:
    total = 0
    for file in files:
        with contextlib.suppress(OSError, ValueError):
            words = dict(line.split(None, 1) for line in file.read_text(encoding="ascii").splitlines() if " " in line)
            total += int(words.get("oom_kill", 0))
    return total
