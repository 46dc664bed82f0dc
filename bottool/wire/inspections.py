"""What packages are made of, as the server knows it: inspections, dependencies, and who depends on what."""

from datetime import datetime
from typing import Literal

from bottool.wire.base import Message


class Dependency(Message, kw_only=True, frozen=True):
    """``version`` is exact, or ``""`` when nothing says it; ``direct`` is what the bot's author asked for."""

    name: str
    version: str = ""
    ecosystem: str = ""
    licence: str = ""
    direct: bool = False


class Inspection(Message, kw_only=True, frozen=True):
    """``state``: ``waiting`` (not looked at yet), ``done``, ``none`` (no plugin on the server serves the language),
    ``failed`` (the inspection itself), ``refused`` (it could never start). ``bot_id`` is the only id that the package
    can have; ``""`` when any will do. ``locked``: ``dependencies`` are all of them, with exact versions.
    """

    state: Literal["waiting", "done", "none", "failed", "refused"]
    language: str = ""
    entry: str = ""
    requires: str = ""
    bot_id: str = ""
    locked: bool = False
    findings: list[str] = []
    dependencies: list[Dependency] = []
    at: datetime | None = None


class Dependent(Message, kw_only=True, frozen=True):
    """A bot version that depends on something. ``verdict``: ``uses`` (no limit was asked), ``below`` the limit, or
    ``unknown``: its version is not known or cannot be compared.
    """

    bot_id: str
    version: str
    released: bool
    automations: list[str] = []
    dependency: Dependency
    verdict: Literal["uses", "below", "unknown"]
