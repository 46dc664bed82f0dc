"""What this machine is and can do: its name and system, and the languages whose needs are met.

The languages are asked in a child, ``bottool doctor --json``: no plugin runs in the runner itself. Knows no server.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import msgspec

from bottool import wire
from bottool.errors import PluginError
from bottool_runner import __version__, screens

_DOCTOR_SECONDS = 120.0


def hostname() -> str:
    return platform.node() or "unknown"


def system() -> str:
    """For people: ``Linux 6.1 x86_64, Python 3.11.7``."""
    return f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}"


def version() -> str:
    return __version__


def capabilities(tags: Sequence[str] = ()) -> wire.Capabilities:
    """The languages that can run here, all tools with their language, found or not; the screen. Takes a second or more.

    :raises PluginError: when the child does not answer sensibly.
    """
    screen = screens.of_this_machine()
    return msgspec.structs.replace(understood(_doctor()), display=screen.real, screen=screen, tags=list(tags))


def understood(said: dict[str, Any]) -> wire.Capabilities:
    """From ``{"languages": [{"name": …, "can_run": …, "technologies": […], "tools": […]}, …]}``."""
    languages = [each for each in said.get("languages", []) if isinstance(each, dict)]
    able = [each for each in languages if each.get("can_run") is True]
    return wire.Capabilities(
        languages=[str(each["name"]) for each in able],
        technologies=[str(literal) for each in able for literal in each.get("technologies") or [each["name"]]],
        tools=[{**tool, "language": each["name"]} for each in languages for tool in each.get("tools", [])],
    )


def _doctor() -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "bottool", "doctor", "--offline", "--json"]
    try:
        # Doctor also says by its exit status that something is wrong; what it prints counts.
        ran = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_DOCTOR_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PluginError(f"'bottool doctor' gave no answer within {_DOCTOR_SECONDS:g} seconds") from error
    try:
        said = json.loads(ran.stdout)
    except ValueError as error:
        last = ran.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it printed nothing"]
        raise PluginError(
            f"'bottool doctor --json' gave no usable answer: {last[0]}", "run it by hand to see what is wrong"
        ) from error
    if not isinstance(said, dict):
        raise PluginError("'bottool doctor --json' gave no object")
    return said
