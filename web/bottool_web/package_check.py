"""Judging an uploaded package, in a child process with little memory and time: what it holds is not to be trusted.

``check_package`` is for the server; the module itself, run with ``-m``, is the child. Nothing is unpacked or run.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bottool.errors import ArchiveError, Unavailable

TIME_SECONDS = 60
CPU_SECONDS = 30
MEMORY_BYTES = 1024 * 1024 * 1024
UNPACKED_BYTES = 1024**3
UNPACKED_TIMES = 5
"""What an upload may unpack to: so much, or so many times what a site takes of one, where that is more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """``kind`` as of ``bottool.archive``; ``notes`` are what a person should know of an archive that is taken."""

    kind: str
    notes: tuple[str, ...]


def check_package(path: Path, file_name: str, *, unpacked_bytes: int = UNPACKED_BYTES) -> Findings:
    """:raises ArchiveError: naming what is wrong, with a stable ``reason``."""
    found = check_package_within(TIME_SECONDS, path, file_name, unpacked_bytes=unpacked_bytes)
    if found is None:
        raise ArchiveError("the archive takes too long to read", "pack fewer files", reason="too_slow")
    return found


def check_package_within(
    seconds: float, path: Path, file_name: str, *, unpacked_bytes: int = UNPACKED_BYTES
) -> Findings | None:
    """As ``check_package``, but ``None`` when it takes longer than ``seconds``."""
    try:
        child = subprocess.run(
            # -P: the folder that the server happens to be in has no say in what is imported.
            [sys.executable, "-P", "-m", "bottool_web.package_check", str(path), file_name, str(unpacked_bytes)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=max(seconds, 0),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    try:
        said = json.loads(child.stdout)
    except ValueError as error:
        raise _broken(child.returncode) from error
    if "reason" in said:
        raise ArchiveError(said["message"], said["hint"], reason=said["reason"])
    return Findings(kind=said["kind"], notes=tuple(said["notes"]))


def _broken(exit_code: int) -> ArchiveError | Unavailable:
    # Ended by its limits: a death by signal, or no memory left to say so.
    if exit_code != 0:
        return ArchiveError("the archive takes too much memory or time to read", "pack fewer files", reason="too_big")
    return Unavailable("the archive could not be checked", "try again")


def limit_this_process(file_bytes: int | None = None) -> None:
    """Little memory and processor time for the process that calls this, and no file longer than ``file_bytes``."""
    if sys.platform == "win32":
        return  # there only the time limit above holds
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))


def _judge(path: Path, file_name: str, unpacked_bytes: int) -> dict[str, Any]:
    from bottool.archive_check import check
    from bottool.members import Limits

    try:
        listing = check(path, Limits(unpacked_bytes=unpacked_bytes), name=file_name)
    except ArchiveError as error:
        return {"message": error.message, "hint": error.hint, "reason": error.reason}
    return {"kind": listing.kind, "notes": list(listing.notes)}


if __name__ == "__main__":
    limit_this_process()
    print(json.dumps(_judge(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
