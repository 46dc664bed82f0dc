"""Screens: what a bot needs, and what a machine has."""

import re
from typing import Literal

from bottool.wire.base import Message

_SIZE = re.compile("([0-9]{1,5})[xX×]([0-9]{1,5})")
DisplayKind = Literal["none", "virtual", "screen"]


class DisplayNeed(Message, kw_only=True, frozen=True):
    """What a bot wants to draw on. ``kind``: ``none``, ``virtual`` (a screen made for its task alone) or ``screen``
    (the machine's own, unlocked and at least as large). A text here, so that a kind still to come is understood as
    one that this runner does not know.
    """

    kind: str = "none"
    width: int = 1280
    height: int = 1024
    depth: int = 24

    @property
    def size(self) -> str:
        return f"{self.width}x{self.height}"


class Screen(Message, kw_only=True, frozen=True):
    """What a machine has: a ``real`` screen of that size, which may be locked, and whether it can make ``virtual``
    ones. ``no_real`` and ``no_virtual`` say in a few words why not.
    """

    real: bool = False
    virtual: bool = False
    locked: bool = False
    width: int = 0
    height: int = 0
    no_real: str = ""
    no_virtual: str = ""

    def lacks(self, need: DisplayNeed) -> str:
        """Why a bot with this need cannot run here, to complete "this machine …"; ``""`` when it can."""
        if need.kind == "virtual":
            return "" if self.virtual else f"cannot make a virtual screen: {self.no_virtual or 'it does not say why'}"
        if need.kind == "screen":
            return self._real_lacks(need)
        return "" if need.kind == "none" else f"does not know screens of the kind '{need.kind}'; update its runner"

    def _real_lacks(self, need: DisplayNeed) -> str:
        if not self.real:
            return f"has no screen: {self.no_real or 'it does not say why'}"
        if self.locked:
            return "has a locked screen; unlock it"
        if self.width < need.width or self.height < need.height:
            return f"has a screen of {self.width}x{self.height}, smaller than {need.size}"
        return ""

    def described(self) -> str:
        """For people: ``1920x1080, locked; virtual``."""
        real = f"{self.width}x{self.height}" + (", locked" if self.locked else "") if self.real else ""
        return "; ".join(part for part in (real, "virtual" if self.virtual else "") if part) or "none"


def size_of(text: str) -> tuple[int, int]:
    """Width and height of a text such as ``1280x1024``.

    :raises ValueError: when it is no such text.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text[:30]}' is no size such as 1280x1024")
    return int(found[1]), int(found[2])


def need_of(kind: str, size: str, depth: int) -> DisplayNeed:
    """An automation's three settings as one.

    :raises ValueError: as ``size_of``.
    """
    width, height = size_of(size)
    return DisplayNeed(kind=kind, width=width, height=height, depth=depth)


def lacks(screen: Screen | None, need: DisplayNeed) -> str:
    """As ``Screen.lacks``; a runner of an older release says nothing of screens."""
    if need.kind == "none":
        return ""
    return screen.lacks(need) if screen is not None else "does not say what screen it has; update its runner"
