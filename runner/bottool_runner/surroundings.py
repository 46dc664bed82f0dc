"""What every attempt of a runner shares: settings, the line to the server, the warm parent of keepers."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bottool_runner.equipment import Teller
from bottool_runner.gateway import Gateway
from bottool_runner.settings import RunnerSettings
from bottool_runner.warm import Nursery


class Gone(Exception):
    """The server says that the attempt is no longer this runner's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every attempt of a runner shares."""

    settings: RunnerSettings
    gateway: Gateway
    cache: Path
    boot_id: str
    closing: threading.Event
    leases_hold: Callable[[], bool]
    equipment: Teller
    room_made: Callable[[], None]
    """Says that an attempt takes no slot any more; from any thread."""
    nursery: Nursery = field(default_factory=Nursery)
