"""Frames of output with an attempt's secrets masked. A masked byte is a ``*``, so every offset stays what it was.

A secret may begin in one piece and end in the next: what was kept before is looked at too, so that its end is masked;
its beginning was kept already, and is no secret by itself.
"""

from collections import defaultdict

from bottool import wire
from bottool_web.masking import Masker

_HEAD = wire.FRAME_HEAD_BYTES


def masked_frames(masker: Masker, before: bytes, data: bytes) -> bytes:
    """``data`` (whole frames) masked; ``before`` are whole frames in front of it."""
    context: dict[wire.Stream, bytes] = defaultdict(bytes)
    for frame in wire.frames(before):
        context[frame.stream] = (context[frame.stream] + frame.data)[-masker.reach :]
    frames = list(wire.frames(data))
    texts: dict[wire.Stream, bytes] = {}
    for stream in {frame.stream for frame in frames}:
        told = context[stream]
        whole = b"".join(frame.data for frame in frames if frame.stream is stream)
        texts[stream] = masker.data(told + whole)[len(told) :]
    return _with_texts(data, frames, texts)


def _with_texts(data: bytes, frames: list[wire.Frame], texts: dict[wire.Stream, bytes]) -> bytes:
    """The same frames, heads and all, around other bytes of the same lengths."""
    made, at = bytearray(data), 0
    for frame in frames:
        at += _HEAD
        size = len(frame.data)
        made[at : at + size], texts[frame.stream] = texts[frame.stream][:size], texts[frame.stream][size:]
        at += size
    return bytes(made)
