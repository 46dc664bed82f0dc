"""The held call of a runner: answered at once when there is something to say, else at a hint, else when its time is up.

A hint may be lost, so there is a look every two seconds behind it: by the call itself while the runner has attempts, by
``watch`` for all idle ones together. Leases are renewed when the call arrives and again when it is answered, so that
holding it costs the runner nothing of its lease.
"""

import asyncio
import random
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from enum import Enum, auto
from functools import partial

from bottool import wire
from bottool_web.actions import attempts, identity
from bottool_web.actions.site import Site
from bottool_web.gateway.http import Gone, Request
from bottool_web.gateway.waiting import Bell, listening
from bottool_web.gateway.watch import LOOK_SECONDS, Watch
from bottool_web.store.scope import Principal

MOST_REMEMBERED = 10_000
_GONE, _CLOSING, _OVERTAKEN = "gone", "closing", "overtaken"

Told = dict[tuple[int, int], str]


class Held(Enum):
    """Why a call is not held any longer."""

    NOT_AT_ALL = auto()
    OVERTAKEN = auto()
    """The runner has made another call since, which gets what there is to say."""
    NEWS = auto()
    TIME_IS_UP = auto()


class Holding:
    """Holds calls, and remembers which verdicts each runner's session got, so that one is not a reason to answer twice.

    Lives on the event loop; one per server. After ``close`` every call is answered at once.
    """

    def __init__(self, site: Site, threads: Executor) -> None:
        self._site = site
        self._threads = threads
        self._told: dict[tuple[int, str], Told] = {}
        self._bells: set[Bell] = set()
        self._newest: dict[tuple[int, str], Bell] = {}
        self._watch = Watch(site.hints, self._look)
        self._is_closed = False

    def close(self) -> None:
        self._is_closed = True
        for bell in self._bells:
            bell.ring(_CLOSING)
        self._watch.close()

    async def sync(self, request: Request, who: Principal, said: wire.Sync) -> wire.Synced:
        """:raises Gone: when the runner hangs up while its call is held."""
        site, session, why = self._site, (who.id, said.session_id), Held.NOT_AT_ALL
        with self._bell(who, said) as bell:
            synced = await request.run(lambda: attempts.sync(site, who, said))
            told = self._told.get(session, {})
            if not _is_worth_answering(synced, told):
                why = await self._held(request, who, said, bell)
                # What an idle runner heard at its arrival is still true when nothing came.
                if why is Held.NEWS or (why is Held.TIME_IS_UP and said.attempts):
                    synced = await request.run(lambda: attempts.sync(site, who, said))
        if why is not Held.OVERTAKEN:
            self._remember(session, synced)
        return synced

    @contextmanager
    def _bell(self, who: Principal, said: wire.Sync) -> Iterator[Bell]:
        """This call's bell, which is from now on its session's newest: the one before need not be held any longer."""
        session = who.id, said.session_id
        # Who cannot take any need not hear of work.
        hears_of_work = self._watch.held if said.claim_key else lambda _who, _bell: nullcontext()
        with listening(self._site.hints, [f"runner:{who.id}"]) as bell, hears_of_work(who, bell):
            if (older := self._newest.get(session)) is not None:
                older.ring(_OVERTAKEN)
            self._newest[session] = bell
            self._bells.add(bell)
            try:
                yield bell
            finally:
                self._bells.discard(bell)
                if self._newest.get(session) is bell:
                    del self._newest[session]

    async def _look(self, workspace_id: int) -> frozenset[int]:
        work = partial(attempts.may_have_work, self._site, identity.acting_site(workspace_id))
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _held(self, request: Request, who: Principal, said: wire.Sync, bell: Bell) -> Held:
        """Wait for news or the end of the time."""
        loop = asyncio.get_running_loop()
        # Not all alike: runners that came together after a restart must not come together for ever.
        most = min(said.hold_seconds, self._site.settings.longest_hold_seconds)
        seconds = most * random.uniform(0.9, 1)  # noqa: S311  # no secret
        if not seconds > 0 or self._is_closed:
            return Held.NOT_AT_ALL
        until = loop.time() + seconds
        gone = asyncio.create_task(request.until_gone())
        gone.add_done_callback(lambda _: bell.ring(_GONE))
        try:
            while (left := until - loop.time()) > 0:
                # Who has attempts looks by itself: a verdict may have changed, and the hint got lost.
                heard = await bell.heard(min(left, LOOK_SECONDS) if said.attempts else left)
                if _GONE in heard:
                    raise Gone
                if _OVERTAKEN in heard:
                    return Held.OVERTAKEN
                if _CLOSING in heard:
                    break
                if (heard or said.attempts) and await self._has_news(request, who, said):
                    return Held.NEWS
        finally:
            gone.cancel()
        return Held.TIME_IS_UP

    async def _has_news(self, request: Request, who: Principal, said: wire.Sync) -> bool:
        told = self._told.get((who.id, said.session_id), {})
        return await request.run(partial(attempts.has_news, self._site, who, said, told))

    def _remember(self, session: tuple[int, str], synced: wire.Synced) -> None:
        told: Told = {(verdict.task_id, verdict.attempt): verdict.verdict for verdict in synced.verdicts}
        self._told.pop(session, None)
        if told:
            self._told[session] = told
        while len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]


def _is_worth_answering(synced: wire.Synced, told: Told) -> bool:
    if synced.work or synced.claim_key_used:
        return True
    return any(verdict.verdict != told.get((verdict.task_id, verdict.attempt), "ok") for verdict in synced.verdicts)
