"""A small TCP proxy of ours for faults of the network. It reads HTTP just far enough to tell one request from the next.

Each ``Line`` goes from one machine to the server, and has a ``Weather`` that may change at any time. Every request gets
a connection of its own to the server, so that requests may overtake each other, arrive twice, or arrive without answer.
"""

import asyncio
import random
import re
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CONNECTION = re.compile(rb"\r\nconnection: *[^\r]*", re.IGNORECASE)
PIECE = 65536
LIMIT = 64 * 1024 * 1024


@dataclass
class Weather:
    """What happens to requests now; chances are from 0 to 1, times in seconds."""

    is_cut: bool = False
    """Connections are refused and torn."""
    swallows: bool = False
    """Nothing arrives, nothing is answered, and nobody is told."""
    is_deaf: bool = False
    """Requests arrive; answers do not."""
    delay: float = 0.0
    """At most so long a request waits; those behind it do not."""
    loses_answer: float = 0.0
    loses_request: float = 0.0
    repeats: float = 0.0
    repeats_after: float = 3.0
    is_over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)


@dataclass(kw_only=True)
class Counts:
    requests: int = 0
    delayed: int = 0
    repeated: int = 0
    lost: int = 0


class Line:
    def __init__(self, target: int, draw: random.Random) -> None:
        self.weather = Weather()
        self.counts = Counts()
        self.target = target
        self._draw = draw
        self._open: set[asyncio.StreamWriter] = set()
        self._later: set[asyncio.Task[None]] = set()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.socket.getsockname()[1]

    def tear(self) -> None:
        """Cut every connection that is open now. In the proxy's thread only."""
        for writer in list(self._open):
            writer.transport.abort()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            if not self.weather.is_cut and (request := await read_request(reader)):
                await self._carry(request, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort() if self.weather.is_cut else writer.close()

    async def _carry(self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        weather, chance = self.weather, self._draw.random
        self.counts.requests += 1
        if weather.delay:
            self.counts.delayed += 1
            await asyncio.sleep(self._draw.uniform(0, weather.delay))
        if weather.swallows or chance() < weather.loses_request:
            self.counts.lost += 1
            await self._say_nothing(weather)
            return
        if chance() < weather.repeats:
            self._repeat(request, self._draw.uniform(0, weather.repeats_after))
        deaf = weather.is_deaf or chance() < weather.loses_answer
        self.counts.lost += deaf
        await self._exchange(request, reader, None if deaf else writer)
        if deaf:
            await self._say_nothing(weather)

    async def _say_nothing(self, weather: Weather) -> None:
        """As long as the weather is silent, so is the line; then it is torn, for nobody would wait for ever."""
        if weather.swallows or weather.is_deaf:
            await weather.is_over.wait()

    async def _exchange(
        self, request: bytes, reader: asyncio.StreamReader | None, writer: asyncio.StreamWriter | None
    ) -> None:
        upstream, out = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            out.write(request)
            await out.drain()
            answer = asyncio.ensure_future(pump(upstream, writer))
            gone = asyncio.ensure_future(wait_for_end(reader, 60) if reader and writer else asyncio.sleep(60))
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            for each in (answer, gone):
                each.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)
        finally:
            out.transport.abort()

    def _repeat(self, request: bytes, after: float) -> None:
        async def again() -> None:
            await asyncio.sleep(after)
            with suppress(OSError):
                await self._exchange(request, None, None)

        self.counts.repeated += 1
        task = asyncio.ensure_future(again())
        self._later.add(task)
        task.add_done_callback(self._later.discard)


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """A whole request that asks for its connection to be closed; nothing when the caller had nothing to say."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = LENGTH.search(head)
    body = await reader.readexactly(int(length[1])) if length else b""
    head = CONNECTION.sub(b"", head)
    return head[:-2] + b"Connection: close\r\n\r\n" + body


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter | None) -> None:
    while piece := await source.read(PIECE):
        if target is not None:
            target.write(piece)
            await target.drain()


async def wait_for_end(reader: asyncio.StreamReader, seconds: float) -> None:
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(seconds):
            await reader.read(PIECE)


@dataclass
class Proxy:
    """All lines of a round, in one thread."""

    draw: random.Random
    lines: dict[str, Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()

    def add(self, name: str, target: int) -> int:
        """A new line to that port of this machine; returns its own port."""
        line = self.lines[name] = Line(target, random.Random(self.draw.random()))
        asyncio.run_coroutine_threadsafe(
            asyncio.start_server(line.handle, sock=line.socket, limit=LIMIT), self._loop
        ).result()
        return line.port

    def set(self, name: str, weather: Weather) -> None:
        line = self.lines[name]
        before, line.weather = line.weather, weather
        self._loop.call_soon_threadsafe(before.is_over.set)
        if weather.is_cut:
            self._loop.call_soon_threadsafe(line.tear)

    def clear(self) -> None:
        for name in self.lines:
            self.set(name, Weather())

    def close(self) -> None:
        for line in self.lines.values():
            self._loop.call_soon_threadsafe(line.tear)
            line.socket.close()

        async def rest() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for each in others:
                each.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(rest(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
