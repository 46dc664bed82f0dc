"""A bot's output: a spool of frames.

Offsets count bytes of the spool, headers included, so a chunk always starts at a frame's head and both sides can say
exactly what is there.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple


class Stream(IntEnum):
    STDOUT = 1
    STDERR = 2
    NOTE = 3
    """A line that bottool itself adds: what was prepared, why it was stopped."""


class Frame(NamedTuple):
    stream: Stream
    at: float
    """Seconds since the epoch, by the machine's clock; for people only."""
    data: bytes


_HEAD = struct.Struct(">BxxxId")
FRAME_HEAD_BYTES = _HEAD.size
FRAME_MAX_BYTES = 64 * 1024


def pack_frame(frame: Frame) -> bytes:
    """The bytes of one frame: stream (1 byte), 3 zero bytes, length (4, big-endian), time (8, IEEE 754), data.

    :raises ValueError: when ``data`` is longer than ``FRAME_MAX_BYTES``.
    """
    if len(frame.data) > FRAME_MAX_BYTES:
        raise ValueError(f"a frame holds at most {FRAME_MAX_BYTES} bytes, got {len(frame.data)}")
    return _HEAD.pack(frame.stream, len(frame.data), frame.at) + frame.data


def frame_bytes(data: bytes | bytearray, position: int) -> int:
    """The length of the frame that starts at ``position``, its head included. There must be one."""
    return FRAME_HEAD_BYTES + int(_HEAD.unpack_from(data, position)[1])


def whole_frames(data: bytes) -> int:
    """How many bytes at the start of ``data`` are whole frames; the rest is a frame that is still being written.

    :raises ValueError: when a head is no head: the data do not start at a frame.
    """
    position = 0
    while position + FRAME_HEAD_BYTES <= len(data):
        stream, length, _ = _HEAD.unpack_from(data, position)
        if stream not in {1, 2, 3} or length > FRAME_MAX_BYTES:
            raise ValueError(f"no frame starts at byte {position}")
        if position + FRAME_HEAD_BYTES + length > len(data):
            break
        position += FRAME_HEAD_BYTES + length
    return position


def frames(data: bytes) -> Iterator[Frame]:
    """The whole frames at the start of ``data``, in order; what follows them is ignored.

    :raises ValueError: as ``whole_frames``.
    """
    end = whole_frames(data)
    position = 0
    while position < end:
        stream, length, at = _HEAD.unpack_from(data, position)
        position += FRAME_HEAD_BYTES
        yield Frame(Stream(stream), at, data[position : position + length])
        position += length
