"""Telling the runner of this machine what is wished of it, and waiting until it has heard."""

import time
from pathlib import Path

from bottool.errors import Conflict, SettingsError, WaitTimeout
from bottool_runner.control import MOST_REASON, Control, Wish, ask
from bottool_runner.home import is_worked_in
from bottool_runner.status import Status, read

HEARD_SECONDS = 15.0
_LOOK_SECONDS = 0.05


def wished(home: Path, wish: Wish, reason: str = "", wait_seconds: float = HEARD_SECONDS) -> str:
    """Tell it, and return what came of it, for people.

    A pause, and its end, may be told while no runner works: it counts for the next start.

    :raises SettingsError: when there was never a runner in this home.
    :raises Conflict: when none works there, and there is nothing to end.
    :raises WaitTimeout: when it does not show that it has heard.
    """
    reason = " ".join(reason.split())[:MOST_REASON]
    if not (home / "runner.json").exists():
        raise SettingsError(
            f"there is no runner in '{home}'", "name its folder with --home, or start one: bottool runner start"
        )
    runs = is_worked_in(home)
    if not runs and wish in {Wish.DRAIN, Wish.STOP}:
        raise Conflict(f"no runner works in '{home}'", "there is nothing to end")
    try:
        ask(home, Control(wish=wish, reason=reason))
    except OSError as error:
        raise SettingsError(f"'{home}' cannot be written: {error.strerror}", "be the runner's user") from error
    if not runs:
        return "it will take tasks at its next start" if wish is Wish.WORK else "it is paused from its next start on"
    return _heard(home, wish, reason, wait_seconds)


def _heard(home: Path, wish: Wish, reason: str, wait_seconds: float) -> str:
    deadline = time.monotonic() + wait_seconds
    while time.monotonic() < deadline:
        said = read(home)
        if said.mode == "ended" or (said.mode == _MODES.get(wish) and said.reason == reason):
            return _told(said)
        time.sleep(_LOOK_SECONDS)
    raise WaitTimeout(
        f"the runner did not show within {wait_seconds:g} seconds that it has heard", "look at 'bottool runner logs'"
    )


_MODES = {Wish.WORK: "working", Wish.PAUSE: "paused", Wish.DRAIN: "draining"}


def _told(said: Status) -> str:
    if said.mode == "ended":
        return "the runner has ended"
    busy = f"; {len(said.in_hand)} task(s) in hand go on" if said.in_hand and said.mode != "working" else ""
    return f"the runner '{said.machine_id}' is {said.mode}{busy}"
