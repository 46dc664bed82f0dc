"""The gateway as one ASGI application: finds the route, answers errors, and bounds how many calls are open at once."""

import logging
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bottool import wire
from bottool.errors import BottoolError, NotFound, Refused, Unavailable
from bottool_web.actions.site import Site
from bottool_web.gateway.holding import Holding
from bottool_web.gateway.http import Gone, Receive, Request, Scope, Send
from bottool_web.gateway.live import LiveRoutes
from bottool_web.gateway.runners import Handle, RunnerRoutes

PREFIXES = ("/runner/v1/", "/live/")
THREADS = 16
MOST_OPEN = 5000
_SPOKEN = {"", str(wire.PROTOCOL), str(wire.PROTOCOL - 1)}
_log = logging.getLogger(__name__)


class Gateway:
    """Made and closed on the event loop that it serves."""

    def __init__(self, site: Site) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="gateway")
        self._holding = Holding(site, self._threads)
        self._live = LiveRoutes(site=site)
        self._runners = RunnerRoutes(site=site, holding=self._holding)
        self._open = 0

    def close_streams(self) -> None:
        """Answer every held call now and end every stream. Call it on the event loop; may be repeated."""
        self._holding.close()
        self._live.closing.set()

    def close(self) -> None:
        """After the last call: let the threads end."""
        self._threads.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._open += 1
        answered = _Watched(send)
        request = Request(scope=scope, receive=receive, send=answered, threads=self._threads)
        try:
            await self._answer(request)
        except Gone:
            pass
        except BottoolError as error:
            await _refuse(request, answered, error)
        except Exception:  # noqa: BLE001  # a surface's border: the caller gets an answer, the log the trace
            _log.exception("a call of the gateway failed: %s %s", scope["method"], scope["path"])
            await _refuse(request, answered, BottoolError("the server made a mistake", "its log tells more"))
        finally:
            self._open -= 1

    async def _answer(self, request: Request) -> None:
        if self._open > MOST_OPEN:
            raise Unavailable(f"{MOST_OPEN} calls are open already", "try again in a moment")
        _check_protocol(request)
        handle = self._find(request.scope["method"], request.scope["path"])
        await handle(request)

    def _find(self, method: str, path: str) -> Handle:
        for routes in (self._runners, self._live):
            found = routes.find(method, path)
            if found is not None:
                return found
        raise NotFound("nothing is at this address", "look at its spelling and its method")


class _Watched:
    """Passes an answer on and remembers whether it began: then an error can no longer be told."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.began = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        self.began = True
        await self._send(message)


async def _refuse(request: Request, answered: _Watched, error: BottoolError) -> None:
    if answered.began:
        return
    try:
        await request.refuse(error)
    except Gone:
        return


def _check_protocol(request: Request) -> None:
    spoken = request.header(wire.PROTOCOL_HEADER)
    if spoken not in _SPOKEN:
        raise Refused(
            f"this server speaks protocol {wire.PROTOCOL}, not '{spoken[:20]}'", "use a runner of the server's version"
        )


def is_ours(path: str) -> bool:
    return path.startswith(PREFIXES)
