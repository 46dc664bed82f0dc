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

PIECE_BYTES = 1024 * 1024
"""The most that is sent at once."""
_NOTE_ROOM_BYTES = 4096
"""What is kept free below the size limit for the note that says how much was cut."""


class Spool:
    """The writing end, in the keeper. May be called from several threads.

    At most ``limit_bytes`` are kept: the beginning; what was cut is counted and said in a note at the end. What
    ``hidden`` holds (the bot's token) is written as ``*``, also where it comes in several pieces.
    """

    def __init__(self, path: Path, limit_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115, PTH123 - closed by ``close``
        self._room_bytes = limit_bytes - os.fstat(self._file.fileno()).st_size
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._masks: dict[int, Mask] = {}
        self.cut_bytes = 0
        self.error: OSError | None = None
        """Why writing failed, for example a full disk. What could not be written counts as cut."""

    def hide(self, secret: str) -> None:
        """From now on, never write this text."""
        self._masks = {stream: Mask(secret.encode()) for stream in (wire.Stream.STDOUT, wire.Stream.STDERR)}

    def write(self, stream: int, data: bytes) -> None:
        with self._one_at_a_time:
            mask = self._masks.get(stream)
            self._keep(stream, mask.pass_on(data) if mask else data)

    def note(self, text: str) -> None:
        """Add a line of bottool's own."""
        with self._one_at_a_time:
            self._keep(wire.Stream.NOTE, text.encode())

    def close(self) -> None:
        """Write what was held back, and the note about what was cut. May be called again."""
        if self._file.closed:
            return
        with self._one_at_a_time:
            for stream, mask in self._masks.items():
                self._keep(stream, mask.rest())
            if self.cut_bytes:
                self._room_bytes += _NOTE_ROOM_BYTES
                why = f"{self.error.strerror}" if self.error else f"more than {self._limit_bytes} bytes"
                cut_bytes = self.cut_bytes
                self._keep(wire.Stream.NOTE, f"{cut_bytes} bytes of output were not kept: {why}".encode())
            self._file.close()

    def _keep(self, stream: int, data: bytes) -> None:
        for start in range(0, len(data), wire.FRAME_MAX_BYTES):
            piece = data[start : start + wire.FRAME_MAX_BYTES]
            frame = wire.pack_frame(wire.Frame(wire.Stream(stream), self._clock(), piece))
            # After the first cut no more of the bot's output is taken: what is kept is its beginning, without a hole.
            after_the_cut = self.cut_bytes > 0 and stream != wire.Stream.NOTE
            if after_the_cut or len(frame) + _NOTE_ROOM_BYTES > self._room_bytes:
                self.cut_bytes += len(piece)
            else:
                self._append(frame, len(piece))

    def _append(self, frame: bytes, data_bytes: int) -> None:
        """Write one frame whole or not at all."""
        end = os.fstat(self._file.fileno()).st_size
        try:
            if self._file.write(frame) == len(frame):
                self._room_bytes -= len(frame)
                return
            self.error = OSError(28, "the disk is full")
        except OSError as error:
            self.error = error
        self.cut_bytes += data_bytes
        self._file.truncate(end)


class Mask:
    """Replaces a secret in a stream of pieces by as many ``*``, so that every length and offset stays."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._held = b""

    def pass_on(self, piece: bytes) -> bytes:
        """What may be written now; the beginning of what may become the secret is held back."""
        data = (self._held + piece).replace(self._secret, b"*" * len(self._secret))
        keep = self._beginning_of_secret(data)
        self._held = data[len(data) - keep :]
        return data[: len(data) - keep]

    def rest(self) -> bytes:
        """What was held back, at the stream's end."""
        held, self._held = self._held, b""
        return held

    def _beginning_of_secret(self, data: bytes) -> int:
        longest = min(len(self._secret) - 1, len(data))
        return next((size for size in range(longest, 0, -1) if data.endswith(self._secret[:size])), 0)


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
