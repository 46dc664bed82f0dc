"""Screens: which one an automation may ask for, and whether a runner has it."""

from typing import Any

import msgspec

from bottool import wire
from bottool.errors import InvalidInput, NotFound
from bottool.wire import displays
from bottool_web.actions import bots, inspections
from bottool_web.actions.permissions import action
from bottool_web.actions.site import Site
from bottool_web.store.moves import Row
from bottool_web.store.scope import Principal

SMALLEST, LARGEST = 100, 8192
DEPTHS = (8, 16, 24, 30)
DRAWS = frozenset({"botcity-framework-core", "pyautogui", "pynput", "pywinauto", "mouse", "keyboard", "python3-xlib"})
"""What a bot depends on that does nothing without a screen."""


def check(said: dict[str, Any]) -> None:
    """What an automation says of its screen, as far as it was said. The size is put into its one spelling.

    :raises InvalidInput: when no screen can be so.
    """
    if "display_size" in said:
        try:
            width, height = displays.size_of(said["display_size"])
        except ValueError as error:
            raise InvalidInput(str(error), "width and height in pixels", path="display_size") from error
        if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
            raise InvalidInput(
                f"a screen of {width}x{height} is not to be had",
                f"from {SMALLEST}x{SMALLEST} to {LARGEST}x{LARGEST}",
                path="display_size",
            )
        said["display_size"] = f"{width}x{height}"
    if "display_depth" in said and said["display_depth"] not in DEPTHS:
        raise InvalidInput(
            f"display_depth is {said['display_depth']}", f"one of: {', '.join(map(str, DEPTHS))}", path="display_depth"
        )


def missing(capabilities: wire.Capabilities, wants: Row) -> str:
    """Why a runner cannot give a bot its screen, to complete "the runner …"; ``wants`` has an automation's columns."""
    if wants.display == "none":
        return ""
    if capabilities.screen is None and capabilities.display and wants.display == "screen":
        # A runner that says no more: the keeper looks before the bot starts.
        return ""
    return displays.lacks(capabilities.screen, displays.need_of(wants.display, wants.display_size, wants.display_depth))


def described(capabilities: dict[str, Any]) -> str:
    """What bots can draw on, for people; ``""`` when the runner does not say."""
    if not capabilities.get("screen"):
        return ""
    return msgspec.convert(capabilities["screen"], wire.Screen, strict=False).described()


@action("bot.read")
def hint(site: Site, who: Principal, bot_id: str) -> str:
    """What of the bot's released version tells that it needs a screen, for people; ``""`` when nothing does."""
    if not bot_id:
        return ""
    try:
        release = bots.get_bot(site, who, bot_id).release
        found = inspections.get_inspection(site, who, bot_id, release) if release else None
    except NotFound:
        return ""
    if found is None:
        return ""
    said = [line for line in found.findings if "display" in line]
    return said[0] if said else ", ".join(sorted({each.name for each in found.dependencies} & DRAWS))
