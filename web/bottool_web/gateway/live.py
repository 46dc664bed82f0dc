"""Streams of server-sent events for browsers: what changed, and what a bot prints.

Every event of output carries an id from which a browser that lost its connection goes on, without gap or repetition.
Streams end by themselves after a while; browsers come back.
"""

import asyncio
import codecs
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from bottool import wire
from bottool.errors import Forbidden, InvalidInput
from bottool_web.actions import identity, output, tasks
from bottool_web.actions.output import OutputPart
from bottool_web.actions.permissions import may
from bottool_web.actions.site import Site
from bottool_web.gateway.http import Request
from bottool_web.gateway.waiting import Bell, listening
from bottool_web.store.scope import Principal

HEARTBEAT_SECONDS = 15.0
LIFE_SECONDS = 600.0
LOOK_SECONDS = 2.0
COALESCE_SECONDS = 0.5
_OUTPUT = re.compile(r"/live/tasks/([0-9]{1,10})/output")
_PLACE = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,15})")
_COOKIES = ("__Host-bottool_session", "bottool_session")
Handle = Callable[[Request], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRoutes:
    """``closing`` ends every stream, for a server that is to end."""

    site: Site
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    def find(self, method: str, path: str) -> Handle | None:
        if method != "GET":
            return None
        if path == "/live/changes":
            return self.changes
        matched = _OUTPUT.fullmatch(path)
        if matched is None:
            return None
        task_id = int(matched[1])
        return lambda request: self.output(request, task_id)

    async def _who(self, request: Request, permission: str) -> Principal:
        cookie = request.cookie(*_COOKIES)
        who = await request.run(lambda: identity.principal_of_session(self.site, cookie))
        if not may(who, permission):
            raise Forbidden(f"'{who.name}' may not do this: it needs '{permission}'")
        return who

    async def changes(self, request: Request) -> None:
        """``changed`` with the topics, at most twice a second; ``?task=ID`` listens to that task too."""
        who = await self._who(request, "task.read")
        topics = [f"workspace:{who.workspace_id}"]
        if request.query("task"):
            task_id = request.whole_number("task")
            await request.run(lambda: tasks.get_task(self.site, who, task_id))
            topics.append(f"task:{task_id}")
        with listening(self.site.hints, topics) as bell:
            async with self._stream(request) as stream:
                while stream.lives:
                    heard = await stream.wait(bell, HEARTBEAT_SECONDS)
                    if heard:
                        await stream.event("changed", [json.dumps({"topics": sorted(heard)})])
                        await stream.pause(COALESCE_SECONDS)

    async def output(self, request: Request, task_id: int) -> None:
        """``frames`` with a line of JSON for each piece, then ``ended``; from ``?after=`` or the last event's id on."""
        who = await self._who(request, "output.read")
        place = _place(request)
        with listening(self.site.hints, [f"output:{task_id}", f"task:{task_id}"]) as bell:
            reader = _Reader(self.site, who, task_id, place)
            part = await request.run(reader.next)
            async with self._stream(request) as stream:
                while stream.lives:
                    if part.data:
                        await stream.event("frames", reader.told(part), f"{part.attempt}:{part.next_offset}")
                    elif part.ended:
                        await stream.event("ended", ["{}"], f"{part.attempt}:{part.next_offset}")
                        break
                    else:
                        await stream.wait(bell, LOOK_SECONDS)
                    part = await request.run(reader.next)

    @asynccontextmanager
    async def _stream(self, request: Request) -> AsyncIterator["_Stream"]:
        await request.start(
            HTTPStatus.OK,
            {
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            },
        )
        stream = _Stream(request, self.closing)
        try:
            await stream.comment("open")
            yield stream
            await stream.finish()
        finally:
            stream.drop()


class _Stream:
    """One open stream. ``lives`` until its reader leaves, its time is up, or the server ends."""

    def __init__(self, request: Request, closing: asyncio.Event) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + LIFE_SECONDS
        self._said_at = self._loop.time()
        self._ends = [asyncio.create_task(request.until_gone()), asyncio.create_task(closing.wait())]

    @property
    def lives(self) -> bool:
        return self._loop.time() < self._until and not any(end.done() for end in self._ends)

    async def event(self, name: str, lines: list[str], identity: str = "") -> None:
        self._said_at = self._loop.time()
        head = f"id: {identity}\n" if identity else ""
        data = "".join(f"data: {line}\n" for line in lines)
        await self._request.write(f"event: {name}\n{head}{data}\n".encode())

    async def comment(self, text: str) -> None:
        self._said_at = self._loop.time()
        await self._request.write(f": {text}\n\n".encode())

    async def wait(self, bell: Bell, seconds: float) -> set[str]:
        """The topics that rang; a sign of life goes out when nothing else did for long."""
        heard = asyncio.create_task(bell.heard(seconds))
        await asyncio.wait([heard, *self._ends], return_when=asyncio.FIRST_COMPLETED)
        topics = heard.result() if heard.done() else set()
        heard.cancel()
        if not topics and self.lives and self._loop.time() - self._said_at >= HEARTBEAT_SECONDS:
            await self.comment("still here")
        return topics

    async def pause(self, seconds: float) -> None:
        await asyncio.wait(self._ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    async def finish(self) -> None:
        if not self._ends[0].done():
            await self._request.write(b"", more=False)

    def drop(self) -> None:
        for end in self._ends:
            end.cancel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a reader goes on; ``attempt`` of ``None`` is the newest one."""

    attempt: int | None
    after: int


def _place(request: Request) -> _Place:
    text = request.header("Last-Event-ID") or request.query("after") or "0"
    matched = _PLACE.fullmatch(text)
    if matched is None:
        raise InvalidInput("'after' is no place in an output", "use the id of an event, or 0", path="after")
    number = matched[1] or request.query("attempt")
    if number and not re.fullmatch("[0-9]{1,9}", number):
        raise InvalidInput("'attempt' is no number", path="attempt")
    return _Place(attempt=int(number) if number and int(number) else None, after=int(matched[2]))


class _Reader:
    """Reads one attempt's output on, in a thread, and turns its bytes into text, a stream at a time."""

    def __init__(self, site: Site, who: Principal, task_id: int, place: _Place) -> None:
        self._site, self._who, self._task_id = site, who, task_id
        self._attempt, self._after = place.attempt, place.after
        new = partial(codecs.getincrementaldecoder("utf-8"), errors="replace")
        self._decoders = {stream: new() for stream in wire.Stream}
        self._primed = place.after == 0

    def next(self) -> OutputPart:
        part = output.part_of_output(self._site, self._who, self._task_id, after=self._after, attempt=self._attempt)
        if part.attempt:
            # From here on this attempt's output only, even if the task is tried again meanwhile.
            self._attempt = part.attempt
            self._prime(part.attempt)
        self._after = part.next_offset
        return part

    def _prime(self, attempt: int) -> None:
        """A character may have begun before the place where we go on: decode what came right before, unseen."""
        if self._primed:
            return
        self._primed = True
        before = output.bytes_before(self._site, self._who, self._task_id, attempt, self._after)
        for frame in wire.frames(before):
            self._decoders[frame.stream].decode(frame.data)

    def told(self, part: OutputPart) -> list[str]:
        """One line of JSON for each frame."""
        lines = []
        for frame in wire.frames(part.data):
            text = self._decoders[frame.stream].decode(frame.data)
            lines.append(json.dumps({"stream": int(frame.stream), "at": frame.at, "text": text}))
        return lines
