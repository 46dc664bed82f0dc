"""Who of the idle runners whose calls are held is to look for work: asked once for all of them.

A hint that work may be there names a workspace. If each held call looked for itself, a thousand idle runners would mean
a thousand looks at each new task, and as many again every two seconds, since a hint may be lost. So one watcher asks
for which runners something waits, and rings only their bells. Lives on the event loop; one per server.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from bottool_web.gateway.waiting import Bell
from bottool_web.hints import Hints
from bottool_web.store.scope import Principal

LOOK_SECONDS = 2.0
WORK = "work"
Look = Callable[[int], Awaitable[frozenset[int]]]
"""The runners of a workspace, by its id, for which something waits."""
_log = logging.getLogger(__name__)


class Watch:
    """Made on the event loop. It watches the workspaces of which calls are held, and no longer."""

    def __init__(self, hints: Hints, look: Look) -> None:
        self._hints = hints
        self._look = look
        self._held: dict[int, dict[int, set[Bell]]] = {}
        self._watchers: dict[int, asyncio.Task[None]] = {}

    @contextmanager
    def held(self, who: Principal, bell: Bell) -> Iterator[None]:
        """While this is open, ``bell`` rings with ``WORK`` when something waits for the runner."""
        runners = self._held.setdefault(who.workspace_id, {})
        runners.setdefault(who.id, set()).add(bell)
        if who.workspace_id not in self._watchers:
            self._watchers[who.workspace_id] = asyncio.create_task(self._watch(who.workspace_id))
        try:
            yield
        finally:
            runners[who.id].discard(bell)
            if not runners[who.id]:
                del runners[who.id]

    def close(self) -> None:
        """Watch no more; on the event loop."""
        for watcher in list(self._watchers.values()):
            watcher.cancel()

    async def _watch(self, workspace_id: int) -> None:
        """Look at every hint, and every two seconds; end when no call of the workspace is held any more."""
        rung = Bell()
        loop = asyncio.get_running_loop()

        def wake() -> None:
            # The loop may have ended while a thread was still sending.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(rung.ring, WORK)

        stop = self._hints.listen([f"queue:{workspace_id}"], wake)
        try:
            while runners := self._held[workspace_id]:
                await self._ring(workspace_id, runners)
                await rung.heard(LOOK_SECONDS)
        finally:
            stop()
            del self._held[workspace_id], self._watchers[workspace_id]

    async def _ring(self, workspace_id: int, runners: dict[int, set[Bell]]) -> None:
        try:
            found = await self._look(workspace_id)
        except Exception:  # noqa: BLE001  # the top of a loop: the next look may go well
            _log.exception("looking for work failed")
            return
        for runner_id in found & runners.keys():
            for bell in runners[runner_id]:
                bell.ring(WORK)
