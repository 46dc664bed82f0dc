"""``bottool serve``: the site on a socket, until a signal ends it."""

import socket

import click
import uvicorn

from bottool.errors import SettingsError
from bottool_web.actions.site import Site
from bottool_web.app import create_app
from bottool_web.asgi import Application, create_asgi
from bottool_web.gateway.refusing import RefusingProtocol

GRACE_SECONDS = 10
BACKLOG = 2048


def serve(site: Site) -> None:
    """Serve until SIGINT or SIGTERM; port 0 takes a free one. Prints the address once it answers.

    :raises SettingsError: when the address is taken, or is none of this machine.
    """
    settings = site.settings
    application = create_asgi(site, create_app(site))
    listener = _listen(settings.host, settings.port)
    try:
        config = uvicorn.Config(
            application,
            http=RefusingProtocol,
            lifespan="on",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE_SECONDS,
            # Behind a proxy of this machine the caller's address is in a header; from elsewhere nobody is believed.
            forwarded_allow_ips="127.0.0.1",
        )
        SiteServer(config, application).run(sockets=[listener])
    finally:
        listener.close()


class SiteServer(uvicorn.Server):
    """Says where it is, and ends held calls before it waits for open connections."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            if self.started:
                click.echo(f"bottool serves {address_of(listener)}")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._application.close_streams()
        await super().shutdown(sockets)


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # By its protocol asyncio knows that small answers may leave at once; without it each would wait for the
    # caller's delayed acknowledgement, some 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # On Windows the other option would let two servers share a port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", "choose another port, or 0 for a free one"
        ) from error
    return listener
