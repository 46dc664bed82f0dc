"""Hides secrets in what a bot prints on a terminal. Knows neither bots nor where secrets come from."""

from collections.abc import Iterable

SHORTEST_BYTES = 4
"""What is shorter is no secret, and hiding it would spoil every second line."""


def hide(text: str, secrets: Iterable[str]) -> str:
    """A whole text with ``*`` instead of secrets."""
    masks = Masks(secrets)
    data = text.encode("utf-8", "surrogateescape")
    return (masks.pass_on(data) + masks.rest()).decode("utf-8", "surrogateescape")


class Masks:
    """One stream. ``pass_on`` gives what may be shown now; the beginning of what may become a secret waits."""

    def __init__(self, secrets: Iterable[str]) -> None:
        encoded = {secret.encode() for secret in secrets}
        # The longest first: a secret may hold another one.
        self._secrets = sorted((each for each in encoded if len(each) >= SHORTEST_BYTES), key=len, reverse=True)
        self._held = b""

    def pass_on(self, data: bytes) -> bytes:
        data = self._held + data
        for secret in self._secrets:
            data = data.replace(secret, b"*" * len(secret))
        waits = max((self._overlap(data, secret) for secret in self._secrets), default=0)
        self._held = data[len(data) - waits :]
        return data[: len(data) - waits]

    def rest(self) -> bytes:
        """What waited, at the end of the stream."""
        held, self._held = self._held, b""
        return held

    @staticmethod
    def _overlap(data: bytes, secret: bytes) -> int:
        longest = min(len(secret) - 1, len(data))
        return next((size for size in range(longest, 0, -1) if data.endswith(secret[:size])), 0)
