"""One file out of a multipart body, piece by piece as it comes: never whole in memory, and never on the disk twice.

Takes what clients make of RFC 7578: names with and without quotes, ``filename*``, a boundary in quotes, parts before
and after the file. A body that ends before its last boundary is broken, however its length was told.
"""

from collections.abc import Iterator
from typing import IO

from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from bottool.errors import InvalidInput, Refused

PIECE_BYTES = 256 * 1024
MOST_PARTS = 100
HEAD_BYTES = 1024 * 1024
"""What comes before the bytes of a part may take."""


class FileInBody:
    """The part called ``part`` of what ``stream`` brings. ``name`` is the client's word for it; read it once.

    :raises InvalidInput: when there is no such part.
    :raises Refused: when the body is no multipart body; also from ``pieces``, when it breaks off.
    """

    def __init__(self, stream: IO[bytes], boundary: str, part: str) -> None:
        if not boundary:
            raise Refused("the body has no boundary", "send the file as multipart/form-data")
        self._stream = stream
        self._decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_PARTS)
        self._events = self._read()
        self.name = self._find(part)

    def pieces(self) -> Iterator[bytes]:
        for event in self._events:
            if isinstance(event, Data):
                if event.data:
                    yield event.data
                if not event.more_data:
                    break
        # To the last boundary: only then everything has come.
        for _ in self._events:
            pass

    def _find(self, part: str) -> str:
        for event in self._events:
            # Without a file's name it is a field to the letter; some clients leave the name out.
            if isinstance(event, File | Field) and event.name == part:
                return event.filename if isinstance(event, File) else ""
        raise InvalidInput(f"there is no part '{part}'", "send the file as multipart/form-data")

    def _read(self) -> Iterator[Event]:
        try:
            while True:
                event = self._decoder.next_event()
                if isinstance(event, NeedData):
                    if len(self._decoder.buffer) > HEAD_BYTES:
                        raise Refused("what stands before the file in the multipart body has no end")
                    self._decoder.receive_data(self._stream.read(PIECE_BYTES) or None)
                    continue
                yield event
                if isinstance(event, Epilogue):
                    return
        except ValueError as error:
            raise Refused("the multipart body is broken off, or none", "send the whole file again") from error
