"""A bot's screen: what this machine has, and a virtual one for one attempt.

The virtual screen is a child of the keeper that carries the mark of the bot's folder: it ends with the keeper, and when
the keeper is killed it is found with the bot's processes. It stands beside the bot's tree, not in it, so that it is
neither counted as the bot's nor named as left behind. Knows no server.
"""

import contextlib
import os
import secrets
import select
import struct
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bottool import wire
from bottool.errors import LaunchError
from bottool.settings import base_variables
from bottool.stopping import MARK
from bottool_runner import platform_screen, screenshot
from bottool_runner.journal import AttemptFolder

START_SECONDS = 30.0
_END_SECONDS = 5.0
_COOKIE_BYTES = 16
_ANY_FAMILY = 0xFFFF
_SOCKETS = Path("/tmp")  # noqa: S108 - where X servers put their locks and sockets, always


class Number(msgspec.Struct, kw_only=True, frozen=True):
    """``screen.json``: what a virtual screen is known by on the machine."""

    number: int
    pid: int


def of_this_machine() -> wire.Screen:
    """What bots can draw on here, looked at now. Takes a moment where there is a real screen."""
    no_real, no_virtual = platform_screen.no_real(), platform_screen.no_virtual()
    width = height = 0
    if not no_real:
        width, height, no_real = screenshot.size(base_variables())
    return wire.Screen(
        real=not no_real,
        virtual=not no_virtual,
        locked=not no_real and platform_screen.is_locked(),
        width=width,
        height=height,
        no_real=no_real,
        no_virtual=no_virtual,
    )


@dataclass(slots=True)
class BotScreen:
    """What one attempt draws on. Opened before the permit, closed when the keeper ends."""

    need: wire.DisplayNeed
    folder: AttemptFolder
    variables: dict[str, str] = field(default_factory=dict)
    """What the bot must find among its variables; empty where it draws on nothing, or on what there is anyway."""
    _server: "subprocess.Popen[bytes] | None" = None

    def open(self) -> None:
        """:raises LaunchError: when this machine has not what is needed, now; says why."""
        if self.need.kind == "virtual":
            self._start()
        elif self.need.kind != "none" and (said := of_this_machine().lacks(self.need)):
            raise LaunchError(f"this machine {said}")

    def close(self) -> None:
        """End the virtual screen, if there is one. May be called again, and from another thread."""
        server, self._server = self._server, None
        if server is None:
            return
        server.terminate()
        try:
            server.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(_END_SECONDS)
        forget_number(self.folder)

    def picture(self, target: Path) -> str:
        """Write what the screen shows now to ``target``; why it could not be seen, or ``""``."""
        return screenshot.take(target, {**base_variables(), **self.variables})

    def _start(self) -> None:
        if missing := platform_screen.no_virtual():
            raise LaunchError(f"this machine cannot make a virtual screen: {missing}")
        authority = self.folder.path / "xauthority"
        _write_cookie(authority)
        reader, writer = os.pipe()
        try:
            with (self.folder.path / "screen.log").open("wb") as log:
                self._server = subprocess.Popen(
                    [
                        *(platform_screen.XVFB, "-displayfd", str(writer)),
                        *("-screen", "0", f"{self.need.size}x{self.need.depth}"),
                        *("-auth", str(authority), "-nolisten", "tcp", "-noreset"),
                    ],
                    env={**base_variables(), MARK: f"{self.folder.bot}#screen"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[writer],
                )
            os.close(writer)
            writer = -1
            number = self._await_number(reader)
        except OSError as error:
            raise LaunchError(f"Xvfb cannot be started: {error.strerror}") from error
        finally:
            os.close(reader)
            if writer >= 0:
                os.close(writer)
        self.folder.show("screen.json", Number(number=number, pid=self._server.pid))
        self.variables = {"DISPLAY": f":{number}", "XAUTHORITY": str(authority), "WAYLAND_DISPLAY": ""}

    def _await_number(self, reader: int) -> int:
        """The number that the screen has chosen; it answers from then on."""
        deadline, said = time.monotonic() + START_SECONDS, b""
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(reader, 64) if ready else b""
            if not piece:
                self.close()
                why = "took too long to start" if not ready else f"ended: {self._last_words()}"
                raise LaunchError(f"the virtual screen of {self.need.size} {why}")
            said += piece
        return int(said)

    def _last_words(self) -> str:
        lines = (self.folder.path / "screen.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return next((line.strip() for line in lines if line.strip()), "it said nothing")


def forget_number(folder: AttemptFolder) -> None:
    """Remove the lock and the socket of a virtual screen that was killed: an ended one has removed them itself."""
    known = folder.read("screen.json", Number)
    if known is None:
        return
    lock = _SOCKETS / f".X{known.number}-lock"
    with contextlib.suppress(OSError, ValueError):
        # Another screen may have the number by now: then the lock names that one.
        if int(lock.read_text(encoding="ascii")) == known.pid:
            (_SOCKETS / ".X11-unix" / f"X{known.number}").unlink(missing_ok=True)
            lock.unlink()


def _write_cookie(path: Path) -> None:
    """An authority file with one cookie, good for any host and number: the number is not known yet.

    Source: libXau, ``Xauth(3)``: a family, then address, number, name and data, each with its length before it.
    """
    fields = (b"", b"", b"MIT-MAGIC-COOKIE-1", secrets.token_bytes(_COOKIE_BYTES))
    content = struct.pack(">H", _ANY_FAMILY) + b"".join(struct.pack(">H", len(each)) + each for each in fields)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
