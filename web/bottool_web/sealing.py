"""Short secrets of the site's own settings, sealed with a key that is derived from the server's. Knows no database."""

import base64
import hmac
import os

from bottool.errors import SettingsError

NONCE_BYTES = 12


def seal(key: bytes, secret: str, what: str) -> str:
    """``secret`` so that only this site can read it, and only as ``what``: no row can take another's place."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only who seals waits for its import

    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_key(key)).encrypt(nonce, secret.encode(), what.encode())
    return base64.b64encode(nonce + sealed).decode("ascii")


def unseal(key: bytes, sealed: str, what: str) -> str:
    """:raises SettingsError: when it was sealed with another key, as something else, or was changed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        data = base64.b64decode(sealed, validate=True)
        return AESGCM(_key(key)).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], what.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise SettingsError("it cannot be read with this site's key", "set it again") from error


def _key(key: bytes) -> bytes:
    return hmac.digest(key, b"sealed settings", "sha256")
