"""Looks at the screen: ``python -m bottool_runner.screenshot FILE`` writes it as PNG, ``--size`` prints its size.

A process of its own, because a screen that hangs, or a library that crashes over it, must cost nothing but this look.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

LOOK_SECONDS = 10.0
_SIZE = "--size"


def main(arguments: list[str]) -> int:
    import mss
    import mss.tools

    with mss.MSS() as screen:
        whole = screen.monitors[0]
        if arguments == [_SIZE]:
            print(whole["width"], whole["height"])
            return 0
        seen = screen.grab(whole)
    # Whole or not at all: who finds the file sends it.
    target = Path(arguments[0])
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".screenshot-")
    os.close(handle)
    try:
        mss.tools.to_png(seen.rgb, seen.size, output=name)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return 0


def take(target: Path, variables: Mapping[str, str]) -> str:
    """Write what the screen of ``variables`` shows to ``target``; why it could not be seen, or ``""``."""
    return _look([str(target)], variables)[1]


def size(variables: Mapping[str, str]) -> tuple[int, int, str]:
    """Width and height of the screen, and why they are not known, or ``""``."""
    said, fault = _look([_SIZE], variables)
    with contextlib.suppress(ValueError):
        width, height = map(int, said.split())
        return width, height, ""
    return 0, 0, fault or "it does not tell its size"


def _look(arguments: list[str], variables: Mapping[str, str]) -> tuple[str, str]:
    command = [sys.executable, "-P", "-m", "bottool_runner.screenshot", *arguments]
    try:
        ran = subprocess.run(
            command,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOOK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"the screen did not answer within {LOOK_SECONDS:g} seconds"
    except OSError as error:
        return "", f"it could not be looked at: {error.strerror}"
    if ran.returncode == 0:
        return ran.stdout, ""
    lines = ran.stderr.strip().splitlines() or ["it could not be looked at"]
    return "", lines[-1][:200]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
