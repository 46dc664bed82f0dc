"""Sealing secrets that are kept in the database, with keys that are not: they lie in a file.

Each secret is sealed as something (``what``), so that a sealed value that is moved to another row cannot be read there.
The file holds several keys, the newest last: a new one seals, old ones still open. It is read anew at every use, so
that a key that was added counts at once, in every server of the site. Knows no database.
"""

import base64
import glob
import json
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from bottool.errors import SettingsError

KEY_BYTES = 32
NONCE_BYTES = 12
"""Source: NIST SP 800-38D, section 8.2: 96 bits at random for at most 2^32 values under one key."""


@dataclass(frozen=True, slots=True)
class Vault:
    """``path`` is made, with one key, when the first secret is sealed."""

    path: Path

    def seal(self, secret: str, what: str) -> str:
        """``secret`` as a text that only this vault opens, and only as ``what``."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only who seals waits for its import

        keys = self._keys() or self._first()
        newest = keys[-1]
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(newest.key).encrypt(nonce, secret.encode("utf-8"), what.encode("utf-8"))
        return f"{newest.id}:{base64.b64encode(nonce + sealed).decode('ascii')}"

    def unseal(self, sealed: str, what: str) -> str:
        """:raises SettingsError: when its key is not here, or it was sealed as something else, or was changed."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id, _, text = sealed.partition(":")
        key = next((each.key for each in self._keys() if each.id == key_id), None)
        if key is None:
            raise SettingsError(
                f"a secret is sealed with the key '{key_id}', which '{self.path}' does not hold",
                "put the file back from a backup",
            )
        try:
            data = base64.b64decode(text, validate=True)
            return AESGCM(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], what.encode("utf-8")).decode("utf-8")
        except (InvalidTag, ValueError) as error:
            raise SettingsError("a sealed secret was changed or moved: it cannot be opened", "set it again") from error

    def is_newest(self, sealed: str) -> bool:
        """True when the newest key sealed it."""
        keys = self._keys()
        return bool(keys) and sealed.partition(":")[0] == keys[-1].id

    def key_ids(self) -> list[str]:
        """The newest last."""
        return [each.id for each in self._keys()]

    def add_key(self) -> "list[Key]":
        """Let a new key seal from now on; the others stay."""
        keys = [*self._keys(), Key(id=secrets.token_hex(4), key=secrets.token_bytes(KEY_BYTES))]
        self._write(keys)
        return keys

    def drop_keys(self, ids: set[str]) -> None:
        """Forget keys that seal nothing any more; never the newest."""
        keys = self._keys()
        self._write([each for each in keys[:-1] if each.id not in ids] + keys[-1:])

    def drop_parts(self) -> None:
        """Delete what a rotation left that was killed while it wrote; only for who holds the rotation's lock."""
        for part in self._place.parent.glob(f"{glob.escape(self._place.name)}.{'[0-9a-f]' * 8}"):
            part.unlink(missing_ok=True)

    def _first(self) -> "list[Key]":
        """The keys of a vault that had none: of several who begin it at once, one makes the file that all use."""
        part = self._part([Key(id=secrets.token_hex(4), key=secrets.token_bytes(KEY_BYTES))])
        try:
            os.link(part, self._place)
        except FileExistsError:
            pass
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(self._place.parent)
        return self._keys()

    @property
    def _place(self) -> Path:
        """The file itself, where the path is a link to it."""
        return self.path.resolve()

    def _keys(self) -> "list[Key]":
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SettingsError(
                f"'{self.path}' cannot be read: {error.strerror}", "it must be a file that the server may read"
            ) from error
        if os.name != "nt" and stat.S_IMODE(self.path.stat().st_mode) & 0o077:
            raise SettingsError(f"others can read the keys of this site: '{self.path}'", f"type: chmod 600 {self.path}")
        try:
            found = [Key(id=each["id"], key=base64.b64decode(each["key"], validate=True)) for each in json.loads(text)]
        except (ValueError, TypeError, KeyError) as error:
            raise SettingsError(f"'{self.path}' holds no keys", "put the file back from a backup") from error
        if not found or any(len(each.key) != KEY_BYTES for each in found):
            raise SettingsError(f"'{self.path}' holds no keys", "put the file back from a backup")
        return found

    def _write(self, keys: "list[Key]") -> None:
        """Whole or not at all: the file may never be without a key that something is sealed with."""
        part = self._part(keys)
        try:
            part.replace(self._place)
            _sync_folder(self._place.parent)
        finally:
            part.unlink(missing_ok=True)

    def _part(self, keys: "list[Key]") -> Path:
        """The keys in a file beside, on the disk, that still wants its name."""
        part = self._place.with_name(f"{self._place.name}.{secrets.token_hex(4)}")
        said = [{"id": each.id, "key": base64.b64encode(each.key).decode("ascii")} for each in keys]
        try:
            opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise SettingsError(
                f"no keys can be written to '{self.path}': {error.strerror}", "make the folder, or let the server write"
            ) from error
        with os.fdopen(opened, "w", encoding="ascii") as file:
            json.dump(said, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        return part


def _sync_folder(folder: Path) -> None:
    """So that the name outlives a power cut: what is sealed with a key that is gone is gone too."""
    if os.name != "nt":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    id: str
    key: bytes = field(repr=False)
