"""What all messages have in common: the protocol's number, names of headers, the base of every value."""

import msgspec

PROTOCOL = 1
PROTOCOL_HEADER = "X-Bottool-Protocol"
IDEMPOTENCY_HEADER = "Idempotency-Key"
FILE_NAME_HEADER = "X-Bottool-File-Name"
"""What an uploaded package is called, percent-encoded."""
SHA256_HEADER = "X-Bottool-SHA256"
"""Of a result file that is sent, whole or in part."""
NEXT_OFFSET_HEADER = "X-Bottool-Next-Offset"
ENDED_HEADER = "X-Bottool-Ended"
"""``true`` when no more output will come. Both come with the frames of a task's output."""
SYNC_HOLD_SECONDS = 10
"""The longest that the server holds one ``sync`` call."""


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """Base of everything exchanged."""
