"""The command ``bottool`` for bots: a small program in a folder of its own, put last on a bot's PATH.

A bot in any language may call it without an SDK; server, task and token come with the bot's variables. The folder holds
nothing else, so that no interpreter of ours is found in place of the bot's own.
"""

import os
import shlex
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

# -P and -E: nothing in the bot's folder or variables may take the place of one of our modules.
_OPTIONS = ("-E", "-P", "-m", "bottool")


def with_program(path: str, cache: Path) -> str:
    """``path`` (the variable PATH of a bot) and behind it the folder of the program, which is made when it is missing.

    Where it cannot be written the bot does without it.
    """
    folder = cache / "programs" / sha256(sys.executable.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    name, text = _program()
    with suppress(OSError):
        if not _is_there(folder / name, text):
            folder.mkdir(parents=True, exist_ok=True)
            _place(folder / name, text)
    return os.pathsep.join((path or os.defpath, str(folder)))


def _program() -> tuple[str, str]:
    if sys.platform == "win32":
        return "bottool.cmd", f'@"{sys.executable}" {" ".join(_OPTIONS)} %*\r\n'
    return "bottool", f'#!/bin/sh\nexec {shlex.join((sys.executable, *_OPTIONS))} "$@"\n'


def _is_there(file: Path, text: str) -> bool:
    try:
        return file.read_bytes() == text.encode()
    except OSError:
        return False


def _place(file: Path, text: str) -> None:
    """In one step: another bot may be calling it."""
    descriptor, name = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(descriptor, "wb") as part:
        part.write(text.encode())
    Path(name).chmod(0o755)
    Path(name).replace(file)
