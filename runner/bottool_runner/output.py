"""A bot's output on its way: the keeper writes it into the spool, the runner sends the spool to the server.

The spool is a file of whole ``wire`` frames, written by one process and read by another at the same time; its last
frame may be torn when the writer died. Offsets count bytes of the spool, so both sides of the network can always say
exactly what is there. Knows neither how a bot is started nor how a request is made.
"""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bottool import wire
from bottool.quantities import size_text
from bottool_runner.gathering import Gathering

PIECE_BYTES = 1024 * 1024
"""The most that is sent at once."""
TAIL_BYTES = 1024 * 1024
"""So much of the end is kept of an output that is too long; at most a quarter of what is kept at all."""
_NOTE_ROOM_BYTES = 4096
"""What is kept free below the size limit for notes."""
_LAST_NOTE_BYTES = 512


class Spool:
    """The writing end, in the keeper. May be called from several threads.

    At most ``limit_bytes`` are kept: the beginning, and the end, which lies in memory until ``close``. What was cut
    between them is counted, and said in a note at its place. What ``hide`` was given (the bot's token) is written as
    ``*``, also where it comes in several pieces. The end of a line is waited for, for a moment: see ``gathering``.
    """

    def __init__(self, path: Path, limit_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115, PTH123 - closed by ``close``
        self._limit_bytes = limit_bytes
        self._tail_bytes = min(TAIL_BYTES, limit_bytes // 4)
        self._head_room = limit_bytes - os.fstat(self._file.fileno()).st_size - self._tail_bytes - _NOTE_ROOM_BYTES
        self._note_room = _NOTE_ROOM_BYTES - _LAST_NOTE_BYTES
        self._clock = clock
        self._writing = threading.Lock()
        self._tail: _Tail | None = None
        self._gathering = Gathering(self._keep, clock)
        self.cut_bytes = 0
        """How much was not kept, as far as that is known: all of it once ``close`` has returned."""
        self.error: OSError | None = None
        """Why writing failed last, for example a full disk."""

    def hide(self, secret: str) -> None:
        """From now on, never write this text."""
        self._gathering.hide(secret.encode())

    def write(self, stream: int, data: bytes) -> None:
        self._gathering.add(stream, data)

    def note(self, text: str) -> None:
        """Add a line of bottool's own."""
        self._keep(wire.Stream.NOTE, self._clock(), text.encode())

    def close(self) -> None:
        """Write what was held back, the end of an output that was too long, and how much of it is missing.

        May be called again.
        """
        if self._file.closed:
            return
        self._gathering.close()
        with self._writing:
            self._write_tail()
            self._file.close()

    def _keep(self, stream: int, at: float, data: bytes) -> None:
        with self._writing:
            for start in range(0, len(data), wire.FRAME_MAX_BYTES):
                piece = data[start : start + wire.FRAME_MAX_BYTES]
                self._keep_frame(stream, wire.pack_frame(wire.Frame(wire.Stream(stream), at, piece)))

    def _keep_frame(self, stream: int, frame: bytes) -> None:
        """At its place: the beginning of the file, or the end that is still to be written. Notes are few and short."""
        if stream == wire.Stream.NOTE:
            if len(frame) <= self._note_room and self._append(frame):
                self._note_room -= len(frame)
        elif self._tail is not None:
            self._tail.add(frame)
        elif len(frame) <= self._head_room and self._append(frame):
            self._head_room -= len(frame)
        else:
            self._tail = _Tail(self._tail_bytes)
            self._tail.add(frame)
            if self.error is None:
                self._append(self._note(f"more than {self._size} of output: from here on only its end is kept"))

    def _write_tail(self) -> None:
        if self._tail is None:
            return
        self._tail.trim()
        self.cut_bytes = self._tail.cut_bytes
        if self.cut_bytes:
            why = f"{self.error.strerror}" if self.error else f"more than {self._size}"
            self._append(self._note(f"{self.cut_bytes} bytes of output were not kept: {why}"))
        frames = bytes(self._tail.frames)
        if not self._append(frames):
            self.cut_bytes += sum(len(frame.data) for frame in wire.frames(frames))
        self._tail = None

    @property
    def _size(self) -> str:
        return size_text(self._limit_bytes)

    def _note(self, text: str) -> bytes:
        return wire.pack_frame(wire.Frame(wire.Stream.NOTE, self._clock(), text.encode()))

    def _append(self, frames: bytes) -> bool:
        """Write them whole or not at all; ``False`` then."""
        end = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(frames) == len(frames):
                return True
            self.error = OSError(28, "the disk is full")
        except OSError as error:
            self.error = error
        self._file.truncate(end)
        return False


class _Tail:
    """The last frames, as many as there is room for."""

    def __init__(self, limit_bytes: int) -> None:
        self.frames = bytearray()
        self.cut_bytes = 0
        self._limit_bytes = limit_bytes

    def add(self, frame: bytes) -> None:
        self.frames += frame
        # Not at every frame: what stays has to be moved then.
        if len(self.frames) > self._limit_bytes * 5 // 4 + wire.FRAME_MAX_BYTES:
            self.trim()

    def trim(self) -> None:
        """Drop whole frames from the front until the rest has room, and count their bytes."""
        cut = 0
        while len(self.frames) - cut > self._limit_bytes:
            size = wire.frame_bytes(self.frames, cut)
            self.cut_bytes += size - wire.FRAME_HEAD_BYTES
            cut += size
        del self.frames[:cut]


class Uploader:
    """The reading end, in the runner. ``send(offset, data)`` returns the offset that the server wants next."""

    def __init__(self, path: Path, send: Callable[[int, bytes], int]) -> None:
        self._path = path
        self._send = send
        self.offset = 0
        """What the server has, as far as is known: wherever it says that it has more or less, that is believed."""

    def send_all(self) -> bool:
        """Send every whole frame that is there by now. ``False`` when the server goes on asking for the same bytes."""
        while piece := self._next_piece():
            asked = self._send(self.offset, piece)
            if asked == self.offset:
                return False
            self.offset = asked
        return True

    def size_bytes(self) -> int:
        """The length of the spool without a torn frame at its end; what was not sent yet must start at a frame."""
        size = self.offset
        while piece := self._piece_at(size):
            size += len(piece)
        return size

    def _next_piece(self) -> bytes:
        return self._piece_at(self.offset)

    def _piece_at(self, offset: int) -> bytes:
        """Whole frames from there on; empty when there are none."""
        try:
            with self._path.open("rb") as file:
                file.seek(offset)
                data = file.read(PIECE_BYTES)
        except FileNotFoundError:
            return b""
        return data[: wire.whole_frames(data)]
