"""Requests and answers of the gateway: bodies with a limit and a deadline, answers as JSON, files and streams."""

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from bottool import wire
from bottool.errors import BadJson, BottoolError, InvalidInput, Refused, TooBig, Unauthorized, Unavailable
from bottool_web.files import PIECE_BYTES
from bottool_web.problems import MEDIA_TYPE, problem_of, retry_after

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
T = TypeVar("T")

JSON_LIMIT_BYTES = 1024 * 1024
BODY_SECONDS = 30.0
SEND_SECONDS = 30.0


class Gone(Exception):
    """The caller hung up: there is nobody to answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, with the threads in which its slow parts run."""

    scope: Scope
    receive: Receive
    send: Send
    threads: Executor

    async def run(self, work: Callable[[], T]) -> T:
        """What ``work`` returns; it runs in a thread, so it may wait for a disk or a database."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    @property
    def address(self) -> str:
        client = self.scope.get("client")
        return str(client[0]) if client else ""

    def header(self, name: str) -> str:
        """The header's value; ``""`` when it is absent.

        :raises Refused: when it is there twice: two readers could believe two different ones.
        """
        wanted = name.lower().encode()
        found = [value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted]
        if len(found) > 1:
            raise Refused(f"the header {name} is there {len(found)} times", "send it once")
        return found[0].strip() if found else ""

    def query(self, name: str) -> str:
        text: str = self.scope.get("query_string", b"").decode("latin-1")
        return parse_qs(text).get(name, [""])[-1]

    def whole_number(self, name: str, *, default: int | None = None) -> int:
        """A number of the query, from 0 on.

        :raises InvalidInput: when it is no such number.
        """
        text = self.query(name)
        if not text and default is not None:
            return default
        if not re.fullmatch(r"[0-9]{1,15}", text):
            raise InvalidInput(f"'{name}' is no whole number", f"send ?{name}=0 or more", path=name)
        return int(text)

    def bearer(self) -> str:
        """The token of ``Authorization: Bearer …``.

        :raises Unauthorized: when there is none.
        """
        scheme, _, token = self.header("Authorization").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthorized("the request carries no token", "send: Authorization: Bearer TOKEN")
        return token.strip()

    def cookie(self, *names: str) -> str:
        """The first of the cookies that is there; ``""`` when none is."""
        try:
            jar = SimpleCookie(self.header("Cookie"))
        except CookieError:
            return ""
        return next((jar[name].value for name in names if name in jar), "")

    async def body(self, limit_bytes: int) -> bytes:
        """The whole body.

        :raises TooBig: as soon as it is longer than the limit.
        :raises Unavailable: when nothing of it comes for too long; it is no fault of what is sent.
        :raises Gone: when the caller hangs up before its end.
        """
        announced = self.header("Content-Length")
        if announced.isdigit() and int(announced) > limit_bytes:
            raise _too_big(limit_bytes)
        parts, size = [], 0
        while True:
            try:
                # For each piece anew: a slow line is no fault, and what is sent again would not be quicker.
                async with asyncio.timeout(BODY_SECONDS):
                    message = await self.receive()
            except TimeoutError as error:
                raise Unavailable(f"the body did not go on within {BODY_SECONDS:.0f} s", "try again") from error
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            size += len(part)
            if size > limit_bytes:
                raise _too_big(limit_bytes)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)

    async def json(self, kind: type[T]) -> T:
        """The body as a wire value.

        :raises Refused: when it is no JSON.
        :raises InvalidInput: when a field does not fit; ``details["path"]`` names it.
        """
        body = await self.body(JSON_LIMIT_BYTES)
        try:
            return msgspec.json.decode(body or b"{}", type=kind)
        except msgspec.ValidationError as error:
            text, _, path = str(error).partition(" - at `$.")
            where = path.rstrip("`")
            raise InvalidInput(f"{where or 'the body'}: {text}", "correct the field", path=where) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadJson(f"the body is no JSON: {error}", "send one JSON object in UTF-8") from error

    async def until_gone(self) -> None:
        """Return when the caller hangs up; for calls that wait, after their body was read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def start(self, status: int, headers: dict[str, str]) -> None:
        sent = {wire.PROTOCOL_HEADER: str(wire.PROTOCOL), "X-Content-Type-Options": "nosniff", **headers}
        await self._out(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
            }
        )

    async def write(self, data: bytes, *, more: bool = True) -> None:
        await self._out({"type": "http.response.body", "body": data, "more_body": more})

    async def _out(self, message: dict[str, Any]) -> None:
        """A reader that takes nothing for so long is as good as gone."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.send(message)
        except (TimeoutError, OSError) as error:
            raise Gone from error

    async def answer(self, value: Any, status: int = HTTPStatus.OK) -> None:
        data = msgspec.json.encode(value)
        await self.start(status, {"Content-Type": "application/json", "Content-Length": str(len(data)), **_PRIVATE})
        await self.write(data, more=False)

    async def refuse(self, error: BottoolError) -> None:
        problem = problem_of(error)
        data = msgspec.json.encode(problem)
        headers = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(data)), **_PRIVATE, **retry_after(error)}
        await self.start(problem.status, headers)
        await self.write(data, more=False)

    async def answer_file(self, path: Path, sha256: str) -> None:
        file = await self.run(lambda: path.open("rb"))
        try:
            size = await self.run(lambda: path.stat().st_size)
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size), "ETag": f'"{sha256}"'}
            await self.start(HTTPStatus.OK, headers | _PRIVATE)
            while piece := await self.run(lambda: file.read(PIECE_BYTES)):
                await self.write(piece)
            await self.write(b"", more=False)
        finally:
            file.close()


_PRIVATE = {"Cache-Control": "no-store"}


def _too_big(limit_bytes: int) -> TooBig:
    return TooBig(f"the body has more than {limit_bytes} bytes", "send less at a time")
