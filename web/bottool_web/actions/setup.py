"""Setting a site up: its folder, its key, its database, the first workspace and the first person."""

import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from bottool.errors import InvalidInput, NotFound, SettingsError
from bottool_web.actions import checks
from bottool_web.actions.identity import acting_site
from bottool_web.actions.passwords import check_password, hash_password, hash_secret
from bottool_web.actions.rotation import give_versions
from bottool_web.actions.sealing import is_anything_sealed
from bottool_web.actions.site import Site
from bottool_web.files import Files
from bottool_web.folder_lock import FolderLock
from bottool_web.hints import Hints
from bottool_web.settings import SiteSettings
from bottool_web.store import audit, schema, workspaces
from bottool_web.store.database import Store

KEY_NAME = "site.key"
KEY_BYTES = 32
SHORTEST_KEY = 8
ROLES = ("viewer", "operator", "developer", "manager", "administrator")


def open_site(settings: SiteSettings) -> Site:
    """The site of the data folder: made when it is new, its database brought up to date. ``site.close()`` ends it.

    :raises SettingsError: when another server works in the folder, its key is missing or open to others, or the
        database is of a newer bottool.
    """
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FolderLock(settings.data / "site.lock")
    store = None
    try:
        store = Store(settings.database_address)
        key = _key(settings.data / KEY_NAME, is_new=not _has_tables(store))
        schema.migrate(store)
        site = Site(
            settings=settings,
            store=store,
            files=Files(settings.data / "files", floor_bytes=settings.disk_floor_bytes),
            hints=Hints(),
            now=lambda: datetime.now(UTC),
            key=key,
            lock=lock,
        )
        _check_vault(site)
        give_versions(site)
    except BaseException:
        if store is not None:
            store.close()
        lock.release()
        raise
    return site


def _check_vault(site: Site) -> None:
    """:raises SettingsError: when others can read its keys, or they are gone and something is sealed with them."""
    if not site.vault.key_ids() and site.store.read(is_anything_sealed):
        raise SettingsError(
            f"the keys that seal this site's credentials are missing: '{site.vault.path}'",
            "put the file back from a backup, or say with 'vault_key_file' where it lies",
        )


def _has_tables(store: Store) -> bool:
    return store.read(lambda tx: sa.inspect(tx).has_table("workspace"))


def _key(path: Path, *, is_new: bool) -> bytes:
    """The server's own secret: never invented anew beside a database that was made with another one."""
    if not path.exists():
        if not is_new:
            raise SettingsError(f"the key of this site is missing: '{path}'", "put the file back from a backup")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"others can read the key of this site: '{path}'", f"type: chmod 600 {path}")
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise SettingsError(f"'{path}' is not the key of a site", "put the file back from a backup")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The first workspace of a site and its first person, an administrator."""

    workspace: str
    login: str
    key: str = field(repr=False)
    email: str
    password: str = field(repr=False)


def check_first(first: First) -> None:
    """Before anything is made.

    :raises InvalidInput: when a name, the key or the password cannot be used.
    """
    _check_workspace(first.workspace, first.login, first.key)
    _checked_email(first.email)
    check_password(first.password)


def begin(site: Site, first: First) -> None:
    """Make the first workspace and its administrator: both or neither.

    :raises InvalidInput: when a name, the key or the password cannot be used.
    :raises Conflict: when the workspace, the login or the user is there already.
    """
    make_workspace = _new_workspace(site, first.workspace, first.login, first.key)
    make_account = _new_account(site, first.workspace, first.email, first.password, "administrator")

    def make(tx: sa.Connection) -> None:
        make_workspace(tx)
        make_account(tx)

    site.store.write(make)


def is_site(data: Path) -> bool:
    """True when somebody has begun to set a site up in the folder."""
    return (data / KEY_NAME).exists()


def has_workspace(site: Site) -> bool:
    return site.store.read(workspaces.exists)


def create_workspace(site: Site, label: str, login: str, key: str) -> int:
    """Make a workspace and return its id.

    :raises InvalidInput: when a name or the key cannot be used.
    :raises Conflict: when the label or the login is taken.
    """
    return site.store.write(_new_workspace(site, label, login, key))


def _new_workspace(site: Site, label: str, login: str, key: str) -> Callable[[sa.Connection], int]:
    _check_workspace(label, login, key)
    hashed, now = hash_secret(key), site.now()

    def make(tx: sa.Connection) -> int:
        made = workspaces.add_workspace(tx, label=label, login=login, key_hash=hashed, now=now)
        audit.record(tx, acting_site(made).scope, "workspace.create", label, now)
        return made

    return make


def _check_workspace(label: str, login: str, key: str) -> None:
    checks.label(label, "workspace")
    checks.label(login, "login")
    if len(key) < SHORTEST_KEY or not key.isprintable():
        raise InvalidInput(
            "the key is too short, or holds a line break", f"use {SHORTEST_KEY} characters or more", path="key"
        )


def create_account(site: Site, workspace: str, email: str, password: str, role: str) -> int:
    """Make a user of a workspace and return its id.

    :raises InvalidInput: when the address, the password or the role cannot be used.
    :raises NotFound: when there is no such workspace.
    :raises Conflict: when the user is there already.
    """
    return site.store.write(_new_account(site, workspace, email, password, role))


def _new_account(site: Site, workspace: str, email: str, password: str, role: str) -> Callable[[sa.Connection], int]:
    email = _checked_email(email)
    if role not in ROLES:
        raise InvalidInput(f"there is no role '{role}'", f"there are: {', '.join(ROLES)}", path="role")
    hashed, now = hash_password(password), site.now()

    def make(tx: sa.Connection) -> int:
        found = workspaces.by_label(tx, workspace)
        if found is None:
            raise NotFound(f"there is no workspace '{workspace}'")
        scope = acting_site(found.id).scope
        made = workspaces.add_account(tx, email=email, name=email, password_hash=hashed, now=now)
        workspaces.add_membership(tx, scope, made, role)
        audit.record(tx, scope, "account.create", email, now, role=role)
        return made

    return make


def _checked_email(email: str) -> str:
    email = checks.name(email.strip().casefold(), "email")
    if "@" not in email.strip("@") or " " in email:
        raise InvalidInput(f"'{checks.shortened(email)}' is no e-mail address", path="email")
    return email
