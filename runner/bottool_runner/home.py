"""The runner's folder on disk: who this machine is to the server, the claim key, and where attempts lie.

``runner.json`` holds the runner's token and is readable by its user only; so is the folder. Two runner processes never
work in one home: the second finds the lock taken. ``control.json`` and ``status.json`` lie here too (``control``,
``status``). Knows no network.
"""

import uuid
from pathlib import Path

import msgspec

from bottool import wire
from bottool.errors import SettingsError
from bottool_runner.journal import AttemptFolder, found
from bottool_runner.system import FileLock, is_locked, put_file


class Identity(msgspec.Struct, kw_only=True, frozen=True):
    """``runner.json``. Without ``token`` the machine is not registered yet."""

    installation_id: str
    server: str = ""
    machine_id: str = ""
    workspace: str = ""
    runner_id: int = 0
    token: str = ""

    def __repr__(self) -> str:
        return f"Identity(machine_id={self.machine_id!r}, server={self.server!r})"


LOCK = "lock"


def is_worked_in(folder: Path) -> bool:
    """Does a runner work in this home at this moment?"""
    return is_locked(folder / LOCK)


def is_kept(folder: Path, task_id: int, attempt: int) -> bool:
    """Does a keeper work on this attempt, with or without a runner in this home?"""
    return is_locked(AttemptFolder(folder / "attempts" / f"{task_id}-{attempt}").lock)


class Home:
    """Made and locked by one runner process for its life."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.attempts = folder / "attempts"
        self._lock = FileLock(folder / LOCK)

    def open(self) -> None:
        """Make the folders and take the lock.

        :raises SettingsError: when another runner works here, or nothing can be written here.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.attempts.mkdir(exist_ok=True, mode=0o700)
            free = self._lock.acquire()
        except OSError as error:
            raise SettingsError(
                f"the runner's folder '{self.folder}' cannot be used: {error.strerror}", "choose another with --home"
            ) from error
        if not free:
            raise SettingsError(
                f"a runner works in '{self.folder}' already",
                "stop that one first, or give this one its own --home and --machine-id",
            )

    def close(self) -> None:
        self._lock.release()

    def identity(self) -> Identity:
        """Who this machine is; a new, lasting installation id when nothing is known yet.

        :raises SettingsError: when the file is there and says nothing sensible: a new identity would disown its bots.
        """
        path = self.folder / "runner.json"
        if not path.exists():
            fresh = Identity(installation_id=uuid.uuid4().hex)
            self.remember(fresh)
            return fresh
        try:
            return msgspec.json.decode(path.read_bytes(), type=Identity)
        except (OSError, msgspec.MsgspecError) as error:
            raise SettingsError(
                f"'{path}' cannot be read: {error}", "restore it, or remove it and register this machine anew"
            ) from error

    def remember(self, identity: Identity) -> None:
        self._put("runner.json", identity)

    def abilities(self) -> wire.Capabilities | None:
        """What this machine could do when it was last asked; ``None`` when that is not known."""
        try:
            return msgspec.json.decode((self.folder / "abilities.json").read_bytes(), type=wire.Capabilities)
        except (OSError, msgspec.MsgspecError):
            return None

    def remember_abilities(self, abilities: wire.Capabilities) -> None:
        self._put("abilities.json", abilities)

    def claim_key(self) -> str:
        """The key for the next claim, on disk before it is used: asked again after a crash, it is the same key.

        One that has brought work already is not used again.
        """
        used = {folder.work.claim_key for each in found(self.attempts) if (folder := each.assignment())}
        try:
            key = msgspec.json.decode((self.folder / "claim.json").read_bytes(), type=str)
        except (OSError, msgspec.MsgspecError):
            key = ""
        return key if key and key not in used else self.new_claim_key()

    def new_claim_key(self) -> str:
        """Put the old key away."""
        key = uuid.uuid4().hex
        self._put("claim.json", key)
        return key

    def _put(self, name: str, content: object) -> None:
        put_file(self.folder / name, msgspec.json.encode(content))
