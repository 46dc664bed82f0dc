"""Prepares an installation in another process and kills it, with all that it started, in the middle."""

import contextlib
import sys
import time
from pathlib import Path

from bottool.language import Language
from bottool.model import Package
from bottool.process import ProcessTree, start
from bottool.settings import base_variables
from bottool.testing.elsewhere import MAKES_READY, arguments_for

_LIMIT_SECONDS = 60.0
_LOOK_SECONDS = 0.01


def prepare_until_killed(language: Language, package: Package, cache: Path, work: Path) -> None:
    """Start to make ``package`` ready, and kill the process as soon as the first file of an environment appears.

    A language that needs no environment may be through by then; its cache is then complete, which is fine as well.
    """
    printed: list[bytes] = []
    tree = start(
        [sys.executable, "-c", MAKES_READY, *arguments_for(language, package, cache, work)],
        folder=cache.parent,
        variables=base_variables(),
        output=lambda _stream, data: printed.append(data),
    )
    try:
        _wait_for_work(tree, cache)
    finally:
        tree.stop(0.0)
        tree.close(5.0)
    exit_code = tree.poll()
    if exit_code is not None and exit_code > 0:
        raise AssertionError(f"preparing failed by itself: {b''.join(printed).decode('utf-8', 'replace')}")


def _wait_for_work(tree: ProcessTree, cache: Path) -> None:
    deadline = time.monotonic() + _LIMIT_SECONDS
    while tree.wait(_LOOK_SECONDS) is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if any(cache.glob("environments/*/*/*")):
                return
