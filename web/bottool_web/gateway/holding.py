"""The held call of a runner: answered at once when there is something to say, else at a hint, else when its time is up.

A hint may be lost, so there is a look every two seconds behind it. Leases are renewed when the call arrives and again
when it is answered, so that holding it costs the runner nothing of its lease.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from bottool import wire
from bottool_web.actions import attempts
from bottool_web.actions.site import Site
from bottool_web.gateway.http import Gone, Request
from bottool_web.gateway.waiting import Bell, listening
from bottool_web.store.scope import Principal

LOOK_SECONDS = 2.0
MOST_REMEMBERED = 10_000

Told = dict[tuple[int, int], str]


class Holding:
    """Holds calls, and remembers which verdicts each runner's session got, so that one is not a reason to answer twice.

    Lives on the event loop; one per server. After ``close`` every call is answered at once.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._told: dict[tuple[int, str], Told] = {}
        self._closing = asyncio.Event()

    def close(self) -> None:
        self._closing.set()

    async def sync(self, request: Request, who: Principal, said: wire.Sync) -> wire.Synced:
        """:raises Gone: when the runner hangs up while its call is held."""
        site, session = self._site, (who.id, said.session_id)
        with listening(site.hints, [f"queue:{who.workspace_id}", f"runner:{who.id}"]) as bell:
            synced = await request.run(lambda: attempts.sync(site, who, said))
            told = self._told.get(session, {})
            if not _is_worth_answering(synced, told) and await self._held(request, who, said, bell):
                synced = await request.run(lambda: attempts.sync(site, who, said))
        self._remember(session, synced)
        return synced

    async def _held(self, request: Request, who: Principal, said: wire.Sync, bell: Bell) -> bool:
        """Wait for news or the end of the time; False when there was no time to wait at all."""
        loop = asyncio.get_running_loop()
        seconds = min(said.hold_seconds, self._site.settings.longest_hold_seconds)
        if not seconds > 0 or self._closing.is_set():
            return False
        until = loop.time() + seconds
        ends = [asyncio.create_task(request.until_gone()), asyncio.create_task(self._closing.wait())]
        try:
            while (left := until - loop.time()) > 0:
                await self._pause(bell, ends, min(left, LOOK_SECONDS))
                if ends[0].done():
                    raise Gone
                if ends[1].done():
                    break
                told = self._told.get((who.id, said.session_id), {})
                if await request.run(partial(attempts.has_news, self._site, who, said, told)):
                    break
        finally:
            for end in ends:
                end.cancel()
        return True

    async def _pause(self, bell: Bell, ends: "Sequence[asyncio.Task[Any]]", seconds: float) -> None:
        heard = asyncio.create_task(bell.heard(seconds))
        await asyncio.wait([heard, *ends], return_when=asyncio.FIRST_COMPLETED)
        if not heard.done():
            heard.cancel()
            with suppress(asyncio.CancelledError):
                await heard

    def _remember(self, session: tuple[int, str], synced: wire.Synced) -> None:
        told = {(verdict.task_id, verdict.attempt): verdict.verdict for verdict in synced.verdicts}
        self._told.pop(session, None)
        self._told[session] = dict(told)
        while len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]


def _is_worth_answering(synced: wire.Synced, told: Told) -> bool:
    if synced.work or synced.claim_key_used:
        return True
    return any(verdict.verdict != told.get((verdict.task_id, verdict.attempt), "ok") for verdict in synced.verdicts)
