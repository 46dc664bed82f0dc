"""Hashing what people and programs sign in with. Knows no database.

A password gets a slow hash (argon2id, with the library's own parameters); keys and tokens are random and get SHA-256.
"""

import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bottool.errors import InvalidInput

SHORTEST = 8
LONGEST = 1000
_COMMON = frozenset(
    {"password", "12345678", "123456789", "1234567890", "qwertyuiop", "11111111", "iloveyou", "password1", "baseball"}
    | {"football", "sunshine", "princess", "welcome1", "admin123", "administrator", "changeme", "senha123", "87654321"}
)
# Of a random word that nobody knows: checking it takes as long as checking a real one.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$fyKjvOBV5sylwUZEWtuRyw$F3r5jlEfgFep2g0az0F5MZs8Fxe5yknJBRIgjuqmWDc"


def new_secret(kind: str) -> str:
    """A token that shows what it is: ``btl_<kind>_<40 random characters>``."""
    return f"btl_{kind}_{secrets.token_urlsafe(30)}"


def hash_secret(secret: str) -> str:
    """What is stored of a random secret: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def secret_matches(secret: str, stored_hash: str) -> bool:
    return hmac.compare_digest(hash_secret(secret), stored_hash)


def check_password(password: str) -> None:
    """:raises InvalidInput: for a password that is too short, too long or among the first that anybody would try."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"the password has {len(password)} characters", f"use at least {SHORTEST}", path="password")
    if password.casefold() in _COMMON:
        raise InvalidInput("this password is among the first that anybody would try", "use another", path="password")


def hash_password(password: str) -> str:
    """:raises InvalidInput: as ``check_password``."""
    check_password(password)
    return PasswordHasher().hash(password)


def password_matches(password: str, stored_hash: str | None) -> bool:
    """Takes as long for ``None`` (there is no such user) as for a wrong password."""
    try:
        PasswordHasher().verify(stored_hash or _NOBODY, password[:LONGEST])
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
    return stored_hash is not None


def needs_new_hash(stored_hash: str) -> bool:
    """True when the library's parameters have become stronger since."""
    return PasswordHasher().check_needs_rehash(stored_hash)
