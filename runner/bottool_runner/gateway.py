"""The server as a runner sees it: ``/runner/v1``, one method per call, and which answers are final.

Knows the addresses, the bodies and what an answer means; not when a call is made. Thread-safe as far as the HTTP client
is: every call is on its own.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bottool import wire
from bottool.client import Client
from bottool.errors import BottoolError, Conflict, Forbidden, Refused, StaleAttempt, TooManyTries, Unauthorized
from bottool_runner.backoff import Backoff

T = TypeVar("T")
HOLD_MARGIN_SECONDS = 20.0
_OCTETS = "application/octet-stream"


class Closing(Exception):
    """The runner was asked to end while it waited."""


def register(server: str, body: wire.Register) -> wire.Registered:
    """Get a token for this machine.

    :raises Unauthorized: when code, or login and key, are wrong.
    """
    with Client(server) as client:
        return client.post("/runner/v1/register", body, type=wire.Registered)


class Gateway:
    """One registered runner's calls. Closed by who made it."""

    def __init__(self, server: str, token: str, closing: threading.Event) -> None:
        self.server = server
        self._client = Client(server, token, timeout_seconds=wire.SYNC_HOLD_SECONDS + HOLD_MARGIN_SECONDS)
        self._closing = closing

    def close(self) -> None:
        self._client.close()

    def persist(self, call: Callable[[], T], failed: Callable[[BottoolError], None]) -> T:
        """Make a call until it is answered for good. ``failed`` hears of every failure on the way.

        :raises Refused: a final answer too; ``NotFound`` and ``Conflict``: the attempt is not ours any more.
        :raises Closing: when the runner is to end; whether the last try arrived is not known.
        """
        backoff = Backoff()
        while True:
            try:
                return call()
            except BottoolError as error:
                if is_final(error):
                    raise
                failed(error)
                if self._closing.wait(backoff.next_seconds(error)):
                    raise Closing from error

    def sync(self, body: wire.Sync) -> wire.Synced:
        return self._client.post("/runner/v1/sync", body, type=wire.Synced)

    def package(self, task_id: int, attempt: int, target: Path) -> None:
        self._client.download(f"{_of(task_id, attempt)}/package", target)

    def permit(self, task_id: int, attempt: int) -> wire.Permit:
        return self._client.post(f"{_of(task_id, attempt)}/permit", {}, type=wire.Permit)

    def started(self, task_id: int, attempt: int, body: wire.Started) -> None:
        self._client.post(f"{_of(task_id, attempt)}/started", body)

    def limit(self, task_id: int, attempt: int, body: wire.LimitReached) -> None:
        self._client.post(f"{_of(task_id, attempt)}/limit", body)

    def void(self, task_id: int, attempt: int, reason: str) -> None:
        self._client.post(f"{_of(task_id, attempt)}/void", {"reason": reason})

    def hand_back(self, task_id: int, attempt: int, body: wire.HandBack) -> None:
        self._client.post(f"{_of(task_id, attempt)}/hand-back", body)

    def output(self, task_id: int, attempt: int, offset: int, frames: bytes) -> int:
        """The offset that the server wants next, which is another one when ours was not what it has.

        :raises StaleAttempt: when the attempt is not ours any more.
        """
        try:
            appended = self._client.post(
                f"{_of(task_id, attempt)}/output",
                frames,
                query={"offset": offset},
                type=wire.Appended,
            )
        except Conflict as error:
            wanted = error.details.get("next_offset")
            if isinstance(error, StaleAttempt) or not isinstance(wanted, int):
                raise
            return wanted
        return appended.next_offset

    def finish(self, task_id: int, attempt: int, body: wire.Ended) -> wire.Finished:
        return self._client.post(f"{_of(task_id, attempt)}/finish", body, type=wire.Finished)

    def equipment(self, task_id: int, attempt: int, body: wire.NewEquipment) -> None:
        self._client.post(f"{_of(task_id, attempt)}/equipment", body)

    def evidence(self, task_id: int, attempt: int, body: wire.AttemptEvidence) -> None:
        self._client.post(f"{_of(task_id, attempt)}/evidence", body)

    def screenshot(self, task_id: int, attempt: int, png: bytes) -> None:
        self._client.post(f"{_of(task_id, attempt)}/screenshot", png)


def is_final(error: BottoolError) -> bool:
    """True when asking again would give the same answer. A token that is refused may be put right by a person."""
    return isinstance(error, Refused) and not isinstance(error, (Unauthorized, Forbidden, TooManyTries))


def _of(task_id: int, attempt: int) -> str:
    return f"/runner/v1/tasks/{task_id}/attempts/{attempt}"
