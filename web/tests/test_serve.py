"""The socket on which the site is served."""

import socket

from bottool_web.serve import _listen


def test_small_answers_leave_at_once() -> None:
    """Asyncio switches Nagle's algorithm off for sockets that say their protocol, and for their connections."""
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP
