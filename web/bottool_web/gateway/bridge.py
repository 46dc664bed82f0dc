"""Flask behind a bridge of threads, without what is slow: files that it answers with are sent by the event loop.

A view answers with ``send_file`` as ever. WSGI lets a server say how files are sent (``wsgi.file_wrapper``, PEP 3333);
ours takes the file over, so the view's thread is free at once and a slow reader holds none. Large requests have threads
of their own, so that sixteen slow uploads do not keep pages waiting, and their body goes through in pieces: the server
stops reading from a client while its piece before is not written yet. Of all others the loop reads the whole body
before a thread gets it, and sends the whole answer after: each piece more would be a round through both.
"""

import asyncio
import io
import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any, cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi import build_environ

from bottool_web.files import PIECE_BYTES
from bottool_web.gateway.http import Receive, Scope, Send

LARGE_BYTES = 1024 * 1024
"""A request whose body is larger, or does not tell its length, is a large one."""
SEND_SECONDS = 60.0
"""A reader that takes nothing for so long is as good as gone."""
_HANDED = "bottool.file"
_RANGE = re.compile(rb"bytes (\d+)-(\d+)/\d+")
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class HandedFile:
    """A file that a view answers with: an iterable, as WSGI wants it, which the bridge does not iterate."""

    def __init__(self, file: IO[bytes], piece_bytes: int = PIECE_BYTES) -> None:
        self.file = file
        self._piece_bytes = max(piece_bytes, PIECE_BYTES)
        # What werkzeug asks for when it cuts a range out.
        self.seekable, self.seek, self.tell, self.close = file.seekable, file.seek, file.tell, file.close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self.file.read(self._piece_bytes)
        if not piece:
            raise StopIteration
        return piece


class Bridge:
    """One per site: ``threads`` for ordinary requests, and as many again for large ones."""

    def __init__(self, application: Any, threads: int) -> None:
        self._application = _handing_over(application)
        self._threads = ThreadPoolExecutor(threads, "ordinary")
        # The bridge's own types are narrower than what every ASGI server sends.
        self._large: Any = WSGIMiddleware(cast("Any", self._application), workers=threads)

    def close(self) -> None:
        """Wait for the requests that go on, and end the threads."""
        self._threads.shutdown()
        self._large.executor.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(scope, send)
        try:
            if _is_large(scope):
                await self._large(scope, receive, answer)
            else:
                await self._at_once(scope, receive, answer)
            if answer.file is not None:
                await _send_file(answer, receive, send)
        finally:
            if answer.file is not None:
                answer.file.close()

    async def _at_once(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        body = await _whole_body(receive)
        if body is None:
            return
        environ = build_environ(cast("Any", scope), cast("Any", io.BytesIO(body)))
        work = asyncio.get_running_loop().run_in_executor(self._threads, _answered, self._application, environ)
        status, headers, data = await work
        await answer({"type": "http.response.start", "status": status, "headers": headers})
        await answer({"type": "http.response.body", "body": data, "more_body": False})


async def _whole_body(receive: Receive) -> bytes | None:
    """``None`` when the caller hangs up before its end. The server sees to it that no more comes than was announced."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _answered(application: Wsgi, environ: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of the answer; in a thread."""
    told: list[tuple[str, list[tuple[str, str]]]] = []
    answer = application(environ, lambda status, headers, _fault=None: told.append((status, headers)))
    try:
        data = b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()
    # The last one holds: an application may begin anew when it fails on the way.
    status, headers = told[-1]
    return int(status[:3]), [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers], data


def _handing_over(application: Wsgi) -> Wsgi:
    def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.file_wrapper"] = HandedFile
        answer = application(environ, start_response)
        # A range of a file is an iterable around it.
        file = answer if isinstance(answer, HandedFile) else getattr(answer, "iterable", None)
        if not isinstance(file, HandedFile):
            return answer
        environ["asgi.scope"][_HANDED] = file
        return ()

    return run


def _is_large(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" in headers or (length.isdigit() and int(length) > LARGE_BYTES)


class _Answer:
    """Passes an answer on; of one that hands a file over only the beginning, which says what of it is wanted."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self.first, self.length = 0, 0

    @property
    def file(self) -> HandedFile | None:
        file: HandedFile | None = self._scope.get(_HANDED)
        return file

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = dict(message["headers"])
            length = headers.get(b"content-length", b"0")
            part = _RANGE.fullmatch(headers.get(b"content-range", b""))
            self.first = int(part[1]) if part else 0
            self.length = int(length) if length.isdigit() else 0
        elif self.file is not None:
            return
        await self._send(message)


async def _send_file(answer: _Answer, receive: Receive, send: Send) -> None:
    """Send the promised bytes, a piece at a time, until the reader has them all or is gone."""
    loop = asyncio.get_running_loop()
    gone = asyncio.create_task(_until_gone(receive))
    file, left = cast("HandedFile", answer.file).file, answer.length

    def read(first: int, size: int) -> bytes:
        file.seek(first)
        return file.read(size)

    try:
        while left and not gone.done():
            piece = await loop.run_in_executor(None, read, answer.first + answer.length - left, min(PIECE_BYTES, left))
            if not piece:
                # Shorter than promised: the connection must break, or the reader would take a part for the whole.
                raise OSError("a file became shorter while it was sent")
            left -= len(piece)
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        if not answer.length:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError:
        # The answer stays short of what it promised, so the server breaks the connection.
        return
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
