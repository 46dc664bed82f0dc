"""What ``bottool run`` and a server that exists for one run only say to each other: values and one small contract.

Core asks for such a server by the hook ``bottool_local_server`` and knows nothing else of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bottool.model import Outcome, TaskContext

Credentials = Mapping[str, Mapping[str, str]]
"""Values by label and key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalWork:
    """One task to be answered. ``folder`` is empty and the server's own; it is removed after the run."""

    folder: Path
    bot_id: str
    version: str
    technology: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAlert:
    """``type`` is ``info``, ``warn`` or ``error``."""

    type: str
    title: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalReport:
    """What a real server would know of the task now.

    ``unanswered`` are the calls that this server does not have, ``refused`` those that it has and did not accept, each
    as a line such as ``POST /api/v2/log`` with how often it came, in the order of their first coming.
    """

    state: str
    """A final state of ``states.TaskState``."""
    by_bot: bool
    """True when the bot itself finished its task; otherwise the state follows from how its process ended."""
    message: str = ""
    total_items: int | None = None
    processed_items: int | None = None
    failed_items: int | None = None
    alerts: tuple[LocalAlert, ...] = ()
    unanswered: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class LocalServer(ABC):
    """Answers on the loopback address while its context is open."""

    task: TaskContext
    """What the bot is started with; the token is good for this task only."""

    @abstractmethod
    def ended(self, outcome: Outcome) -> LocalReport:
        """Take note that the bot ended, as its keeper would tell it, and say what came of the task. Called once."""
