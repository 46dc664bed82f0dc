"""A control group of Linux for one bot, where this process may make one: it holds what got away from everything else.

Version 2 only, also beside version 1. Needs no privilege where the service manager delegated its group to this user; in
all other places it cannot be made, and is ``None``. It is the last of several ways to end a tree, so whatever fails
here fails without a word. Limits would be files in ``folder``, once the parent hands its controllers down.
"""

import contextlib
import sys
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

_OWN = Path("/proc/self/cgroup")
_MOUNTS = Path("/proc/self/mountinfo")
_PREFIX = "bottool-"
_REMOVE_SECONDS = 1.0


class Group:
    """Made by ``new``, or found again by its folder after its maker was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def take(self, members: Callable[[], Iterable[int]]) -> None:
        """Bring in all members of a tree that was just started; whoever is born to one that is here is here too."""
        seen: set[int] = set()
        while fresh := set(members()) - seen:
            seen |= fresh
            for pid in fresh:
                with contextlib.suppress(OSError):
                    (self.folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def pids(self) -> list[int]:
        """What lives here; nothing when the group is gone."""
        try:
            return [int(pid) for pid in (self.folder / "cgroup.procs").read_text(encoding="ascii").split()]
        except OSError:
            return []

    def kill(self) -> None:
        """End everything in one step: whatever is being forked meanwhile dies too. Needs Linux 5.14."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1", encoding="ascii")

    def remove(self) -> None:
        """The last process may need a moment to be gone."""
        deadline = time.monotonic() + _REMOVE_SECONDS
        while True:
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                if time.monotonic() > deadline:
                    return
                time.sleep(0.01)


def new() -> Group | None:
    """An empty group below this process's own; ``None`` where that may not be."""
    parent = _own() if sys.platform == "linux" else None
    if parent is None:
        return None
    folder = parent / f"{_PREFIX}{uuid.uuid4().hex}"
    try:
        folder.mkdir()
    except OSError:
        return None
    return Group(folder)


def found(text: str) -> Group | None:
    """The group that ``folder`` was written down of; ``None`` when it is none of ours, or gone."""
    folder = Path(text)
    return Group(folder) if folder.name.startswith(_PREFIX) and (folder / "cgroup.procs").exists() else None


def _own() -> Path | None:
    try:
        lines = _OWN.read_text().splitlines()
        mounts = [line.split() for line in _MOUNTS.read_text().splitlines()]
    except OSError:
        return None
    # "0::/path"; a mount is "… root mount-point options … - type …" (proc_pid_mountinfo(5)).
    path = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    tops = [(mount[3], Path(mount[4])) for mount in mounts if mount[mount.index("-") + 1] == "cgroup2"]
    if path is None or not tops:
        return None
    root, top = tops[0]
    inside = path.removeprefix(root) if root != "/" else path
    return None if inside.startswith("/..") else top / inside.lstrip("/")
