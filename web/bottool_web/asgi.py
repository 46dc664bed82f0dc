"""The site as one ASGI application: held calls and live streams natively, everything else by Flask behind a bridge."""

import asyncio
from contextlib import suppress

from flask import Flask

from bottool_web.actions.site import Site
from bottool_web.clock import Clock
from bottool_web.gateway.application import Gateway, is_ours
from bottool_web.gateway.bridge import Bridge
from bottool_web.gateway.http import Receive, Scope, Send
from bottool_web.inspector import Inspector
from bottool_web.outbox import Outbox

END_SECONDS = 10.0


def create_asgi(site: Site, flask_app: Flask) -> "Application":
    return Application(site, flask_app)


class Application:
    """One per process. Its lifespan starts the clock before the first request is taken, and stops it after the last."""

    def __init__(self, site: Site, flask_app: Flask) -> None:
        self._site = site
        self._bridge = Bridge(flask_app, site.settings.threads)
        self._clock = Clock(site)
        self._inspector = Inspector(site)
        self._outbox = Outbox(site)
        self._gateway: Gateway | None = None

    def close_streams(self) -> None:
        """Answer held calls and end streams, so that the server can end soon. On the event loop; may be repeated."""
        if self._gateway is not None:
            self._gateway.close_streams()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and is_ours(scope["path"]):
            if self._gateway is None:
                self._gateway = Gateway(self._site)
            await self._gateway(scope, receive, send)
        elif scope["type"] == "http":
            await self._bridge(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            begins = message["type"] == "lifespan.startup"
            word = "startup" if begins else "shutdown"
            try:
                if begins:
                    self._begin()
                else:
                    await self._end()
            except Exception as error:
                await send({"type": f"lifespan.{word}.failed", "message": str(error)})
                raise
            await send({"type": f"lifespan.{word}.complete"})
            if not begins:
                return

    def _begin(self) -> None:
        self._gateway = Gateway(self._site)
        self._clock.start()
        self._inspector.start()
        self._outbox.start()

    async def _end(self) -> None:
        self.close_streams()
        # Not on the loop: a thread of the bridge may need it to get rid of its answer.
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._end_threads), END_SECONDS)

    def _end_threads(self) -> None:
        self._outbox.stop()
        self._clock.stop()
        self._inspector.stop()
        self._bridge.close()
        if self._gateway is not None:
            self._gateway.close()
