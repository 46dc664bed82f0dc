"""Runs the script that ``startup`` in a ``conf.bcf`` names, once, before the runner takes tasks.

What it prints goes to a file beside the runner's log. One that fails, or does not end, is told of and keeps nobody from
working: these scripts set a screen up, and the runner cannot know whether that mattered.
"""

import logging
import subprocess
from pathlib import Path

from bottool.settings import base_variables, without_own

log = logging.getLogger("bottool.runner")

WAIT_SECONDS = 60.0
_OUTPUT_NAME = "startup.log"


def run(script: Path, home: Path, wait_seconds: float = WAIT_SECONDS) -> None:
    """Start it in its own folder and wait for its end, but not for longer than ``wait_seconds``; it goes on then."""
    with (home / _OUTPUT_NAME).open("wb") as output:
        try:
            started = subprocess.Popen(
                [str(script)],
                cwd=script.parent,
                env=without_own(base_variables()),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        except OSError as error:
            log.error("startup '%s' cannot be run: %s", script, error.strerror)  # noqa: TRY400 - the reason is said
            return
    try:
        status = started.wait(wait_seconds)
    except subprocess.TimeoutExpired:
        log.warning(
            "startup '%s' has not ended after %g seconds; it goes on, and so does the runner", script, wait_seconds
        )
        # It is meant to live on; nobody waits for it any more.
        started.returncode = 0
        return
    if status:
        log.warning("startup '%s' ended with status %s; see %s", script, status, home / _OUTPUT_NAME)
    else:
        log.info("startup '%s' was run", script)
