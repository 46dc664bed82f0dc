"""The HTTP client of the command line and the runner: one method per verb, JSON in and out, our errors.

Owns the one place where an HTTP library is used, so that another could take its place; it is imported when the first
client is made. Knows neither commands nor what an address means. A call that changes nothing is repeated when it got
no answer; one that changes something is made once, because its answer may have got lost after it was done.
"""

# ruff: noqa: A002 - "type" reads best where it is called

import builtins
import hashlib
import os
import random
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar, overload
from urllib.parse import quote, urlsplit

import msgspec

from bottool import __version__
from bottool.answers import error_of, value_of
from bottool.errors import BottoolError, ServerError, SettingsError, Unavailable, Unreachable
from bottool.wire import FILE_NAME_HEADER, IDEMPOTENCY_HEADER, PROTOCOL, PROTOCOL_HEADER, LoggedIn, Login

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
Query = Mapping[str, Any] | None
Told = Callable[[int, int], None]
"""Hears how many bytes of how many are done."""

_PAUSES_SECONDS = (0.2, 0.6)
_LONGEST_REST_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_OCTETS = "application/octet-stream"
_SAFE = "GET"
_SUCCESS = range(200, 300)
_NOT_THERE = "is it started ('bottool serve'), and is the address right?"
_MAYBE_DONE = "it may have been done all the same; look before you do it again"


class Client:
    """Speaks to one server as one somebody. Safe to use from several threads; close it, or use it as a context.

    ``timeout_seconds`` is how long the server may be silent.

    :raises SettingsError: when ``server`` is no address.
    """

    def __init__(self, server: str, token: str = "", *, timeout_seconds: float = 30.0) -> None:
        import httpx2

        self.server = _address(server)
        self.timeout_seconds = timeout_seconds
        headers = {PROTOCOL_HEADER: str(PROTOCOL), "User-Agent": f"bottool/{__version__}"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._http = httpx2.Client(
            headers=headers,
            timeout=httpx2.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            # Reading all certificates takes longer than a call on this machine, and plain http needs none.
            verify=self.server.startswith("https:"),
            trust_env=not is_here(self.server),
        )
        weakref.finalize(self, self._http.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; may be called again."""
        self._http.close()

    def login(self, who: Login) -> "Client":
        """A client that is signed in.

        :raises Unauthorized: when login and key, or email and password, are wrong.
        """
        signed_in = self.post("/rest/v1/login", who, type=LoggedIn)
        return Client(self.server, signed_in.token, timeout_seconds=self.timeout_seconds)

    @overload
    def get(self, path: str, *, query: Query = None, type: None = None) -> Any: ...
    @overload
    def get(self, path: str, *, query: Query = None, type: builtins.type[T]) -> T: ...
    def get(self, path: str, *, query: Query = None, type: Any = None) -> Any:
        """The answer: a ``type``, or plain JSON values; ``None`` when it is empty."""
        return self._call(_SAFE, path, None, query, type)

    @overload
    def post(self, path: str, body: object = None, *, query: Query = None, type: None = None, key: str = "") -> Any: ...
    @overload
    def post(
        self, path: str, body: object = None, *, query: Query = None, type: builtins.type[T], key: str = ""
    ) -> T: ...
    def post(self, path: str, body: object = None, *, query: Query = None, type: Any = None, key: str = "") -> Any:
        """Send a wire value or JSON values (bytes go as they are); the answer as with ``get``.

        ``key`` makes a repeated creation harmless where the server keeps keys; without one each call is its own.
        """
        return self._call("POST", path, body, query, type, {IDEMPOTENCY_HEADER: key or uuid.uuid4().hex})

    @overload
    def put(self, path: str, body: object = None, *, query: Query = None, type: None = None) -> Any: ...
    @overload
    def put(self, path: str, body: object = None, *, query: Query = None, type: builtins.type[T]) -> T: ...
    def put(self, path: str, body: object = None, *, query: Query = None, type: Any = None) -> Any:
        """As ``post``, without a key."""
        return self._call("PUT", path, body, query, type)

    @overload
    def patch(self, path: str, body: object = None, *, query: Query = None, type: None = None) -> Any: ...
    @overload
    def patch(self, path: str, body: object = None, *, query: Query = None, type: builtins.type[T]) -> T: ...
    def patch(self, path: str, body: object = None, *, query: Query = None, type: Any = None) -> Any:
        """As ``post``, without a key."""
        return self._call("PATCH", path, body, query, type)

    def delete(self, path: str, *, query: Query = None) -> None:
        """Take something away."""
        self._call("DELETE", path, None, query, None)

    def upload(
        self,
        path: str,
        file: Path,
        headers: Mapping[str, str] | None = None,
        *,
        query: Query = None,
        type: Any = None,
        told: Told | None = None,
    ) -> Any:
        """Send a file's bytes by PUT, with its name (percent-encoded) in a header; the answer as with ``get``.

        The values of ``headers`` are percent-encoded too, since HTTP carries ASCII only. With an idempotency key
        among them the server does it once, so it is sent again when there was no answer. ``told`` hears how far it is.
        """
        named = {FILE_NAME_HEADER: file.name, **(headers or {})}
        encoded = {name: quote(value, safe=" !#$&'()*+,/:;=?@[]") for name, value in named.items()}

        def send() -> Any:
            with file.open("rb") as content:
                body = _Watched(content, told) if told else content
                return self._call("PUT", path, body, query, type, {"Content-Type": _OCTETS, **encoded})

        return _repeated(send) if IDEMPOTENCY_HEADER in encoded else send()

    def read(self, path: str, *, query: Query = None) -> tuple[bytes, Mapping[str, str]]:
        """The bytes of an answer as they are, and its headers (whose names may be asked for in any case)."""

        def fetch() -> tuple[bytes, Mapping[str, str]]:
            with self._answer(_SAFE, path, query=query) as answer:
                return answer.read(), answer.headers

        return _repeated(fetch)

    def download(
        self, path: str, target: Path, *, query: Query = None, sha256: str = "", told: Told | None = None
    ) -> Path:
        """Save an answer as ``target``, which appears when it is whole; returns it.

        ``told`` hears how many bytes of how many have come.

        :raises ServerError: when what came has another checksum than ``sha256``, if that is given.
        """

        def fetch() -> str:
            digest, done = hashlib.sha256(), 0
            with self._answer(_SAFE, path, query=query) as answer, part.open("wb") as file:
                everything = int(answer.headers.get("content-length", 0))
                for piece in answer.iter_bytes(65536):
                    file.write(piece)
                    digest.update(piece)
                    done += len(piece)
                    if told:
                        told(done, everything)
            return digest.hexdigest()

        part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
        try:
            came = _repeated(fetch)
            if sha256 and came != sha256:
                raise ServerError(f"what came from '{self.server}' is not what was asked for", "try again")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target

    def stream_lines(self, path: str, *, query: Query = None) -> Iterator[str]:
        """The lines of an answer as they come, without their ends; it is an error when the connection breaks."""
        with self._answer(_SAFE, path, query=query) as answer:
            yield from answer.iter_lines()

    def _call(
        self, method: str, path: str, body: object, query: Query, wanted: Any, headers: Mapping[str, str] | None = None
    ) -> Any:
        content, media_type = _content(body)
        sent = {**({"Content-Type": media_type} if media_type else {}), **(headers or {})}

        def call() -> Any:
            with self._answer(method, path, query=query, content=content, headers=sent) as answer:
                return value_of(answer.read(), answer.headers.get("content-type", ""), wanted, self.server)

        return _repeated(call) if method == _SAFE else call()

    @contextmanager
    def _answer(self, method: str, path: str, *, query: Query = None, **sent: Any) -> "Iterator[httpx2.Response]":
        """A success whose body is not read yet; everything else is raised as one of our errors."""
        import httpx2

        try:
            with self._http.stream(method, self.server + path, params=_asked(query), **sent) as answer:
                if answer.status_code not in _SUCCESS:
                    raise error_of(answer.status_code, answer.headers, answer.read(), self.server)
                yield answer
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._meaning(error, method) from error

    def _meaning(self, error: Exception, method: str) -> BottoolError:
        """What a failure of the connection means to people."""
        import httpx2

        if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
            return Unreachable(f"nothing answers at '{self.server}'{_why(error)}", _NOT_THERE)
        hint = "try again in a moment" if method == _SAFE else _MAYBE_DONE
        if isinstance(error, httpx2.TimeoutException):
            return Unreachable(f"'{self.server}' was silent for {self.timeout_seconds:g} seconds", hint, silent=True)
        # The library has one error for a connection that ends too early and for nonsense; only the text tells.
        if isinstance(error, httpx2.NetworkError) or "without" in str(error):
            return Unreachable(f"'{self.server}' broke the connection off before it had answered", hint)
        return ServerError(f"what answers at '{self.server}' makes no sense: {error}", _NOT_THERE)


class _Watched:
    """A file that tells how much of it was read."""

    def __init__(self, file: IO[bytes], told: Told) -> None:
        self._file, self._told = file, told
        # By which the HTTP library learns how long it is.
        self.fileno, self.tell, self.seek = file.fileno, file.tell, file.seek
        self._everything = os.fstat(file.fileno()).st_size

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self._told(self._file.tell(), self._everything)
        return piece

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(65536), b"")


def _address(server: str) -> str:
    parts = urlsplit(server.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError(
            f"the server's address is '{server}'; wanted something like 'http://127.0.0.1:8080'", "it starts with http"
        )
    return server.strip().rstrip("/")


def is_here(server: str) -> bool:
    """True for this very machine, to which no proxy leads."""
    host = urlsplit(server).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _content(body: object) -> tuple[Any, str]:
    if body is None:
        return None, ""
    if isinstance(body, bytes):
        return body, _OCTETS
    if hasattr(body, "read"):
        return body, ""
    return msgspec.json.encode(body), "application/json"


def _asked(query: Query) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _why(error: BaseException) -> str:
    """The part of a failed connection that a person can do something about."""
    import socket
    import ssl

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return ": the name is not known"
        if isinstance(cause, ssl.SSLError):
            return f": the secure connection failed ({cause})"
        cause = cause.__cause__ or cause.__context__
    return ""


def _repeated(call: Callable[[], T]) -> T:
    """Make a call that changes nothing, and again after a pause when the server was away for a moment."""
    for pause in _PAUSES_SECONDS:
        try:
            return call()
        except (Unreachable, Unavailable) as error:
            wished = float(error.details.get("retry_after_seconds", 0.0))
            if wished > _LONGEST_REST_SECONDS or error.details.get("silent"):
                raise
            time.sleep(max(wished, pause * random.uniform(0.5, 1.5)))  # noqa: S311 - spreads callers, guards nothing
    return call()
