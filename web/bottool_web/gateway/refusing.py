"""What is no HTTP, or has an address or headers without end, is refused before any route sees it.

The server's own words for that are plain text, and it hangs up on a caller that still sends, who then reads nothing.
Maestro's clients take every error for a JSON object.
"""

import asyncio
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from bottool.errors import Refused
from bottool_web.problems import problem_of

LINGER_SECONDS = 2.0
"""So long a caller may go on to send what nobody reads."""


class RefusingProtocol(H11Protocol):
    """Speaks HTTP as uvicorn does, but for how it refuses."""

    refused = False

    def data_received(self, data: bytes) -> None:
        if not self.refused:
            super().data_received(data)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # ours says more
        self.refused = True
        problem = problem_of(Refused("this is no HTTP request, or its address or headers are longer than 64 KiB"))
        body = msgspec.json.encode(problem)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        answer: list[Any] = [h11.Response(status_code=problem.status, headers=headers, reason=b"Bad Request")]
        for event in (*answer, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        if self.transport.can_write_eof():
            self.transport.write_eof()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.transport.close)
