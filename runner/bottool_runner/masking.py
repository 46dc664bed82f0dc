"""Hides one secret in a stream that comes in pieces. Lengths stay, so that every offset and count holds.

Knows the secret as it is; the server, which gets the stream next, masks all that the bot has read, in other forms too.
"""


class Mask:
    """Replaces a secret by as many ``*``. What may become the secret is held back until more comes, or is let go."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._held = b""
        self._passed = b""
        """What was let go although the secret may begin in it: it is looked at once more with what follows."""

    def pass_on(self, piece: bytes) -> bytes:
        """What may be written now."""
        seen = len(self._passed)
        data = (self._passed + self._held + piece).replace(self._secret, b"*" * len(self._secret))
        begins_at = len(data) - self._beginning_of_secret(data)
        unseen_at = max(begins_at, seen)
        self._passed, self._held = data[begins_at:seen], data[unseen_at:]
        return data[seen:unseen_at]

    def let_go(self) -> bytes:
        """What was held back, if it tells nothing because it is at most a quarter of the secret; else it stays."""
        if len(self._passed) + len(self._held) > len(self._secret) // 4:
            return b""
        held, self._held = self._held, b""
        self._passed += held
        return held

    def rest(self) -> bytes:
        """What was held back, at the stream's end."""
        held, self._held = self._held, b""
        return held

    @property
    def holds(self) -> bool:
        """True when something could be let go."""
        return 0 < len(self._held) <= len(self._secret) // 4 - len(self._passed)

    def _beginning_of_secret(self, data: bytes) -> int:
        longest = min(len(self._secret) - 1, len(data))
        return next((size for size in range(longest, 0, -1) if data.endswith(self._secret[:size])), 0)
